//! An exchange of X-SafeTP1 that is the same in every run, so that inputs are worth keeping.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, LazyLock},
};

use chacha20::{ChaCha20Rng, rand_core::SeedableRng as _};
use safetp_protocol::security::safetp1::{Secured, ServerIp, SigningKey, client, server};

/// The smaller of the two kinds of keys: signing is not what is looked at.
static KEY: LazyLock<Arc<SigningKey>> = LazyLock::new(|| {
    let pem = include_str!("../../../protocol/testdata/x-safetp1/dsa-1024-160.pem");
    Arc::new(SigningKey::from_pkcs8_pem(pem).expect("a key of the tests"))
});

/// The four messages of an undisturbed exchange.
pub static GENUINE: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
    let (client, message1, message2) = begun();
    let (server, message3) = answered(&message2);
    let (_, message4) = client.finish(&message3, address()).expect("a genuine answer");
    assert!(server.finish(&message4).is_ok(), "a genuine proof");
    [message1, message2, message3, message4]
});

pub(crate) fn address() -> ServerIp {
    IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)).into()
}

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn server() -> server::AwaitingKey {
    server::begin(Arc::clone(&KEY)).0
}

/// A client that has sent message 2, with messages 1 and 2.
pub(crate) fn begun() -> (client::AwaitingAnswer, Vec<u8>, Vec<u8>) {
    let (_, message1) = server::begin(Arc::clone(&KEY));
    let (client, message2) = client::begin(&message1, &mut rng(1)).expect("a genuine key");
    (client, message1, message2)
}

/// A server that has sent message 3, with that message.
pub(crate) fn answered(message2: &[u8]) -> (server::AwaitingProof, Vec<u8>) {
    server().answer(message2, address(), &mut rng(2)).expect("a genuine question")
}

/// Both ends after the exchange: client, server.
pub(crate) fn secured() -> (Secured, Secured) {
    let (client, _, message2) = begun();
    let (server, message3) = answered(&message2);
    let (client, message4) = client.finish(&message3, address()).expect("a genuine answer");
    (client, server.finish(&message4).expect("a genuine proof"))
}
