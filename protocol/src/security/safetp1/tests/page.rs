//! The worked vectors of `docs/x-safetp1.md` are those of the file.

use serde_json::Value;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/x-safetp1.md");

const FILE: &str = include_str!("../../../../testdata/x-safetp1/vectors.json");

/// What the page calls a value, and where the file has it.
const ENTRIES: [(&str, &str); 41] = [
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
];

/// `name = value` of every indented line behind the heading.
fn entries() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, section) = page.split_once("\n## 9. Worked vectors\n").expect("the page has its vectors");
    let entry = |line: &str| line.split_once(" = ").map(|(name, value)| (name.trim().into(), value.trim().into()));
    section.lines().filter_map(|line| line.strip_prefix("    ")).filter_map(entry).collect()
}

fn expected() -> Vec<(String, String)> {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let value = |pointer: &str| file["cases"][0].pointer(pointer).unwrap().as_str().unwrap().trim_end().to_string();
    ENTRIES.map(|(name, pointer)| (name.into(), value(pointer))).into()
}

#[test]
fn the_pages_numbers_are_those_of_the_file() {
    let (mut page, mut file) = (entries(), expected());
    page.sort_unstable();
    file.sort_unstable();
    assert_eq!(page, file);
}
