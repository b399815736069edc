//! The servers that can be measured.

use crate::client::Version;

/// A server to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Ours: gateway and ftpd.
    Safetp,
    /// Debian's pure-ftpd.
    PureFtpd,
    /// Debian's vsftpd.
    Vsftpd,
}

impl Kind {
    pub(crate) const ALL: &'static [Self] = &[Self::Safetp, Self::PureFtpd, Self::Vsftpd];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Safetp => "SafeTP",
            Self::PureFtpd => "pure-ftpd",
            Self::Vsftpd => "vsftpd",
        }
    }

    /// Whether data connections can resume the control connection's session: pure-ftpd gives no tickets in TLS 1.3.
    pub(crate) fn resumes(self, version: Version) -> bool {
        self != Self::PureFtpd || version == Version::Tls12
    }
}
