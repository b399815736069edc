//! The exchange of AUTH and ADAT, and what ends it.

use std::sync::Arc;

use crypto_bigint::U2048;
use proptest::prelude::*;

use super::{
    super::{
        KeyError, Malformed, ServerIp,
        client::{self, AwaitingAnswer, ClientError},
        elgamal::group_prime,
        messages::{append_signature, write_message2},
        server::{self, AwaitingKey, AwaitingProof, Rejected},
        wire_profile::put_mpint,
    },
    KEY_1024, KEY_2048, address, key, pair, rng,
};

const HOME: &str = "192.0.2.1";

fn home() -> ServerIp {
    address(HOME)
}

fn awaiting_key() -> AwaitingKey {
    server::begin(key(KEY_1024)).0
}

/// The server's answer to this message 2.
fn answer(message2: &[u8]) -> Result<(AwaitingProof, Vec<u8>), Rejected> {
    awaiting_key().answer(message2, home(), &mut rng(2))
}

fn rejection(message2: &[u8]) -> Rejected {
    answer(message2).map(|_| ()).unwrap_err()
}

/// Client and server when message 3 is on its way.
fn answered(server_ip: ServerIp) -> (AwaitingAnswer, AwaitingProof, Vec<u8>) {
    let (awaiting_key, message1) = server::begin(key(KEY_1024));
    let (awaiting_answer, message2) = client::begin(&message1, &mut rng(1)).unwrap();
    let (awaiting_proof, message3) = awaiting_key.answer(&message2, server_ip, &mut rng(2)).unwrap();
    (awaiting_answer, awaiting_proof, message3)
}

/// The client's answer to message 3 after `alter`.
fn client_error(alter: impl FnOnce(&mut Vec<u8>)) -> ClientError {
    let (client, _, mut message3) = answered(home());
    alter(&mut message3);
    client.finish(&message3, home()).map(|_| ()).unwrap_err()
}

/// The client's answer to a message 3 with this body, signed by the server's key.
fn signed_body(alter: impl FnOnce(Vec<u8>) -> Vec<u8>) -> ClientError {
    client_error(|message3| {
        let (_, signature) = message3.split_at(message3.len() - SIGNATURE);
        let body = message3[..message3.len() - signature.len()].to_vec();
        let body = alter(body);
        *message3 = append_signature(body.clone(), &key(KEY_1024).sign(&body).unwrap());
    })
}

/// r and s with their lengths, with q of 160 bits; the seeds are such that neither begins with a zero octet.
const SIGNATURE: usize = 2 * (4 + 20);

/// Challenges and address at the end of a body.
const CHALLENGES_AND_ADDRESS: usize = 3 * 16;

/// Message 2 with a group and a public value of one's own choice.
fn message2(p: &[u8], g: &[u8], y: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    for number in [p, g, y] {
        put_mpint(&mut message, number);
    }
    message.extend([7; 16]);
    message
}

fn below_p(difference: u8) -> Vec<u8> {
    let p = U2048::from_be_slice(&group_prime());
    p.wrapping_sub(&U2048::from_u8(difference)).to_be_bytes().as_slice().to_vec()
}

#[test]
fn both_sides_come_to_the_same_keys_with_either_size_of_key() {
    for pem in [KEY_1024, KEY_2048] {
        let mut pair = pair(pem, 1);
        let command = pair.client.control.seal(b"USER alice\r\n").unwrap();
        assert_eq!(pair.server.control.open(&command).unwrap().line, b"USER alice");
        let reply = pair.server.control.seal(b"331 Password.\r\n").unwrap();
        assert_eq!(pair.client.control.open(&reply).unwrap().line, b"331 Password.");
    }
}

#[test]
fn the_client_sees_the_key_that_the_server_will_have_to_prove() {
    let (_, message1) = server::begin(key(KEY_2048));
    let (awaiting, _) = client::begin(&message1, &mut rng(1)).unwrap();
    assert_eq!(awaiting.server_key(), key(KEY_2048).public_key());
}

#[test]
fn every_exchange_has_its_own_keys_and_challenges() {
    let (_, message1) = server::begin(key(KEY_1024));
    let [one, another] = [1, 2].map(|seed| client::begin(&message1, &mut rng(seed)).unwrap().1);
    assert_ne!(one, another);
    let [one, another] = [1, 2].map(|seed| {
        let message2 = write_message2(&[2], [0; 16]);
        awaiting_key().answer(&message2, home(), &mut rng(seed)).unwrap().1
    });
    assert_ne!(one, another);
}

#[test]
fn the_steps_can_be_done_in_another_thread() {
    fn movable<T: Send + 'static>(_: &T) {}
    let (client, proof, message3) = answered(home());
    movable(&awaiting_key());
    movable(&client);
    movable(&proof);
    movable(&client.finish(&message3, home()));
}

#[test]
fn a_group_of_the_clients_choice_is_refused() {
    let p = group_prime();
    assert!(answer(&message2(&p, &[2], &[2])).is_ok());
    assert_eq!(rejection(&message2(&p, &[3], &[2])), Rejected::ForeignGroup);
    assert_eq!(rejection(&message2(&p, &[], &[2])), Rejected::ForeignGroup);
    assert_eq!(rejection(&message2(&[23], &[2], &[3])), Rejected::ForeignGroup);
    assert_eq!(rejection(&message2(&below_p(2), &[2], &[2])), Rejected::ForeignGroup);
}

#[test]
fn a_public_value_that_leads_to_a_known_key_is_refused() {
    let p = group_prime();
    for y in [vec![], vec![1], below_p(1), p.to_vec()] {
        assert_eq!(rejection(&message2(&p, &[2], &y)), Rejected::WeakPublicValue, "{y:?}");
    }
    for y in [vec![2], below_p(2)] {
        assert!(answer(&message2(&p, &[2], &y)).is_ok(), "{y:?}");
    }
}

#[test]
fn a_message_2_that_is_too_short_or_too_long_is_malformed() {
    let whole = message2(&group_prime(), &[2], &[2]);
    for end in 0..whole.len() {
        assert_eq!(rejection(&whole[..end]), Rejected::Malformed(Malformed));
    }
    assert_eq!(rejection(&[whole, vec![0]].concat()), Rejected::Malformed(Malformed));
    let long = message2(&group_prime(), &[2], &[1; 257]);
    assert_eq!(rejection(&long), Rejected::Malformed(Malformed));
}

#[test]
fn a_proof_of_other_keys_or_another_challenge_is_refused() {
    let (_, proof, _) = answered(home());
    assert_eq!(proof.finish(&[0; 24]).unwrap_err(), Rejected::WrongProof);
    let (client, proof, message3) = answered(home());
    let (_, mut message4) = client.finish(&message3, home()).unwrap();
    message4[15] ^= 1;
    assert_eq!(proof.finish(&message4).unwrap_err(), Rejected::WrongProof);
}

#[test]
fn a_proof_of_another_length_is_malformed() {
    for length in [0, 16, 23, 25, 32] {
        let (_, proof, _) = answered(home());
        assert_eq!(proof.finish(&vec![0; length]).unwrap_err(), Rejected::Malformed(Malformed));
    }
}

#[test]
fn a_message_1_without_an_acceptable_key_ends_the_clients_exchange() {
    let error = client::begin(b"nonsense", &mut rng(1)).unwrap_err();
    assert_eq!(error, ClientError::ServerKey(KeyError::Malformed));
}

#[test]
fn a_body_that_was_altered_has_no_signature() {
    let (.., message3) = answered(home());
    let body = message3.len() - SIGNATURE;
    // The lengths of C1 and C2 are a matter of form; any other octet of the body is one of the signature.
    for place in [4, 200, body - 48, body - 32, body - 1, body + 10, body + 40] {
        assert_eq!(client_error(|message3| message3[place] ^= 1), ClientError::BadSignature, "octet {place}");
    }
}

#[test]
fn another_servers_signature_is_refused() {
    let (client, _, message3) = answered(home());
    let body = message3[..message3.len() - SIGNATURE].to_vec();
    let forged = append_signature(body.clone(), &key(KEY_2048).sign(&body).unwrap());
    assert_eq!(client.finish(&forged, home()).unwrap_err(), ClientError::BadSignature);
}

#[test]
fn an_answer_to_another_exchange_is_refused() {
    let (_, message1) = server::begin(key(KEY_1024));
    let (client, _) = client::begin(&message1, &mut rng(77)).unwrap();
    let (.., message3) = answered(home());
    assert_eq!(client.finish(&message3, home()).unwrap_err(), ClientError::NotOurChallenge);
}

#[test]
fn a_redirected_client_says_what_to_do() {
    let elsewhere = address("198.51.100.9");
    let (client, _, message3) = answered(elsewhere);
    let error = client.finish(&message3, home()).unwrap_err();
    assert_eq!(error, ClientError::Redirected { signed: elsewhere, dialled: home() });
    let text = error.to_string();
    for part in ["redirection check", HOME, "198.51.100.9", "external address"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_client_that_dialled_the_ipv4_mapped_address_accepts_the_ipv4_address() {
    let (client, proof, message3) = answered(home());
    let (_, message4) = client.finish(&message3, address("::ffff:192.0.2.1")).unwrap();
    assert!(proof.finish(&message4).is_ok());
}

#[test]
fn a_ciphertext_out_of_range_is_no_master_key_even_if_signed() {
    let p = group_prime();
    for [c1, c2] in [[vec![1], vec![2]], [below_p(1), vec![2]], [vec![2], vec![]], [vec![2], p.to_vec()]] {
        let error = signed_body(|body| {
            let mut altered = message2(&c1, &c2, &[]);
            altered.truncate(altered.len() - 16 - 4);
            altered.extend_from_slice(&body[body.len() - CHALLENGES_AND_ADDRESS..]);
            altered
        });
        assert_eq!(error, ClientError::BadMasterKey, "{c1:?} {c2:?}");
    }
}

#[test]
fn a_master_key_of_more_than_40_octets_is_none_even_if_signed() {
    let error = signed_body(|mut body| {
        let last_of_c2 = body.len() - CHALLENGES_AND_ADDRESS - 1;
        body[last_of_c2] ^= 1;
        body
    });
    assert_eq!(error, ClientError::BadMasterKey);
}

#[test]
fn the_first_fault_of_message_3_is_the_one_reported() {
    let (client, _, message3) = answered(address("198.51.100.9"));
    let mut altered = message3;
    altered[10] ^= 1;
    assert_eq!(client.finish(&altered, home()).unwrap_err(), ClientError::BadSignature);
    let (_, message1) = server::begin(key(KEY_1024));
    let (client, _) = client::begin(&message1, &mut rng(77)).unwrap();
    let (.., message3) = answered(address("198.51.100.9"));
    assert_eq!(client.finish(&message3, home()).unwrap_err(), ClientError::NotOurChallenge);
}

#[test]
fn a_message_3_that_is_too_short_or_too_long_is_malformed() {
    let (.., whole) = answered(home());
    for end in (0..whole.len()).step_by(7) {
        assert_eq!(client_error(|message3| message3.truncate(end)), ClientError::Malformed(Malformed));
    }
    assert_eq!(client_error(|message3| message3.push(0)), ClientError::Malformed(Malformed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn arbitrary_octets_end_the_exchange(octets in proptest::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(client::begin(&octets, &mut rng(1)).is_err());
        prop_assert!(answer(&octets).is_err());
        let (client, proof, _) = answered(home());
        prop_assert!(client.finish(&octets, home()).is_err());
        prop_assert!(proof.finish(&octets).is_err());
    }

    #[test]
    fn a_flipped_bit_of_message_3_ends_the_exchange(at in any::<prop::sample::Index>()) {
        let (client, _, mut message3) = answered(home());
        let bit = at.index(message3.len() * 8);
        message3[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(client.finish(&message3, home()).is_err());
    }

    #[test]
    fn a_flipped_bit_of_message_4_ends_the_exchange(at in 0..24 * 8usize) {
        let (client, proof, message3) = answered(home());
        let (_, mut message4) = client.finish(&message3, home()).unwrap();
        message4[at / 8] ^= 1 << (at % 8);
        prop_assert!(proof.finish(&message4).is_err());
    }
}

#[test]
fn one_key_serves_many_exchanges_at_once() {
    let key = key(KEY_1024);
    let (one, _) = server::begin(Arc::clone(&key));
    let (another, message1) = server::begin(key);
    let (client, message2) = client::begin(&message1, &mut rng(1)).unwrap();
    drop(one);
    let (proof, message3) = another.answer(&message2, home(), &mut rng(2)).unwrap();
    let (_, message4) = client.finish(&message3, home()).unwrap();
    assert!(proof.finish(&message4).is_ok());
}
