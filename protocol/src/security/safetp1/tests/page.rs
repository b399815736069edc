//! The worked vectors of `docs/x-safetp1.md` are those of the file.

use serde_json::Value;
use sha1::{Digest, Sha1};

use super::super::{messages::Message3, wire_profile::GROUP_P};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/x-safetp1.md");

const FILE: &str = include_str!("../../../../testdata/x-safetp1/vectors.json");

/// Name of a value on the page, and its place in the file.
const ENTRIES: [(&str, &str); 73] = [
    ("mk", "/server/master_key"),
    ("client-control-3des-key", "/keys/client-control-3des-key"),
    ("server-control-3des-key", "/keys/server-control-3des-key"),
    ("client-control-3des-iv", "/keys/client-control-3des-iv"),
    ("server-control-3des-iv", "/keys/server-control-3des-iv"),
    ("client-data-3des-key", "/keys/client-data-3des-key"),
    ("server-data-3des-key", "/keys/server-data-3des-key"),
    ("client-shahmac-key", "/keys/client-shahmac-key"),
    ("server-shahmac-key", "/keys/server-shahmac-key"),
    ("server-challenge", "/server/challenge"),
    ("message 4", "/messages/4"),
    ("server-IP", "/server/address_octets"),
    ("SHA(body)", "/signature/sha1_of_body"),
    ("r", "/signature/r"),
    ("s", "/signature/s"),
    ("fingerprint", "/dsa/fingerprint"),
    ("C0 IV", "/control/0/iv"),
    ("C0 message", "/control/0/message"),
    ("C0 wire", "/control/0/wire"),
    ("C1 IV", "/control/2/iv"),
    ("C1 message", "/control/2/message"),
    ("C1 wire", "/control/2/wire"),
    ("S0 IV", "/control/1/iv"),
    ("S0 message", "/control/1/message"),
    ("S0 wire", "/control/1/wire"),
    ("S2 wire", "/control/5/wire"),
    ("S3 wire", "/control/6/wire"),
    ("S4 wire", "/control/7/wire"),
    ("P payload", "/data/0/blocks/0/payload"),
    ("P IV", "/data/0/blocks/0/iv"),
    ("P length", "/data/0/blocks/0/length"),
    ("P block", "/data/0/blocks/0/block"),
    ("P end IV", "/data/0/blocks/3/iv"),
    ("P end length", "/data/0/blocks/3/length"),
    ("P end block", "/data/0/blocks/3/block"),
    ("S payload", "/data/2/blocks/0/payload"),
    ("S length", "/data/2/blocks/0/length"),
    ("S block", "/data/2/blocks/0/block"),
    ("S end length", "/data/2/blocks/3/length"),
    ("S end block", "/data/2/blocks/3/block"),
    ("P full SHA-256", "/data/0/blocks/2/block_sha256"),
    ("S12 IV", "/control/20/iv"),
    ("S12 message", "/control/20/message"),
    ("S12 wire", "/control/20/wire"),
    ("S13 IV", "/control/22/iv"),
    ("S13 message", "/control/22/message"),
    ("S13 wire", "/control/22/wire"),
    ("U payload", "/data/1/blocks/0/payload"),
    ("U IV", "/data/1/blocks/0/iv"),
    ("U length", "/data/1/blocks/0/length"),
    ("U block", "/data/1/blocks/0/block"),
    ("U full SHA-256", "/data/1/blocks/2/block_sha256"),
    ("U end IV", "/data/1/blocks/3/iv"),
    ("U end length", "/data/1/blocks/3/length"),
    ("U end block", "/data/1/blocks/3/block"),
    ("US length", "/data/3/blocks/0/length"),
    ("US block", "/data/3/blocks/0/block"),
    ("US end length", "/data/3/blocks/3/length"),
    ("US end block", "/data/3/blocks/3/block"),
    ("N4 message", "/refused/14/octets"),
    ("C0 flags", "/refused/15/octets"),
    ("C0 number", "/refused/17/octets"),
    ("C0 LF", "/refused/18/octets"),
    ("C0 padding", "/refused/19/octets"),
    ("C0 HMAC", "/refused/20/octets"),
    ("B end", "/refused/21/octets"),
    ("B empty", "/refused/22/octets"),
    ("B flags", "/refused/23/octets"),
    ("B number", "/refused/25/octets"),
    ("B padding", "/refused/27/octets"),
    ("BS end", "/refused/30/octets"),
    ("BS empty", "/refused/31/octets"),
    ("BS transfer", "/refused/34/octets"),
];

/// Message 3 whose M is too large, of which the page has the parts.
const TOO_LARGE: &str = "/refused/4/octets";

/// `name = value` of every indented line after the heading.
fn entries() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, section) = page.split_once("\n## 9. Worked vectors\n").expect("the page has its vectors");
    let entry = |line: &str| line.split_once(" = ").map(|(name, value)| (name.trim().into(), value.trim().into()));
    section.lines().filter_map(|line| line.strip_prefix("    ")).filter_map(entry).collect()
}

fn expected() -> Vec<(String, String)> {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let value = |pointer: &str| file["cases"][0].pointer(pointer).unwrap().as_str().unwrap().trim_end().to_string();
    let mut all = Vec::from(ENTRIES.map(|(name, pointer)| (name.into(), value(pointer))));
    let octets = hex::decode(value(TOO_LARGE)).unwrap();
    let message = Message3::read(&octets).unwrap();
    let hash = Sha1::digest(message.body);
    let parts = [("C2", message.c2), ("SHA(body)", &hash[..]), ("r", message.r), ("s", message.s)];
    all.extend(parts.map(|(name, octets)| (format!("N3 {name}"), hex::encode(octets))));
    all
}

#[test]
fn the_page_prints_the_group() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let joined: String = page.split_whitespace().collect::<String>().to_ascii_lowercase();
    assert!(joined.contains(GROUP_P));
}

#[test]
fn the_page_names_what_must_be_refused_by_what_the_file_has_there() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    assert_eq!(file["cases"][0].pointer("/refused/4/name").unwrap(), "M = 2^320");
}

#[test]
fn the_pages_numbers_are_those_of_the_file() {
    let (mut page, mut file) = (entries(), expected());
    page.sort_unstable();
    file.sort_unstable();
    assert_eq!(page, file);
}
