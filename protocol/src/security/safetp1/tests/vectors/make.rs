//! Makes the vectors: every secret and every nonce is the SHA-256 of what it is called.

use std::{convert::Infallible, net::IpAddr};

use base64::{Engine, prelude::BASE64_STANDARD};
use rand_core::{TryCryptoRng, TryRng};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{
    super::{KEY_1024, KEY_2048, address as parse_address, key},
    file::{
        Blocks, Case, Client, DataBlock, Dsa, File, Group, Keys, Level, Message, Messages, Server, Side, Signature,
        unhex,
    },
    refused, words,
};
use crate::security::safetp1::{
    Control, Secured, ServerIp, client,
    elgamal::group_prime,
    keys::{MasterKey, SessionKeys, make_keys},
    messages::{Message2, Message3},
    server,
};

const ABOUT: &str = "X-SafeTP1 with known keys and nonces; see docs/x-safetp1.md section 9. Octets and numbers are \
                     hexadecimal, big-endian. Messages of `control` go in the order of each side; every transfer of \
                     `data` begins with block 0. Each of `refused` comes in place of what is genuine there, and must \
                     be refused.";

/// A source of the octets that it was given, and of nothing else.
pub(super) struct Draws(Vec<u8>);

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0.drain(..out.len()).collect::<Vec<_>>());
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

pub(super) fn client_draws(case: &Case) -> Draws {
    Draws(unhex(&[case.client.x.as_str(), &case.client.challenge].concat()))
}

pub(super) fn server_draws(case: &Case) -> Draws {
    let Server { master_key, k, challenge, .. } = &case.server;
    Draws(unhex(&[master_key.as_str(), k, challenge].concat()))
}

pub(super) fn address(case: &Case) -> ServerIp {
    parse_address(&case.server.address)
}

pub(super) fn file() -> File {
    File {
        about: ABOUT.into(),
        group: Group { p: hex::encode(group_prime()), g: "02".into() },
        cases: vec![
            case(&Plan { name: "2048 bits, IPv4", pem: KEY_2048, address: "192.0.2.10", x: "X", zeros: 0 }),
            // Of this X the Y begins with a zero octet, and so does the master key.
            case(&Plan { name: "1024 bits, IPv6", pem: KEY_1024, address: "2001:db8::10", x: SHORT_Y, zeros: 2 }),
        ],
    }
}

/// Name of the X whose Y has 255 octets.
const SHORT_Y: &str = "X 93";

pub(super) struct Plan {
    pub(super) name: &'static str,
    pub(super) pem: &'static str,
    address: &'static str,
    /// Name of X.
    x: &'static str,
    /// Zero octets at the beginning of the master key.
    zeros: usize,
}

/// N octets that belong to what they are called.
fn octets<const N: usize>(case: &str, name: &str) -> [u8; N] {
    let block = |number: u8| Sha256::digest(format!("x-safetp1 vectors: {case}: {name}: {number}"));
    let all: Vec<u8> = (0..2).flat_map(block).take(N).collect();
    all.try_into().unwrap()
}

fn case(plan: &Plan) -> Case {
    let [x, k] = [plan.x, "k"].map(|name| octets::<32>(plan.name, name));
    let [client_challenge, server_challenge] =
        ["client-challenge", "server-challenge"].map(|name| octets::<16>(plan.name, name));
    let mut master_key = octets::<40>(plan.name, "master-key");
    master_key[..plan.zeros].fill(0);
    let ip = parse_address(plan.address);

    let (awaiting_key, m1) = server::begin(key(plan.pem));
    let mut draws = Draws([&x[..], &client_challenge].concat());
    let (awaiting_answer, m2) = client::begin(&m1, &mut draws).unwrap();
    let mut draws = Draws([&master_key[..], &k, &server_challenge].concat());
    let (awaiting_proof, m3) = awaiting_key.answer(&m2, ip, &mut draws).unwrap();
    let (mut client, m4) = awaiting_answer.finish(&m3, ip).unwrap();
    let mut server = awaiting_proof.finish(&m4).unwrap();
    let keys = make_keys(&MasterKey::new(master_key));

    Case {
        refused: refused::all(plan, &refused::Genuine { m2: &m2, m3: &m3, m4: &m4, k: &k, keys: &keys }),
        name: plan.name.into(),
        dsa: dsa_numbers(plan.pem),
        client: Client {
            x: hex::encode(x),
            challenge: hex::encode(client_challenge),
            y: hex::encode(Message2::read(&m2).unwrap().public),
        },
        server: Server {
            master_key: hex::encode(master_key),
            k: hex::encode(k),
            challenge: hex::encode(server_challenge),
            address: plan.address.into(),
            address_octets: hex::encode(ip.octets()),
        },
        signature: signature(&Message3::read(&m3).unwrap()),
        control: control(&mut client.control, &mut server.control, &keys, &m4),
        data: data(&client, &server, &keys),
        keys: Keys::new(&keys),
        messages: Messages { m1: hex::encode(m1), m2: hex::encode(m2), m3: hex::encode(m3), m4: hex::encode(m4) },
    }
}

fn dsa_numbers(pem: &str) -> Dsa {
    let key: dsa::SigningKey = pkcs8::DecodePrivateKey::from_pkcs8_pem(pem).unwrap();
    let public = key.verifying_key();
    let components = public.components();
    Dsa {
        p: number(components.p()),
        q: number(components.q()),
        g: number(components.g()),
        y: number(public.y()),
        x: number(key.x()),
        fingerprint: super::super::key(pem).public_key().fingerprint().to_string(),
    }
}

/// Without leading zero octets.
fn number(n: &dsa::BoxedUint) -> String {
    let octets = n.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    hex::encode(&octets[zeros..])
}

fn signature(message3: &Message3<'_>) -> Signature {
    Signature {
        body: hex::encode(message3.body),
        sha1_of_body: hex::encode(Sha1::digest(message3.body)),
        r: hex::encode(message3.r),
        s: hex::encode(message3.s),
    }
}

/// A session: the client's lines, and the server's.
const LINES: [(Side, &str); 23] = [
    (Side::Client, "USER alice\r\n"),
    (Side::Server, "331 Password.\r\n"),
    (Side::Client, "PASS secret\r\n"),
    (Side::Server, "230 Welcome.\r\n"),
    (Side::Client, "FEAT\r\n"),
    (Side::Server, "211-Features:\r\n"),
    (Side::Server, " MLST type*;size*;modify*;\r\n"),
    (Side::Server, "211 End\r\n"),
    (Side::Client, "PBSZ 65536\r\n"),
    (Side::Server, "200 PBSZ=65536\r\n"),
    (Side::Client, "PROT P\r\n"),
    (Side::Server, "200 Private.\r\n"),
    (Side::Client, "EPSV\r\n"),
    (Side::Server, "229 Entering Extended Passive Mode (|||40000|)\r\n"),
    (Side::Client, "RETR a.txt\r\n"),
    (Side::Server, "150 Here it comes.\r\n"),
    (Side::Server, "226 Done.\r\n"),
    (Side::Client, "STOR b.txt\r\n"),
    (Side::Server, "150 Send it.\r\n"),
    (Side::Server, "226 Done.\r\n"),
    (Side::Server, IN_THE_CLEAR),
    (Side::Client, "NOOP\r\n"),
    (Side::Server, "200 Nothing done.\r\n"),
];

/// The answer to a command that was sent in the clear.
const IN_THE_CLEAR: &str = "533 This session is protected.\r\n";

fn control(client: &mut Control, server: &mut Control, keys: &SessionKeys, m4: &[u8]) -> Vec<Message> {
    let mut ivs = [last_block(m4), hex::encode(keys.server.control_3des_iv)];
    LINES
        .into_iter()
        .map(|(from, line)| {
            let [client_iv, server_iv] = &mut ivs;
            let (control, iv) =
                if from == Side::Client { (&mut *client, client_iv) } else { (&mut *server, server_iv) };
            let number = control.next_sealed();
            let answers_clear = line == IN_THE_CLEAR;
            let seal = if answers_clear { Control::seal_answer_to_clear } else { Control::seal };
            let sealed = seal(control, line.as_bytes()).unwrap();
            let iv = std::mem::replace(iv, last_block(&sealed));
            let wire = format!("{}{}\r\n", front(from, line), BASE64_STANDARD.encode(&sealed));
            let flags = if answers_clear { "0a" } else { "02" }.into();
            Message { from, number, flags, line: line.into(), iv, sealed: hex::encode(sealed), wire }
        })
        .collect()
}

/// Text before the base64: a line that is not the last of its reply goes as `632-`.
fn front(from: Side, line: &str) -> &'static str {
    let last = line.as_bytes().first().is_some_and(u8::is_ascii_digit) && line.as_bytes().get(3) == Some(&b' ');
    match (from, last) {
        (Side::Client, _) => "ENC ",
        (Side::Server, true) => "632 ",
        (Side::Server, false) => "632-",
    }
}

fn last_block(message: &[u8]) -> String {
    hex::encode(&message[message.len() - 8..])
}

/// Transfer 6 is the RETR, 7 the STOR; the others show what the sizes lead to.
fn data(client: &Secured, server: &Secured, keys: &SessionKeys) -> Vec<Blocks> {
    let both = |transfer, level, pbsz, payloads: &[usize]| {
        let download = blocks(Side::Server, server, transfer, (level, pbsz), payloads, keys);
        let upload = blocks(Side::Client, client, transfer + 1, (level, pbsz), payloads, keys);
        [download, upload]
    };
    [
        both(6, Level::P, 65536, &[12, 100, 65506]),
        both(8, Level::S, 65536, &[12, 100, 65507]),
        both(10, Level::P, 64, &[34, 1]),
        both(12, Level::S, 64, &[35, 1]),
        both(14, Level::P, 71, &[]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn blocks(
    from: Side,
    secured: &Secured,
    transfer: u32,
    (level, pbsz): (Level, u32),
    payloads: &[usize],
    keys: &SessionKeys,
) -> Blocks {
    let mut blocks = Blocks { from, transfer, level, pbsz, all: Vec::new() };
    let (number, _, size) = super::transfer(&blocks);
    let mut sealer = secured.data.sealer(number, level.into(), size);
    let ends = payloads.iter().map(|_| false).chain([true]);
    for ((length, end), number) in payloads.iter().copied().chain([0]).zip(ends).zip(0..) {
        let payload: Vec<u8> = (0..=250).cycle().take(length).collect();
        let mut wire = Vec::new();
        if end {
            sealer.finish(&mut wire).unwrap();
        } else {
            sealer.seal(&payload, &mut wire).unwrap();
        }
        let iv = (level == Level::P).then(|| iv(from, transfer, number, keys));
        blocks.all.push(data_block(number, end, &payload, iv, &wire));
    }
    blocks
}

fn iv(from: Side, transfer: u32, number: u32, keys: &SessionKeys) -> String {
    hex::encode(words::iv(from.of(keys), transfer, number))
}

fn data_block(number: u32, end: bool, payload: &[u8], iv: Option<String>, wire: &[u8]) -> DataBlock {
    let (length, block) = wire.split_at(4);
    let large = payload.len() > 1000;
    DataBlock {
        number,
        end,
        payload: (!large).then(|| hex::encode(payload)),
        payload_i_mod_251: large.then_some(payload.len()),
        iv,
        length: hex::encode(length),
        sealed: (!large).then(|| hex::encode(block)),
        sealed_sha256: large.then(|| hex::encode(Sha256::digest(block))),
    }
}

#[test]
fn the_short_y_is_one() {
    let case = file().cases.pop().unwrap();
    assert_eq!(unhex(&case.client.y).len(), 255);
    assert!(case.server.address.parse::<IpAddr>().unwrap().is_ipv6());
}
