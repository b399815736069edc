//! The verbs that reach the backend. A list of what is let through: a verb that stands nowhere here never does.

/// Writes an enum of verbs once, with its names on the wire.
macro_rules! verbs {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $wire:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "a verb's name says all that its RFC does")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// Every one, in the order of HELP.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The verb on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }

            /// The verb with this name in capitals.
            pub fn parse(verb: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == verb)
            }
        }
    };
}

verbs! {
    /// Commands that open a data connection (RFC 959 §4.1.3, RFC 3659 §7).
    TransferVerb {
        Retr = "RETR", Stor = "STOR", Appe = "APPE", Stou = "STOU", List = "LIST", Nlst = "NLST", Mlsd = "MLSD",
    }
}

verbs! {
    /// Commands that are answered on the control connection by the backend alone.
    RelayVerb {
        Acct = "ACCT", Allo = "ALLO", Cdup = "CDUP", Cwd = "CWD", Dele = "DELE", Hash = "HASH", Lang = "LANG", Mdtm = "MDTM",
        Mfmt = "MFMT", Mkd = "MKD", Mlst = "MLST", Mode = "MODE", Opts = "OPTS", Pwd = "PWD", Rang = "RANG", Rmd = "RMD",
        Rnfr = "RNFR", Rnto = "RNTO", Site = "SITE", Size = "SIZE", Stat = "STAT", Stru = "STRU", Xcup = "XCUP",
        Xcwd = "XCWD", Xmkd = "XMKD", Xpwd = "XPWD", Xrmd = "XRMD",
    }
}

impl TransferVerb {
    /// Whether octets go from the client to the server.
    pub const fn is_upload(self) -> bool {
        matches!(self, Self::Stor | Self::Appe | Self::Stou)
    }

    /// Whether it moves a file, and not a listing.
    pub const fn is_file(self) -> bool {
        matches!(self, Self::Retr | Self::Stor | Self::Appe | Self::Stou)
    }

    /// All that move a file but STOU, for which the server finds a name.
    pub(super) const fn needs_argument(self) -> bool {
        self.is_file() && !matches!(self, Self::Stou)
    }
}

/// Verbs of HTTP (RFC 9110 §9.3, RFC 5789), and the first word of HTTP/2's preface (RFC 9113 §3.4). FTP has none of them.
const HTTP_VERBS: [&str; 10] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PRI", "PUT", "TRACE"];

/// Whether the line begins an HTTP request (RFC 9110 §9): a browser that is made to talk to an FTP server must not get
/// any of what follows obeyed or echoed (ALPACA, usenix.org/conference/usenixsecurity21/presentation/brinkmann).
pub(crate) fn is_http(line: &[u8]) -> bool {
    let verb = line.split(|octet| *octet == b' ').next().unwrap_or_default();
    HTTP_VERBS.iter().any(|http| verb.eq_ignore_ascii_case(http.as_bytes()))
}
