//! The files that the embedded ftpd reads: `ftpd.json` and `users.json`.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{ConfigError, paths};

/// `ftpd.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FtpdConfig {
    /// Hours for which the part of an interrupted upload is kept, to be resumed by `REST` and `STOR`.
    pub keep_parts_hours: u32,
    /// Encoding of the names of clients that have not sent `OPTS UTF8 ON`: a label of
    /// <https://encoding.spec.whatwg.org>. Absent: names are octets, which is UTF-8 where they are taken for text.
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

    /// Returns the account of a login, if there is one.
    pub fn get(&self, login: &str) -> Option<&User> {
        self.users.get(login)
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// The password's hash.
    pub password: PasswordHash,
    /// The home directory relative to the volume, created at login; no `..` or link in it leads out of the volume.
    pub home: String,
    /// True to refuse commands that change anything.
    pub read_only: bool,
    /// Encoding of this account's names, in place of [`FtpdConfig::name_encoding`]; `utf-8` sets it back to octets.
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
    fn the_debug_form_hides_the_hash() {
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
