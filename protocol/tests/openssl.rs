//! OpenSSL's command line agrees with the vectors of X-SafeTP1, and with the keys: nothing here computes by our own
//! code.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use dsa::pkcs8::EncodePublicKey;
use pkcs8::LineEnding;
use safetp_protocol::security::safetp1::{KeyError, SigningKey};
use serde_json::Value;

/// Output of the command, if it has succeeded.
fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openssl is needed for this test: tests/setup installs it");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn sha1(octets: &[u8]) -> Vec<u8> {
    openssl(&["dgst", "-sha1", "-binary"], octets)
}

fn hmac(key: &str, octets: &[u8]) -> Vec<u8> {
    openssl(&["dgst", "-sha1", "-binary", "-mac", "HMAC", "-macopt", &format!("hexkey:{key}")], octets)
}

/// 3DES-CBC without any padding of OpenSSL's.
fn des_ede3_cbc(direction: &str, key: &str, iv: &str, octets: &[u8]) -> Vec<u8> {
    openssl(&["enc", direction, "-des-ede3-cbc", "-nopad", "-K", key, "-iv", iv], octets)
}

fn cases() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/x-safetp1/vectors.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is missing"))
}

fn octets(value: &Value, pointer: &str) -> Vec<u8> {
    hex::decode(text(value, pointer)).unwrap()
}

fn number(value: &Value, name: &str) -> [u8; 4] {
    u32::try_from(value[name].as_u64().unwrap()).unwrap().to_be_bytes()
}

fn entries<'a>(case: &'a Value, name: &str) -> &'a [Value] {
    case[name].as_array().unwrap()
}

/// The sender's key of this kind.
fn key<'a>(case: &'a Value, entry: &Value, kind: &str) -> &'a str {
    text(case, &format!("/keys/{}-{kind}", text(entry, "/from")))
}

/// x, its HMAC, and padding: what is encrypted.
fn padded(case: &Value, entry: &Value, x: &[u8]) -> Vec<u8> {
    let mut plain = [x, &hmac(key(case, entry, "shahmac-key"), x)].concat();
    let padding = 8 - plain.len() % 8;
    plain.extend(vec![u8::try_from(padding).unwrap(); padding]);
    plain
}

/// `SEQUENCE { r, s }`.
fn signature_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |n: &[u8]| {
        let sign = if n[0] & 0x80 == 0 { &[][..] } else { &[0] };
        [&[2, u8::try_from(sign.len() + n.len()).unwrap()], sign, n].concat()
    };
    let numbers = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(numbers.len()).unwrap()], numbers.as_slice()].concat()
}

fn public_key_pem(case: &Value) -> String {
    let number = |name: &str| dsa::BoxedUint::from_be_slice_vartime(&octets(case, &format!("/dsa/{name}")));
    let components = dsa::Components::from_components(number("p"), number("q"), number("g")).unwrap();
    dsa::VerifyingKey::from_components(components, number("y")).unwrap().to_public_key_pem(LineEnding::LF).unwrap()
}

#[test]
fn openssl_verifies_the_signature_of_message_3() {
    let directory = tempfile::tempdir().unwrap();
    let [key, signature] = ["key.pem", "signature"].map(|name| directory.path().join(name));
    for case in cases() {
        let body = octets(&case, "/signature/body");
        std::fs::write(&key, public_key_pem(&case)).unwrap();
        std::fs::write(&signature, signature_der(&octets(&case, "/signature/r"), &octets(&case, "/signature/s")))
            .unwrap();
        let [key, signature] = [&key, &signature].map(|path| path.to_str().unwrap());
        let said = openssl(&["dgst", "-sha1", "-verify", key, "-signature", signature], &body);
        assert_eq!(String::from_utf8_lossy(&said), "Verified OK\n");
        assert!(text(&case, "/messages/3").starts_with(text(&case, "/signature/body")));
    }
}

#[test]
fn openssl_derives_the_same_keys() {
    for case in cases() {
        let master_key = octets(&case, "/server/master_key");
        let sha = |label: String| sha1(&[master_key.as_slice(), label.as_bytes()].concat());
        for side in ["client", "server"] {
            let key = |name: &str| octets(&case, &format!("/keys/{side}-{name}"));
            for kind in ["control", "data"] {
                let left = sha(format!("{side} {kind} 3des left"));
                let right = sha(format!("{side} {kind} 3des right"));
                assert_eq!(key(&format!("{kind}-3des-key")), [&left, &right[..4]].concat());
            }
            assert_eq!(key("control-3des-iv"), sha(format!("{side} control 3des iv"))[..8]);
            assert_eq!(key("shahmac-key"), sha(format!("{side} shahmac")));
        }
    }
}

#[test]
fn openssl_encrypts_message_4_alike() {
    for case in cases() {
        let plain = [octets(&case, "/server/challenge"), vec![8; 8]].concat();
        let (key, iv) = (text(&case, "/keys/client-control-3des-key"), text(&case, "/keys/client-control-3des-iv"));
        assert_eq!(des_ede3_cbc("-e", key, iv, &plain), octets(&case, "/messages/4"));
    }
}

#[test]
fn openssl_encrypts_the_control_messages_alike() {
    for case in cases() {
        for entry in entries(&case, "control") {
            let x = [text(entry, "/line").as_bytes(), &octets(entry, "/flags"), &number(entry, "number")].concat();
            let (key, iv) = (key(&case, entry, "control-3des-key"), text(entry, "/iv"));
            let message = des_ede3_cbc("-e", key, iv, &padded(&case, entry, &x));
            assert_eq!(message, octets(entry, "/message"), "{}", entry["line"]);
        }
    }
}

#[test]
fn openssl_makes_the_same_blocks() {
    for case in cases() {
        for transfer in entries(&case, "data") {
            for block in entries(transfer, "blocks").iter().filter(|block| block.get("block").is_some()) {
                assert_eq!(openssl_block(&case, transfer, block), octets(block, "/block"), "{}", block["number"]);
            }
        }
    }
}

fn openssl_block(case: &Value, transfer: &Value, block: &Value) -> Vec<u8> {
    let private = text(transfer, "/level") == "P";
    let flags = 0x01 | if private { 0x02 } else { 0 } | if block["end"] == true { 0x04 } else { 0 };
    let [transfer_number, block_number] = [number(transfer, "transfer"), number(block, "number")];
    let x = [octets(block, "/payload").as_slice(), &transfer_number, &[flags], &block_number].concat();
    let shahmac_key = key(case, transfer, "shahmac-key");
    if !private {
        return [x.as_slice(), &hmac(shahmac_key, &x)].concat();
    }
    let iv = hmac(shahmac_key, &[b"data iv".as_slice(), &transfer_number, &block_number].concat());
    assert_eq!(iv[..8], octets(block, "/iv"));
    let key = key(case, transfer, "data-3des-key");
    des_ede3_cbc("-e", key, &hex::encode(&iv[..8]), &padded(case, transfer, &x))
}

#[test]
fn a_new_key_of_openssl_is_read_and_its_public_half_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let parameters = directory.path().join("parameters.pem");
    let path = parameters.to_str().unwrap();
    let size = ["dsa_paramgen_bits:1024", "dsa_paramgen_q_bits:160"];
    openssl(
        &["genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", size[0], "-pkeyopt", size[1], "-out", path],
        b"",
    );
    let pem = openssl(&["genpkey", "-paramfile", path], b"");
    let key = SigningKey::from_pkcs8_pem(std::str::from_utf8(&pem).unwrap()).unwrap();
    let public_der = openssl(&["pkey", "-pubout", "-outform", "DER"], &pem);
    // Both end in y.
    assert!(public_der.ends_with(&key.public_key().to_wire()[4 + 128 + 4 + 20 + 4 + 128 + 4..]));
}

#[test]
fn an_rsa_key_of_openssl_is_refused() {
    let pem = String::from_utf8(openssl(&["genpkey", "-algorithm", "RSA"], b"")).unwrap();
    assert_eq!(SigningKey::from_pkcs8_pem(&pem).unwrap_err(), KeyError::Malformed);
}
