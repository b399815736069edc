//! The form of the file: everything hexadecimal, except for what is text.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::security::safetp1::{
    self,
    keys::{SessionKeys, SideKeys},
};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/x-safetp1/vectors.json");

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) about: String,
    pub(super) group: Group,
    pub(super) cases: Vec<Case>,
}

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) p: String,
    pub(super) g: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) dsa: Dsa,
    pub(super) client: Client,
    pub(super) server: Server,
    pub(super) messages: Messages,
    pub(super) signature: Signature,
    pub(super) keys: Keys,
    pub(super) control: Vec<Message>,
    pub(super) data: Vec<Blocks>,
    pub(super) refused: Vec<Refused>,
}

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Dsa {
    pub(super) p: String,
    pub(super) q: String,
    pub(super) g: String,
    pub(super) y: String,
    pub(super) x: String,
    pub(super) fingerprint: String,
}

/// Random values of the client, in this order, and its Y.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) x: String,
    pub(super) challenge: String,
    pub(super) y: String,
}

/// Random values of the server, in this order, and its address.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Server {
    pub(super) master_key: String,
    pub(super) k: String,
    pub(super) challenge: String,
    pub(super) address: String,
    pub(super) address_octets: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Messages {
    #[serde(rename = "1")]
    pub(super) m1: String,
    #[serde(rename = "2")]
    pub(super) m2: String,
    #[serde(rename = "3")]
    pub(super) m3: String,
    #[serde(rename = "4")]
    pub(super) m4: String,
}

/// Of message 3: k of DSA is RFC 6979's with SHA-1, so that r and s are always these.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Signature {
    pub(super) body: String,
    pub(super) sha1_of_body: String,
    pub(super) r: String,
    pub(super) s: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Keys {
    client_control_3des_key: String,
    server_control_3des_key: String,
    client_control_3des_iv: String,
    server_control_3des_iv: String,
    client_data_3des_key: String,
    server_data_3des_key: String,
    client_shahmac_key: String,
    server_shahmac_key: String,
}

impl Keys {
    pub(super) fn new(keys: &SessionKeys) -> Self {
        let SessionKeys { client, server } = keys;
        let both = |key: fn(&SideKeys) -> &[u8]| (hex::encode(key(client)), hex::encode(key(server)));
        let (client_control_3des_key, server_control_3des_key) = both(|side| &side.control_3des_key);
        let (client_control_3des_iv, server_control_3des_iv) = both(|side| &side.control_3des_iv);
        let (client_data_3des_key, server_data_3des_key) = both(|side| &side.data_3des_key);
        let (client_shahmac_key, server_shahmac_key) = both(|side| &side.shahmac_key);
        Self {
            client_control_3des_key,
            server_control_3des_key,
            client_control_3des_iv,
            server_control_3des_iv,
            client_data_3des_key,
            server_data_3des_key,
            client_shahmac_key,
            server_shahmac_key,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    /// The keys of what this side sends.
    pub(super) fn of(self, keys: &SessionKeys) -> &SideKeys {
        match self {
            Self::Client => &keys.client,
            Self::Server => &keys.server,
        }
    }
}

impl PartialEq<safetp1::keys::Side> for Side {
    fn eq(&self, other: &safetp1::keys::Side) -> bool {
        (*self == Self::Client) == (*other == safetp1::keys::Side::Client)
    }
}

/// One line on the control connection, in the order in which the side says it.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) from: Side,
    pub(super) number: u32,
    /// `0a` in a reply to what came in the clear, else `02`.
    pub(super) flags: String,
    pub(super) line: String,
    /// The IV: the last cipher block of this side's message before, or its control IV.
    pub(super) iv: String,
    #[serde(rename = "message")]
    pub(super) sealed: String,
    /// Octets on the wire, CRLF included.
    pub(super) wire: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Level {
    S,
    P,
}

impl From<Level> for safetp1::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::S => Self::Safe,
            Level::P => Self::Private,
        }
    }
}

/// The blocks of one transfer.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Blocks {
    pub(super) from: Side,
    pub(super) transfer: u32,
    pub(super) level: Level,
    pub(super) pbsz: u32,
    #[serde(rename = "blocks")]
    pub(super) all: Vec<DataBlock>,
}

/// Octets that a receiver must refuse, in place of the genuine ones: the exchange has gone as in the case so far.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Refused {
    /// Its fault.
    pub(super) name: String,
    pub(super) to: Side,
    pub(super) place: Place,
    pub(super) octets: String,
}

/// Place in the session at which they come.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) enum Place {
    #[serde(rename = "message 2")]
    Message2,
    #[serde(rename = "message 3")]
    Message3,
    #[serde(rename = "message 4")]
    Message4,
    /// As the first message of its direction after 235.
    #[serde(rename = "control")]
    Control,
    /// As the first block of a transfer, without its length.
    #[serde(rename = "block")]
    Block { transfer: u32, level: Level, pbsz: u32 },
}

/// A payload or block of thousands of octets is given by its rule and its hash.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct DataBlock {
    pub(super) number: u32,
    pub(super) end: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<String>,
    /// Octet i of the payload is i mod 251, for so many octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload_i_mod_251: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iv: Option<String>,
    pub(super) length: String,
    #[serde(rename = "block", skip_serializing_if = "Option::is_none")]
    pub(super) sealed: Option<String>,
    #[serde(rename = "block_sha256", skip_serializing_if = "Option::is_none")]
    pub(super) sealed_sha256: Option<String>,
}

impl DataBlock {
    pub(super) fn payload(&self) -> Vec<u8> {
        match self.payload_i_mod_251 {
            Some(length) => (0..=250).cycle().take(length).collect(),
            None => self.payload.as_deref().map(unhex).unwrap_or_default(),
        }
    }

    /// None where the file has the hash only.
    pub(super) fn octets(&self) -> Option<Vec<u8>> {
        self.sealed.as_deref().map(unhex)
    }

    pub(super) fn assert_is(&self, block: &[u8]) {
        let hash = Some(hex::encode(Sha256::digest(block)));
        assert!(self.sealed == Some(hex::encode(block)) || self.sealed_sha256 == hash, "block {}", self.number);
    }
}

impl File {
    pub(super) fn read() -> Self {
        serde_json::from_str(&std::fs::read_to_string(PATH).unwrap()).unwrap()
    }

    pub(super) fn write(&self) {
        std::fs::write(PATH, serde_json::to_string_pretty(self).unwrap() + "\n").unwrap();
    }
}

pub(super) fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}
