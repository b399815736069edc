//! The table of verbs. HELP, FEAT, the stage at which the policy takes a verb, and what reaches the backend all come
//! from it: a verb without a row is unknown everywhere.
//!
//! A new verb is a row here. The compiler then names the rest: how the gateway reads a [`SessionVerb`]
//! ([`super::Command`]), how the ftpd answers a [`TransferVerb`] or a [`RelayVerb`].

use self::{
    AnsweredBy::{GatewayAndFtpd, GatewayOnly, Neither},
    Effect::{Changes, Reads},
    Feature::{Listed, ListedByMechanism, ListedForActiveMode, ListedForClearing, ListedForMechanisms, Unlisted},
    Flow::{Download, Listing, Upload},
    Name::{Needed, Optional},
    Stage::{BeforeLogin, Connected, LoggedIn},
};

/// Stage of a session from which on it takes a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// At once: the command leads to protection, or reveals and changes nothing.
    Connected,
    /// Once protected, where protection is required.
    BeforeLogin,
    /// After the login.
    LoggedIn,
}

/// Programs that answer a [`SessionVerb`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnsweredBy {
    /// The gateway: protection and addresses are its own.
    GatewayOnly,
    /// The gateway and the ftpd, which the gateway may ask.
    GatewayAndFtpd,
    /// None. The verb exists and is refused.
    Neither,
}

/// Lines that the gateway adds to FEAT (RFC 2389) for a [`SessionVerb`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// None.
    Unlisted,
    /// The verb.
    Listed,
    /// The verb with each mechanism that is offered.
    ListedByMechanism,
    /// The verb, if a mechanism is offered.
    ListedForMechanisms,
    /// The verb, if TLS is offered and may be ended.
    ListedForClearing,
    /// The verb, if active mode is on.
    ListedForActiveMode,
}

/// Direction in which a [`TransferVerb`] moves octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// A file to the server.
    Upload,
    /// A file to the client.
    Download,
    /// Names or facts to the client.
    Listing,
}

/// Name that a [`TransferVerb`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Needed,
    Optional,
}

/// Effect of a [`RelayVerb`] on files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Changes,
    Reads,
}

/// Writes an enum of verbs once, with its names on the wire and its rows.
macro_rules! verbs {
    ($(#[$doc:meta])* $name:ident: $row:ty { $($variant:ident = $wire:literal, $columns:expr;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "a verb's name says all that its RFC does")]
        pub enum $name { $($variant),+ }

        impl $name {
            /// Every one, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The verb on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }

            /// The verb with this name, in any case.
            pub(super) fn parse(verb: &[u8]) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| verb.eq_ignore_ascii_case(known.as_str().as_bytes()))
            }

            const fn row(self) -> $row {
                match self { $(Self::$variant => $columns),+ }
            }
        }
    };
}

verbs! {
    /// Commands about the session: each is read into a variant of [`super::Command`].
    SessionVerb: (Stage, AnsweredBy, Feature) {
        Abor = "ABOR", (LoggedIn, GatewayAndFtpd, Unlisted);
        Adat = "ADAT", (Connected, GatewayOnly, Unlisted);
        Auth = "AUTH", (Connected, GatewayOnly, ListedByMechanism);
        Ccc = "CCC", (LoggedIn, GatewayOnly, ListedForClearing);
        Conf = "CONF", (Connected, Neither, Unlisted);
        Enc = "ENC", (Connected, GatewayOnly, Unlisted);
        Eprt = "EPRT", (LoggedIn, GatewayOnly, ListedForActiveMode);
        Epsv = "EPSV", (LoggedIn, GatewayOnly, Listed);
        Feat = "FEAT", (Connected, GatewayAndFtpd, Unlisted);
        Help = "HELP", (Connected, GatewayAndFtpd, Unlisted);
        Lprt = "LPRT", (Connected, Neither, Unlisted);
        Lpsv = "LPSV", (Connected, Neither, Unlisted);
        Mic = "MIC", (Connected, Neither, Unlisted);
        Noop = "NOOP", (Connected, GatewayAndFtpd, Unlisted);
        Pass = "PASS", (BeforeLogin, GatewayAndFtpd, Unlisted);
        Pasv = "PASV", (LoggedIn, GatewayOnly, Listed);
        // PBSZ and PROT before AUTH get their own 503, which says the right order.
        Pbsz = "PBSZ", (Connected, GatewayOnly, ListedForMechanisms);
        Port = "PORT", (LoggedIn, GatewayOnly, ListedForActiveMode);
        Prot = "PROT", (Connected, GatewayOnly, ListedForMechanisms);
        Quit = "QUIT", (Connected, GatewayAndFtpd, Unlisted);
        Rein = "REIN", (Connected, Neither, Unlisted);
        Rest = "REST", (LoggedIn, GatewayAndFtpd, Unlisted);
        Smnt = "SMNT", (Connected, Neither, Unlisted);
        Syst = "SYST", (Connected, GatewayAndFtpd, Unlisted);
        Type = "TYPE", (LoggedIn, GatewayAndFtpd, Unlisted);
        User = "USER", (BeforeLogin, GatewayAndFtpd, Unlisted);
    }
}

verbs! {
    /// Commands that open a data connection (RFC 959 §4.1.3, RFC 3659 §7), all of them after the login.
    TransferVerb: (Flow, Name) {
        Retr = "RETR", (Download, Needed);
        Stor = "STOR", (Upload, Needed);
        Appe = "APPE", (Upload, Needed);
        // The server finds a name.
        Stou = "STOU", (Upload, Optional);
        List = "LIST", (Listing, Optional);
        Nlst = "NLST", (Listing, Optional);
        Mlsd = "MLSD", (Listing, Optional);
    }
}

verbs! {
    /// Commands that are answered on the control connection by the backend alone. STAT without a path is the gateway's:
    /// [`super::Command::Stat`].
    RelayVerb: (Stage, Effect) {
        Acct = "ACCT", (BeforeLogin, Reads);
        Allo = "ALLO", (LoggedIn, Reads);
        Cdup = "CDUP", (LoggedIn, Reads);
        Cwd = "CWD", (LoggedIn, Reads);
        Dele = "DELE", (LoggedIn, Changes);
        Hash = "HASH", (LoggedIn, Reads);
        Lang = "LANG", (BeforeLogin, Reads);
        Mdtm = "MDTM", (LoggedIn, Reads);
        Mfmt = "MFMT", (LoggedIn, Changes);
        Mkd = "MKD", (LoggedIn, Changes);
        Mlst = "MLST", (LoggedIn, Reads);
        Mode = "MODE", (LoggedIn, Reads);
        Opts = "OPTS", (BeforeLogin, Reads);
        Pwd = "PWD", (LoggedIn, Reads);
        Rang = "RANG", (LoggedIn, Reads);
        Rmd = "RMD", (LoggedIn, Changes);
        Rnfr = "RNFR", (LoggedIn, Changes);
        Rnto = "RNTO", (LoggedIn, Changes);
        Site = "SITE", (LoggedIn, Reads);
        Size = "SIZE", (LoggedIn, Reads);
        Stat = "STAT", (LoggedIn, Reads);
        Stru = "STRU", (LoggedIn, Reads);
        Xcup = "XCUP", (LoggedIn, Reads);
        Xcwd = "XCWD", (LoggedIn, Reads);
        Xmkd = "XMKD", (LoggedIn, Changes);
        Xpwd = "XPWD", (LoggedIn, Reads);
        Xrmd = "XRMD", (LoggedIn, Changes);
    }
}

impl SessionVerb {
    pub(crate) const fn stage(self) -> Stage {
        self.row().0
    }

    /// Whether the gateway serves it, and so lists it in HELP.
    pub(crate) const fn is_offered(self) -> bool {
        !matches!(self.row().1, Neither)
    }

    /// Whether the ftpd serves it, too.
    pub const fn reaches_ftpd(self) -> bool {
        matches!(self.row().1, GatewayAndFtpd)
    }

    pub(crate) const fn feature(self) -> Feature {
        self.row().2
    }
}

impl TransferVerb {
    /// Whether octets go from the client to the server.
    pub const fn is_upload(self) -> bool {
        matches!(self.row().0, Upload)
    }

    /// Whether it moves a file, and not a listing.
    pub const fn is_file(self) -> bool {
        matches!(self.row().0, Upload | Download)
    }

    pub(super) const fn needs_name(self) -> bool {
        matches!(self.row().1, Needed)
    }
}

impl RelayVerb {
    pub(crate) const fn stage(self) -> Stage {
        self.row().0
    }

    /// Whether it changes files or directories, for which a login needs the right to write. What `SITE` does is decided
    /// by its own words.
    pub const fn changes_files(self) -> bool {
        matches!(self.row().1, Changes)
    }
}

/// Verbs of HTTP (RFC 9110 §9.3, RFC 5789), and the first word of HTTP/2's preface (RFC 9113 §3.4). FTP has none of
/// them.
const HTTP_VERBS: [&str; 10] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PRI", "PUT", "TRACE"];

/// Whether the line begins an HTTP request (RFC 9110 §9): a browser that is made to talk to an FTP server must not get
/// any of what follows obeyed or echoed (ALPACA, usenix.org/conference/usenixsecurity21/presentation/brinkmann).
pub(crate) fn is_http(line: &[u8]) -> bool {
    let verb = line.split(|octet| *octet == b' ').next().unwrap_or_default();
    HTTP_VERBS.iter().any(|http| verb.eq_ignore_ascii_case(http.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_stands_in_one_table_and_once() {
        let session = SessionVerb::ALL.iter().map(|verb| verb.as_str());
        let transfers = TransferVerb::ALL.iter().map(|verb| verb.as_str());
        let relayed = RelayVerb::ALL.iter().map(|verb| verb.as_str());
        let mut verbs: Vec<&str> = session.chain(transfers).chain(relayed).collect();
        let count = verbs.len();
        verbs.sort_unstable();
        verbs.dedup();
        assert_eq!(verbs.len(), count);
    }

    #[test]
    fn http_is_recognised_in_any_case_and_no_verb_of_ftp_is_one() {
        assert!(is_http(b"post / HTTP/1.1") && !is_http(b"POSTS"));
        let verbs = RelayVerb::ALL.iter().map(|verb| verb.as_str());
        assert!(!verbs.chain(SessionVerb::ALL.iter().map(|verb| verb.as_str())).any(|verb| is_http(verb.as_bytes())));
    }
}
