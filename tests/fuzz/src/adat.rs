//! The messages of ADAT, each at the side that has to read it.

use safetp_protocol::security::safetp1::client;

use crate::exchange::{GENUINE, address, answered, begun, rng, server};

/// Beyond any message that is right. The exchange itself costs milliseconds, so that long inputs are not worth them.
const LONGEST: usize = 2048;

/// The most octets of r and s with their lengths, for a q of 160 bits.
const SIGNATURE: usize = 2 * (4 + 20);

/// The first octet says which message the rest is.
pub fn check(octets: &[u8]) {
    let Some((which, message)) = super::choice(octets).filter(|(_, message)| message.len() <= LONGEST) else { return };
    let [_, genuine2, genuine3, genuine4] = &*GENUINE;
    match which % 4 {
        0 => {
            if let Ok((client, _)) = client::begin(message, &mut rng(3)) {
                assert_eq!(client.server_key().to_wire(), message, "a key has one form");
            }
        }
        1 => {
            let answer = server().answer(message, address(), &mut rng(4));
            assert!(answer.is_ok() || message != genuine2);
            assert!(answer.is_err() || message.len() <= genuine2.len(), "nothing may follow the challenge");
        }
        2 => {
            let (client, ..) = begun();
            let finished = client.finish(message, address()).is_ok();
            assert!(finished || message != genuine3);
            // After the body stand r and s; every signature has a twin, r and q - s.
            let body = genuine3.len() - SIGNATURE;
            assert!(!finished || message.get(..body) == genuine3.get(..body), "only what was signed may be taken");
        }
        _ => {
            let (server, _) = answered(genuine2);
            assert_eq!(server.finish(message).is_ok(), message == genuine4);
        }
    }
}
