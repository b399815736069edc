//! Writes the seeds that the fuzzers begin from: every verb, every kind of reply, message, block and header.
//!
//! From the repository's root: `cargo run --manifest-path tests/fuzz/Cargo.toml --example seeds -- tests/fuzz/corpus`

use std::{fs, io, path::Path};

use safetp_fuzz::exchange::GENUINE;
use safetp_protocol::command::{RelayVerb, TransferVerb};

/// A reading of this many octets at a time: what the first octet of these targets says.
const PIECE: u8 = b'@';

const COMMANDS: [&str; 37] = [
    "USER alice",
    "PASS secret",
    "AUTH TLS",
    "AUTH X-SafeTP1",
    "PBSZ 0",
    "PBSZ 4294967295",
    "PROT P",
    "PROT C",
    "CCC",
    "ADAT AAAABAECAwQ=",
    "MIC AAEC",
    "CONF AAEC",
    "ENC AAECAwQFBgc=",
    "PASV",
    "EPSV",
    "EPSV ALL",
    "EPSV 2",
    "PORT 192,0,2,1,200,10",
    "EPRT |1|192.0.2.1|51210|",
    "EPRT |2|2001:db8::1|51210|",
    "TYPE A N",
    "TYPE I",
    "TYPE L 8",
    "REST 1048576",
    "ABOR",
    "FEAT",
    "HELP",
    "NOOP",
    "SYST",
    "STAT",
    "QUIT",
    "REIN",
    "SMNT /",
    "STOU",
    "LPRT 4",
    "LPSV",
    "HOST files.example.org",
];

const REPLIES: [(&str, &str); 7] = [
    ("one-line", "220 ready\r\n"),
    ("bare-code", "226\r\n"),
    ("features", "211-Features:\r\n MLST type*;size*;\r\n REST STREAM\r\n211 End\r\n"),
    ("code-inside", "211-first\r\n211-second\r\n200 not the end\r\n211 End\r\n331 next\r\n"),
    ("passive", "227 Entering Passive Mode (192,0,2,1,200,10)\r\n229 Extended (|||51210|)\r\n"),
    ("protected", "632-AAECAwQFBgc=\r\n632 AAECAwQFBgc=\r\n334 ADAT=AAAA\r\n"),
    ("no-code", "99 x\r\nabc\r\n"),
];

const LINES: [(&str, &[u8]); 6] = [
    ("telnet-abor", b"\xff\xf4\xff\xf2ABOR\r\n"),
    ("telnet-options", b"\xff\xfd\x06NOOP\r\n\xff\xfaxx\xff\xf0QUIT\r\n"),
    ("octet-255", b"DELE \xff\xff\r\n"),
    ("pipelined", b"AUTH TLS\r\nUSER alice\nPASS\r\n"),
    ("harmful", b"RETR a\rb\r\nRETR a\0b\r\n"),
    ("unfinished", b"RETR name"),
];

const HEADERS: [(&str, &[u8]); 8] = [
    ("v1-ipv4", b"PROXY TCP4 192.0.2.1 203.0.113.7 56324 21\r\nAUTH TLS\r\n"),
    ("v1-ipv6", b"PROXY TCP6 2001:db8::1 ::ffff:203.0.113.7 0 65535\r\n"),
    ("v1-unknown", b"PROXY UNKNOWN whatever\r\n"),
    ("v2-local", b"\r\n\r\n\0\r\nQUIT\n\x20\x00\0\0USER"),
    ("v2-ipv4", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xcb\0\x71\x07\xdc\x04\0\x15AUTH"),
    ("v2-tlv", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\xc0\0\x02\x01\xcb\0\x71\x07\xdc\x04\0\x15\x04\0\x01\0AUTH"),
    ("v2-unspecified", b"\r\n\r\n\0\r\nQUIT\n\x21\x00\0\x02tl"),
    ("v2-too-short", b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x0c\xc0\0\x02\x01\xcb\0\x71\x07\xdc\x04\0\x15"),
];

fn main() -> io::Result<()> {
    let corpus = std::env::args().nth(1).ok_or_else(|| io::Error::other("give the corpus's directory"))?;
    let corpus = Path::new(&corpus);
    let transfers = TransferVerb::ALL.iter().map(|verb| format!("{} name", verb.as_str()));
    let relayed = RelayVerb::ALL.iter().map(|verb| format!("{} name", verb.as_str()));
    for line in COMMANDS.map(str::to_owned).into_iter().chain(transfers).chain(relayed) {
        let name = line.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        seed(corpus, "command_line", name.trim_matches('-'), &[&[PIECE], line.as_bytes(), b"\r\n"])?;
    }
    for (name, octets) in LINES {
        seed(corpus, "command_line", name, &[&[PIECE], octets])?;
    }
    for (name, text) in REPLIES {
        seed(corpus, "replies", name, &[&[PIECE], text.as_bytes()])?;
    }
    for (number, message) in (0u8..).zip(GENUINE.iter()) {
        seed(corpus, "adat", &format!("message-{}", number + 1), &[&[number], message])?;
    }
    for (name, octets) in HEADERS {
        seed(corpus, "proxy_header", name, &[octets])?;
    }
    protected_blocks(corpus)
}

/// Both levels, everything that an attacker does, and lines of the control connection.
fn protected_blocks(corpus: &Path) -> io::Result<()> {
    let file = b"a file of more than one block: ".repeat(4);
    for (level, bit) in [("safe", 0u8), ("private", 1)] {
        seed(corpus, "protected_block", &format!("{level}-raw"), &[&[bit, 0, 0, 0, 64], &[7; 64]])?;
        for what in 0..6u8 {
            seed(
                corpus,
                "protected_block",
                &format!("{level}-tampered-{what}"),
                &[&[4 << 1 | bit, what, 1, 3], &file],
            )?;
        }
    }
    for what in 0..2u8 {
        seed(corpus, "protected_block", &format!("control-{what}"), &[&[15 << 1, what, 5], b"RETR name\r\n"])?;
    }
    Ok(())
}

fn seed(corpus: &Path, target: &str, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let directory = corpus.join(target);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join(name), parts.concat())
}
