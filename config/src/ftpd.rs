//! What the embedded ftpd reads, and the dialect that it and the gateway speak over their Unix socket.
//!
//! # The dialect
//! Plain FTP (RFC 959, 2389, 3659), with these differences; all of it stays inside the pod:
//! * The gateway opens one connection per client session, gets `220`, and may send [`PEER`] once before USER.
//! * There are no data connections. The `150` that answers RETR, STOR, APPE, LIST, NLST or MLSD carries one file
//!   descriptor (`SCM_RIGHTS`) on the first octet of its line: the opened file itself, positioned where the transfer
//!   begins, or for a listing the reading end of a stream. PASV, EPSV, PORT, EPRT, AUTH, PBSZ and PROT are unknown.
//! * After the `150` the ftpd waits for the gateway to say how it went: [`COMPLETE`] or [`FAILED`]. Only then does it
//!   finish (rename an upload into place, or keep its part) and send the final reply, which the gateway passes on.
//!   A connection that ends instead means [`FAILED`]. While finishing takes long, `150` comes again now and then: the
//!   gateway waits on and passes none of them on.
//! * TYPE is known but changes nothing on the descriptor: the gateway converts TYPE A.
//! * [`DIGEST`] answers with the digest of the configuration that is in force, and with how far the ftpd is shut in.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{ConfigError, paths};

/// `XPEER <client address> <gateway session id>`: who is behind this session, for the ftpd's log and login throttle.
/// Answered by 200.
pub const PEER: &str = "XPEER";
/// `XCOMPLETE`: every octet of the transfer was delivered, and its end was authentic.
pub const COMPLETE: &str = "XCOMPLETE";
/// `XFAILED <reason>`: the transfer broke off. The reason is the name of the gateway's failure, as in its metrics; two
/// of them decide over what is left of an upload, after all others it is kept for `REST`.
pub const FAILED: &str = "XFAILED";
/// A reason of [`FAILED`]: no space was left. What came is removed, or the volume would stay full.
pub const STORAGE_FULL: &str = "storage_full";
/// A reason of [`FAILED`]: the file did not take what was written. What came is removed, for it cannot be trusted.
pub const FILE_WRITE: &str = "file_write";
/// `XDIGEST`: allowed before login, answered by `200 <digest> <landlock>`, the latter a
/// [`Landlock`](crate::status::Landlock) by its name.
pub const DIGEST: &str = "XDIGEST";

/// `ftpd.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FtpdConfig {
    /// Hours that the part of an upload that broke off is kept for `REST` and `STOR`.
    pub keep_parts_hours: u32,
    /// How clients write names that have not said `OPTS UTF8 ON`: a label of <https://encoding.spec.whatwg.org>.
    /// Absent: names are octets, which is UTF-8 to all who take them for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_encoding: Option<String>,
}

impl FtpdConfig {
    /// Reads the file's bytes.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        serde_json::from_slice(json).map_err(|source| ConfigError { file: paths::FTPD_FILE, source })
    }
}

/// `users.json`: every login of the server, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Users {
    /// Login name to account.
    pub users: BTreeMap<String, User>,
}

impl Users {
    /// Reads the file's bytes.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        serde_json::from_slice(json).map_err(|source| ConfigError { file: paths::USERS_FILE, source })
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// The password's hash.
    pub password: PasswordHash,
    /// The home directory relative to the volume, made at login; its `..` and links lead nowhere outside.
    pub home: String,
    /// Whether commands that change anything are refused.
    pub read_only: bool,
    /// Where this account differs from [`FtpdConfig::name_encoding`]; `utf-8` takes that back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_encoding: Option<String>,
}

/// A hash in PHC string format (argon2id). Its `Debug` hides it, since logs are read by more people than Secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_does_not_reach_a_log() {
        let user = User {
            password: PasswordHash("$argon2id$secret".into()),
            home: "alice".into(),
            read_only: false,
            name_encoding: None,
        };
        assert!(!format!("{user:?}").contains("secret"));
    }

    #[test]
    fn a_name_encoding_that_is_not_set_is_not_written() {
        let config = FtpdConfig { keep_parts_hours: 24, name_encoding: None };
        assert_eq!(serde_json::to_string(&config).unwrap(), r#"{"keepPartsHours":24}"#);
        assert_eq!(FtpdConfig::parse(br#"{"keepPartsHours":24}"#).unwrap(), config);
    }
}
