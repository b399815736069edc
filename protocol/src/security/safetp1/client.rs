//! The client's side of the exchange.

use std::fmt;

use rand_core::CryptoRng;

use super::{
    KeyError, PublicKey, Secured, ServerIp,
    elgamal::{Ciphertext, SecretKey},
    keys::Side,
    messages::{Challenge, Message3, write_message2},
    wire_profile::Malformed,
};

/// Reason for which the client ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Message 1 is not a DSA key that a server may have.
    #[error("the server's key is not acceptable: {0}")]
    ServerKey(#[from] KeyError),
    /// Message 3 has another form or length.
    #[error("the server's answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
    /// The server's key has not signed message 3.
    #[error(
        "the server's answer does not bear the signature of its key: a man in the middle may have answered; do not \
         continue"
    )]
    BadSignature,
    /// Message 3 answers another exchange.
    #[error("the server has signed an answer to another client or an earlier exchange; do not continue")]
    NotOurChallenge,
    /// C1 or C2 is out of range, or the plaintext is not a master key.
    #[error("the server's answer does not contain a valid master key")]
    BadMasterKey,
    /// The redirection check: the server that signed has another address than the client dialled.
    #[error(
        "the redirection check failed: the server signed that its address is {signed}, but {dialled} was dialled. \
         Either the connection was redirected, or the server does not know its external address. Dial {signed} if you \
         know it to be the server's, or ask its operator to set the external address to {dialled}"
    )]
    Redirected {
        /// The address in the signed message.
        signed: ServerIp,
        /// The address that the client dialled.
        dialled: ServerIp,
    },
}

/// Takes message 1 and answers it with message 2.
///
/// The caller decides whether the key is the server's: see [`AwaitingAnswer::server_key`] before anything is sent.
pub fn begin(message1: &[u8], rng: &mut impl CryptoRng) -> Result<(AwaitingAnswer, Vec<u8>), ClientError> {
    let server_key = PublicKey::from_wire(message1)?;
    let secret = SecretKey::random(rng);
    let mut challenge = Challenge::default();
    rng.fill_bytes(&mut challenge);
    let message2 = write_message2(&secret.public(), challenge);
    Ok((AwaitingAnswer { server_key, secret, challenge }, message2))
}

/// Message 2 is ready, message 3 is awaited.
pub struct AwaitingAnswer {
    server_key: PublicKey,
    secret: SecretKey,
    challenge: Challenge,
}

impl AwaitingAnswer {
    /// The key that the server has to prove, to be compared with the one that is known.
    pub fn server_key(&self) -> &PublicKey {
        &self.server_key
    }

    /// Takes message 3 and answers it with message 4. When 235 has come, all is protected.
    ///
    /// `dialled`: the address that was dialled, or that a proxy was asked for.
    pub fn finish(self, message3: &[u8], dialled: ServerIp) -> Result<(Secured, Vec<u8>), ClientError> {
        let message3 = Message3::read(message3)?;
        if !self.server_key.verifies(message3.body, message3.r, message3.s) {
            return Err(ClientError::BadSignature);
        }
        if message3.client_challenge != self.challenge {
            return Err(ClientError::NotOurChallenge);
        }
        let ciphertext = Ciphertext::new(message3.c1, message3.c2).ok_or(ClientError::BadMasterKey)?;
        if message3.server_ip != dialled {
            return Err(ClientError::Redirected { signed: message3.server_ip, dialled });
        }
        let master = self.secret.decrypt(&ciphertext).ok_or(ClientError::BadMasterKey)?;
        let mut secured = Secured::new(&master, Side::Client);
        let message4 = secured.control.seal_proof(message3.server_challenge);
        Ok((secured, message4))
    }
}

impl fmt::Debug for AwaitingAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingAnswer").field("server_key", &self.server_key).finish_non_exhaustive()
    }
}
