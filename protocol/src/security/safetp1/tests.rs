//! The exchange and what it leads to, as sentences: client and server talk to each other in memory.

mod control;
mod data;
mod exchange;
mod keys;
mod page;

mod vectors;

use std::{net::IpAddr, sync::Arc};

use chacha20::{ChaCha20Rng, rand_core::SeedableRng};

use super::{Secured, ServerIp, SigningKey, client, server};

const KEY_1024: &str = include_str!("../../../testdata/x-safetp1/dsa-1024-160.pem");
const KEY_2048: &str = include_str!("../../../testdata/x-safetp1/dsa-2048-256.pem");

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn key(pem: &str) -> Arc<SigningKey> {
    Arc::new(SigningKey::from_pkcs8_pem(pem).unwrap())
}

fn address(text: &str) -> ServerIp {
    text.parse::<IpAddr>().unwrap().into()
}

/// Both ends of a finished exchange.
struct Pair {
    client: Secured,
    server: Secured,
}

/// A whole exchange, with nothing in between.
fn pair(pem: &str, seed: u64) -> Pair {
    let home = address("192.0.2.1");
    let (awaiting_key, message1) = server::begin(key(pem));
    let (awaiting_answer, message2) = client::begin(&message1, &mut rng(seed)).unwrap();
    let (awaiting_proof, message3) = awaiting_key.answer(&message2, home, &mut rng(seed + 1)).unwrap();
    let (client, message4) = awaiting_answer.finish(&message3, home).unwrap();
    let server = awaiting_proof.finish(&message4).unwrap();
    Pair { client, server }
}
