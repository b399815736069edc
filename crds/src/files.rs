//! Encodings of file names and completeness of uploads: settings of a server that one of its users may override.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes the enum of encodings once, with their labels.
macro_rules! encodings {
    ($($variant:ident = $label:literal),+ $(,)?) => {
        /// An encoding of file names, by its label in <https://encoding.spec.whatwg.org>. Only encodings that contain
        /// ASCII unchanged, because the commands around a name are ASCII.
        #[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the labels say all")]
        pub enum NameEncoding {
            #[default]
            #[serde(rename = "utf-8")]
            Utf8,
            $(#[serde(rename = $label)] $variant),+
        }

        impl NameEncoding {
            /// All encodings, in the order of the schema.
            pub const ALL: &'static [Self] = &[Self::Utf8, $(Self::$variant),+];

            /// The label in <https://encoding.spec.whatwg.org>.
            pub const fn label(self) -> &'static str {
                match self {
                    Self::Utf8 => "utf-8",
                    $(Self::$variant => $label),+
                }
            }
        }
    };
}

encodings! {
    Big5 = "big5", EucJp = "euc-jp", EucKr = "euc-kr", Gb18030 = "gb18030", Ibm866 = "ibm866",
    Iso8859Part2 = "iso-8859-2", Iso8859Part5 = "iso-8859-5", Iso8859Part7 = "iso-8859-7",
    Iso8859Part15 = "iso-8859-15", Koi8R = "koi8-r", Koi8U = "koi8-u", Macintosh = "macintosh",
    ShiftJis = "shift_jis", Windows874 = "windows-874", Windows1250 = "windows-1250", Windows1251 = "windows-1251",
    Windows1252 = "windows-1252", Windows1253 = "windows-1253", Windows1254 = "windows-1254",
    Windows1255 = "windows-1255", Windows1256 = "windows-1256", Windows1257 = "windows-1257",
    Windows1258 = "windows-1258",
}

/// File names on a server.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Files {
    /// Encoding in which clients write file names unless they send `OPTS UTF8 ON`. Names on the volume are always
    /// UTF-8. Default: `utf-8`, with which names pass through octet for octet.
    pub name_encoding: NameEncoding,
}

/// File names of one user's clients.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserFiles {
    /// Encoding in which this user's clients write file names unless they send `OPTS UTF8 ON`. Default: the server's
    /// `files.nameEncoding`.
    // Left out, and not null: an enum that contains null is not a list of strings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NameEncoding")]
    pub name_encoding: Option<NameEncoding>,
}

/// Rules by which one user's uploads count as complete.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserUploads {
    /// If true, an upload over TLS that ends without `close_notify` counts as broken off. Set `false` for a client that
    /// never sends it: files that someone on the network cut short are then accepted. Default: the server's
    /// `uploads.requireCloseNotify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_close_notify: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_has_a_known_label_and_leaves_ascii_alone() {
        for encoding in NameEncoding::ALL {
            let known = encoding_rs::Encoding::for_label(encoding.label().as_bytes()).unwrap();
            assert!(known.is_ascii_compatible(), "{}", encoding.label());
            assert_eq!(serde_json::to_value(encoding).unwrap(), encoding.label());
        }
    }
}
