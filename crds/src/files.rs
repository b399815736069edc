//! How files are named: the same choice for a server and for one of its users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes the enum of encodings once, with their labels.
macro_rules! encodings {
    ($($variant:ident = $label:literal),+ $(,)?) => {
        /// An encoding of file names, by its label in <https://encoding.spec.whatwg.org>. Only those in which ASCII is
        /// ASCII: the commands around a name are.
        #[derive(JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the labels say all")]
        pub enum NameEncoding {
            #[default]
            #[serde(rename = "utf-8")]
            Utf8,
            $(#[serde(rename = $label)] $variant),+
        }

        impl NameEncoding {
            /// Every one.
            pub const ALL: &'static [Self] = &[Self::Utf8, $(Self::$variant),+];

            /// The label.
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

/// How files are named on a server.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Files {
    /// How clients write names that do not say `OPTS UTF8 ON`; names on the volume are UTF-8. With `utf-8` names are
    /// passed on octet for octet.
    pub name_encoding: NameEncoding,
}

/// How one user's clients name files.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserFiles {
    /// How clients write names that do not say `OPTS UTF8 ON`. Default: as the server says.
    // Left out, and not null: an enum with null in it is no list of words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NameEncoding")]
    pub name_encoding: Option<NameEncoding>,
}

/// How one user's uploads end.
#[derive(JsonSchema, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserUploads {
    /// Whether an upload over TLS that ends without `close_notify` counts as broken off. `false` is for a client that
    /// never sends it, and accepts files that someone on the way cut short. Default: as the server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_close_notify: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_known_by_its_label_and_leaves_ascii_alone() {
        for encoding in NameEncoding::ALL {
            let known = encoding_rs::Encoding::for_label(encoding.label().as_bytes()).unwrap();
            assert!(known.is_ascii_compatible(), "{}", encoding.label());
            assert_eq!(serde_json::to_value(encoding).unwrap(), encoding.label());
        }
    }
}
