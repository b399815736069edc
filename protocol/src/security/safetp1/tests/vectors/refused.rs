//! Creates what a receiver must refuse: with the right keys, so that nothing but the one fault is wrong with it.

use crypto_bigint::U256;

use super::{
    super::{
        super::{
            elgamal::{Element, encrypt_number, group_prime},
            keys::{MasterKey, SessionKeys, SideKeys, make_keys},
            messages::{Message2, Message3, append_signature, write_message2},
            wire_profile::put_mpint,
        },
        key,
    },
    file::{Level, Place, Refused, Side, unhex},
    make::{self, Plan},
    words::{encrypted, iv, padded, signed},
};

/// The case's genuine messages, and what they were made with.
pub(super) struct Genuine<'a> {
    pub(super) m2: &'a [u8],
    pub(super) m3: &'a [u8],
    pub(super) m4: &'a [u8],
    pub(super) k: &'a [u8; 32],
    pub(super) keys: &'a SessionKeys,
}

/// The transfer whose first block is forged.
const TRANSFER: u32 = 20;
const PBSZ: u32 = 1024;

pub(super) fn all(plan: &Plan, genuine: &Genuine<'_>) -> Vec<Refused> {
    let mut all = messages2(genuine.m2);
    all.extend(messages3(plan, genuine));
    all.extend(messages4(genuine));
    for to in [Side::Server, Side::Client] {
        all.extend(lines(to, genuine));
        all.extend(private_blocks(to, genuine.keys));
        all.extend(safe_blocks(to, genuine.keys));
    }
    all
}

fn refused(name: &str, to: Side, place: Place, octets: &[u8]) -> Refused {
    Refused { name: name.into(), to, place, octets: hex::encode(octets) }
}

fn messages2(genuine: &[u8]) -> Vec<Refused> {
    let message = Message2::read(genuine).unwrap();
    let with_y = |y: &[u8]| write_message2(y, message.client_challenge);
    let mut other_group = Vec::new();
    for number in [&group_prime()[..], &[3], message.public] {
        put_mpint(&mut other_group, number);
    }
    other_group.extend(message.client_challenge);
    let wrong = [
        ("Y = 1", with_y(&[1])),
        ("Y = P - 1", with_y(&below_p())),
        ("G = 3", other_group),
        ("an octet after the end", [genuine, &[0]].concat()),
    ];
    wrong.map(|(name, octets)| refused(name, Side::Server, Place::Message2, &octets)).into()
}

fn below_p() -> [u8; 256] {
    let mut p = group_prime();
    p[255] -= 1;
    p
}

fn messages3(plan: &Plan, genuine: &Genuine<'_>) -> Vec<Refused> {
    let message = Message3::read(genuine.m3).unwrap();
    let tail = &message.body[message.body.len() - 48..];
    let body = |c1: &[u8], c2: &[u8], tail: &[u8]| {
        let mut body = Vec::new();
        put_mpint(&mut body, c1);
        put_mpint(&mut body, c2);
        [body, tail.to_vec()].concat()
    };
    let sign = |body: Vec<u8>| {
        let signature = key(plan.pem).sign(&body).unwrap();
        append_signature(body, &signature)
    };
    let ciphertext = |c1: &[u8], c2: &[u8]| sign(body(c1, c2, tail));
    let [other_challenge, other_ip] = [0, 47].map(|place| {
        let mut tail = tail.to_vec();
        tail[place] ^= 1;
        sign(body(message.c1, message.c2, &tail))
    });
    let mut other_signature = genuine.m3.to_vec();
    *other_signature.last_mut().unwrap() ^= 1;
    let [c1, c2] = encrypt_number(&two_to_the_320(), public(genuine), &U256::from_be_slice(genuine.k)).octets();
    assert_eq!(c1.strip_prefix(&[0][..]).unwrap_or(&c1), message.c1);
    let wrong = [
        ("M = 2^320", ciphertext(&c1, &c2)),
        ("another client-challenge", other_challenge),
        ("another server-IP", other_ip),
        ("C1 = 1", ciphertext(&[1], message.c2)),
        ("C1 = P - 1", ciphertext(&below_p(), message.c2)),
        ("C2 = 0", ciphertext(message.c1, &[])),
        ("C2 = P", ciphertext(message.c1, &group_prime())),
        ("another s", other_signature),
        ("an octet after the end", [genuine.m3, &[0]].concat()),
    ];
    wrong.map(|(name, octets)| refused(name, Side::Client, Place::Message3, &octets)).into()
}

fn public(genuine: &Genuine<'_>) -> Element {
    Element::new(Message2::read(genuine.m2).unwrap().public).unwrap()
}

/// The least M that no master key is.
fn two_to_the_320() -> [u8; 256] {
    let mut m = [0; 256];
    m[255 - 40] = 1;
    m
}

fn messages4(genuine: &Genuine<'_>) -> Vec<Refused> {
    let SideKeys { control_3des_key, control_3des_iv, .. } = &genuine.keys.client;
    let challenge = Message3::read(genuine.m3).unwrap().server_challenge;
    let seal = |challenge: [u8; 16], padding: [u8; 8]| {
        encrypted(control_3des_key, *control_3des_iv, [&challenge[..], &padding].concat())
    };
    assert_eq!(seal(challenge, [8; 8]), genuine.m4, "with nothing wrong it is the genuine one");
    let mut other = challenge;
    other[15] ^= 1;
    let wrong = [
        ("another server-challenge", seal(other, [8; 8])),
        ("another padding", seal(challenge, [7, 8, 8, 8, 8, 8, 8, 8])),
    ];
    wrong.map(|(name, octets)| refused(name, Side::Server, Place::Message4, &octets)).into()
}

/// A line in place of the first one after 235.
fn lines(to: Side, genuine: &Genuine<'_>) -> Vec<Refused> {
    let (keys, line, first_iv, other_flags) = match to {
        Side::Server => (&genuine.keys.client, "USER alice\r\n", *genuine.m4.last_chunk().unwrap(), 0x0a),
        Side::Client => (&genuine.keys.server, "331 Password.\r\n", genuine.keys.server.control_3des_iv, 0x08),
    };
    let x = |line: &str, flags: u8, number: u32| [line.as_bytes(), &[flags], &number.to_be_bytes()].concat();
    let seal = |padded| encrypted(&keys.control_3des_key, first_iv, padded);
    let whole = |x: &[u8]| seal(padded(signed(keys, x)));
    let wrong = [
        (format!("flags {other_flags:02x}"), whole(&x(line, other_flags, 0))),
        ("flags 03".into(), whole(&x(line, 0x03, 0))),
        ("sequence-# 1".into(), whole(&x(line, 0x02, 1))),
        ("an LF inside of the line".into(), whole(&x(&format!("{}\n{line}", line.trim_end()), 0x02, 0))),
        ("another padding".into(), seal(ill_padded(signed(keys, &x(line, 0x02, 0))))),
        ("another HMAC".into(), seal(padded(ill_signed(keys, &x(line, 0x02, 0))))),
    ];
    wrong.map(|(name, octets)| refused(&name, to, Place::Control, &octets)).into()
}

/// Its last octet is right, the one before it is not.
fn ill_padded(x: Vec<u8>) -> Vec<u8> {
    let mut padded = padded(x);
    assert!(padded.last().is_some_and(|pad| *pad > 1), "there is another octet of padding");
    let before_last = padded.len() - 2;
    padded[before_last] ^= 0x10;
    padded
}

fn ill_signed(keys: &SideKeys, x: &[u8]) -> Vec<u8> {
    let mut signed = signed(keys, x);
    *signed.last_mut().unwrap() ^= 1;
    signed
}

fn x(payload: &[u8], transfer: u32, flags: u8, number: u32) -> Vec<u8> {
    [payload, &transfer.to_be_bytes(), &[flags], &number.to_be_bytes()].concat()
}

fn sender(to: Side, keys: &SessionKeys) -> &SideKeys {
    match to {
        Side::Server => &keys.client,
        Side::Client => &keys.server,
    }
}

fn private_blocks(to: Side, keys: &SessionKeys) -> Vec<Refused> {
    let keys = sender(to, keys);
    let seal = |padded| encrypted(&keys.data_3des_key, iv(keys, TRANSFER, 0), padded);
    let whole = |x: &[u8]| seal(padded(signed(keys, x)));
    let genuine = x(b"payload", TRANSFER, 0x03, 0);
    let wrong = [
        ("the end with a payload", whole(&x(b"payload", TRANSFER, 0x07, 0))),
        ("no end and no payload", whole(&x(b"", TRANSFER, 0x03, 0))),
        ("the flags of PROT S", whole(&x(b"payload", TRANSFER, 0x01, 0))),
        ("the flags of a control message", whole(&x(b"payload", TRANSFER, 0x02, 0))),
        ("block-# 1", whole(&x(b"payload", TRANSFER, 0x03, 1))),
        ("another transfer-#", whole(&x(b"payload", TRANSFER + 1, 0x03, 0))),
        ("another padding", seal(ill_padded(signed(keys, &genuine)))),
        ("another HMAC", seal(padded(ill_signed(keys, &genuine)))),
        ("a cipher block less", whole(&genuine)[8..].to_vec()),
    ];
    let place = || Place::Block { transfer: TRANSFER, level: Level::P, pbsz: PBSZ };
    wrong.map(|(name, octets)| refused(name, to, place(), &octets)).into()
}

fn safe_blocks(to: Side, keys: &SessionKeys) -> Vec<Refused> {
    let keys = sender(to, keys);
    let genuine = x(b"payload", TRANSFER, 0x01, 0);
    let wrong = [
        ("the end with a payload", signed(keys, &x(b"payload", TRANSFER, 0x05, 0))),
        ("no end and no payload", signed(keys, &x(b"", TRANSFER, 0x01, 0))),
        ("the flags of PROT P", signed(keys, &x(b"payload", TRANSFER, 0x03, 0))),
        ("block-# 1", signed(keys, &x(b"payload", TRANSFER, 0x01, 1))),
        ("another transfer-#", signed(keys, &x(b"payload", TRANSFER + 1, 0x01, 0))),
        ("another HMAC", ill_signed(keys, &genuine)),
    ];
    let place = || Place::Block { transfer: TRANSFER, level: Level::S, pbsz: PBSZ };
    wrong.map(|(name, octets)| refused(name, to, place(), &octets)).into()
}

#[test]
fn without_its_fault_a_forged_line_is_the_genuine_one() {
    for case in make::file().cases {
        let keys = make_keys(&MasterKey::new(unhex(&case.server.master_key).try_into().unwrap()));
        for message in &case.control {
            let keys = message.from.of(&keys);
            let flags = unhex(&message.flags);
            let x = [message.line.as_bytes(), &flags, &message.number.to_be_bytes()].concat();
            let iv = unhex(&message.iv).try_into().unwrap();
            let forged = encrypted(&keys.control_3des_key, iv, padded(signed(keys, &x)));
            assert_eq!(hex::encode(forged), message.sealed, "{}", message.line);
        }
    }
}
