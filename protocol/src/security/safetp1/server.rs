//! The server's side of the exchange.

use std::{fmt, sync::Arc};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    Secured, ServerIp, SigningKey,
    elgamal::{Element, encrypt},
    keys::{MasterKey, Side},
    messages::{Challenge, Message2, append_signature, write_body},
    wire_profile::Malformed,
};

/// Reason for which the exchange is over: 535 to the client, whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The message has another form or length.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// P or G is not of RFC 3526's group 14.
    #[error("the client's ElGamal key is in another group than RFC 3526's group 14")]
    ForeignGroup,
    /// Y is below 2 or above P - 2, so the key that it leads to would be known to all.
    #[error("the client's ElGamal public value is out of range")]
    WeakPublicValue,
    /// Message 4 is not the server's challenge under the client's control key.
    #[error("the client did not prove that it has the keys")]
    WrongProof,
    /// The key could not sign: the server's own failure, practically impossible.
    #[error("the server's key could not sign")]
    Unsigned,
}

/// Message 1 for the client that has said AUTH.
pub fn begin(key: Arc<SigningKey>) -> (AwaitingKey, Vec<u8>) {
    let message1 = key.public_key().to_wire();
    (AwaitingKey { key }, message1)
}

/// Message 1 is on its way, message 2 is awaited.
#[derive(Debug)]
pub struct AwaitingKey {
    key: Arc<SigningKey>,
}

impl AwaitingKey {
    /// Takes message 2 and answers it with message 3. This is the step that costs: two powers in the group and a
    /// signature, some milliseconds.
    ///
    /// `server_ip`: the server's external address.
    ///
    /// # Errors
    /// 535; the exchange is over.
    pub fn answer(
        self,
        message2: &[u8],
        server_ip: ServerIp,
        rng: &mut impl CryptoRng,
    ) -> Result<(AwaitingProof, Vec<u8>), Rejected> {
        let message2 = Message2::read(message2)?;
        if !message2.has_our_group() {
            return Err(Rejected::ForeignGroup);
        }
        let public = Element::new(message2.public).ok_or(Rejected::WeakPublicValue)?;

        let master = MasterKey::random(rng);
        let ciphertext = encrypt(&master, public, rng);
        let mut server_challenge = Zeroizing::new(Challenge::default());
        rng.fill_bytes(&mut *server_challenge);
        let body = write_body(&ciphertext, message2.client_challenge, *server_challenge, server_ip);
        let signature = self.key.sign(&body).ok_or(Rejected::Unsigned)?;

        let awaiting = AwaitingProof { secured: Secured::new(&master, Side::Server), server_challenge };
        Ok((awaiting, append_signature(body, &signature)))
    }
}

/// Message 3 is on its way, message 4 is awaited.
pub struct AwaitingProof {
    secured: Secured,
    server_challenge: Zeroizing<Challenge>,
}

impl AwaitingProof {
    /// Takes message 4. From the 235 that answers it, all is protected.
    ///
    /// # Errors
    /// 535; the exchange is over.
    pub fn finish(mut self, message4: &[u8]) -> Result<Secured, Rejected> {
        let message4 = message4.try_into().map_err(|_| Malformed)?;
        let is_proof = self.secured.control.opens_proof(message4, &self.server_challenge);
        if is_proof { Ok(self.secured) } else { Err(Rejected::WrongProof) }
    }
}

impl fmt::Debug for AwaitingProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingProof").finish_non_exhaustive()
    }
}
