//! RFC 2228's state as RFC 4217 narrows it for TLS: AUTH, then PBSZ 0, then PROT C or P.

use crate::{command::ProtLevel, reply::Reply};

/// How data connections go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataProtection {
    /// In the clear: the default, also after AUTH (RFC 2228 §3).
    #[default]
    Clear,
    /// By TLS.
    Private,
}

/// The state of one session: AUTH done or not, PBSZ said or not, the level of PROT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    control: bool,
    buffer_size_said: bool,
    data: DataProtection,
}

impl Protection {
    /// The control channel is protected from here on.
    pub fn handle_protected(&mut self) {
        *self = Self { control: true, ..Self::default() };
    }

    /// Whether commands come protected.
    pub fn control(self) -> bool {
        self.control
    }

    /// How the next data connection goes.
    pub fn data(self) -> DataProtection {
        self.data
    }

    /// RFC 4217 §9: TLS has its own framing, so the size is 0 whatever was asked for.
    pub fn handle_pbsz(&mut self, size: u32) -> Reply {
        if !self.control {
            return Reply::new(503, "PBSZ comes after AUTH TLS.");
        }
        self.buffer_size_said = true;
        Reply::new(200, if size == 0 { "PBSZ=0" } else { "PBSZ=0: TLS blocks have their own size." })
    }

    /// `clear_allowed`: whether policy leaves the choice to the client.
    pub fn handle_prot(&mut self, level: ProtLevel, clear_allowed: bool) -> Reply {
        if !self.control {
            return Reply::new(503, "PROT comes after AUTH TLS and PBSZ 0.");
        }
        if !self.buffer_size_said {
            return Reply::new(503, "PROT comes after PBSZ 0.");
        }
        match level {
            ProtLevel::Private => self.become_level(DataProtection::Private, "Data connections are private."),
            ProtLevel::Clear if clear_allowed => {
                self.become_level(DataProtection::Clear, "Data connections are in the clear.")
            }
            ProtLevel::Clear => Reply::new(534, "This server's policy wants PROT P."),
            ProtLevel::Safe | ProtLevel::Confidential => Reply::new(536, "TLS has PROT C and PROT P only."),
            ProtLevel::Unknown => Reply::new(504, "There is no such level: PROT C or PROT P."),
        }
    }

    fn become_level(&mut self, level: DataProtection, text: &str) -> Reply {
        self.data = level;
        Reply::new(200, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(reply: &Reply) -> u16 {
        reply.code().number()
    }

    fn protected() -> Protection {
        let mut protection = Protection::default();
        protection.handle_protected();
        protection
    }

    #[test]
    fn auth_comes_before_pbsz_and_pbsz_before_prot() {
        let mut protection = Protection::default();
        assert_eq!(code(&protection.handle_pbsz(0)), 503);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Private, true)), 503);
        protection.handle_protected();
        assert_eq!(code(&protection.handle_prot(ProtLevel::Private, true)), 503);
        assert_eq!(protection.handle_pbsz(0), Reply::new(200, "PBSZ=0"));
        assert_eq!(code(&protection.handle_prot(ProtLevel::Private, true)), 200);
        assert_eq!(protection.data(), DataProtection::Private);
    }

    #[test]
    fn levels_that_tls_has_not_are_536_and_unknown_ones_504() {
        let mut protection = protected();
        protection.handle_pbsz(0);
        let codes = [ProtLevel::Safe, ProtLevel::Confidential, ProtLevel::Unknown]
            .map(|level| code(&protection.handle_prot(level, true)));
        assert_eq!(codes, [536, 536, 504]);
        assert_eq!(protection.data(), DataProtection::Clear);
    }

    #[test]
    fn prot_c_is_refused_where_policy_wants_privacy_and_the_level_stays() {
        let mut protection = protected();
        protection.handle_pbsz(0);
        protection.handle_prot(ProtLevel::Private, false);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Clear, false)), 534);
        assert_eq!(protection.data(), DataProtection::Private);
    }
}
