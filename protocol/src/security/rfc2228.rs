//! State of RFC 2228 under each mechanism: AUTH, then PBSZ, then PROT. RFC 4217 §9 narrows it for TLS to
//! PBSZ 0 and PROT C or P.

use super::safetp1::BlockSize;
use crate::{command::ProtLevel, reply::Reply};

/// Mechanism that protects the control channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 4217.
    Tls,
    /// docs/x-safetp1.md.
    SafeTp1,
}

/// Protection of data connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataProtection {
    /// None: the default, also after AUTH (RFC 2228 §3).
    #[default]
    Clear,
    /// Integrity alone, which only X-SafeTP1 has.
    Safe,
    /// Integrity and privacy.
    Private,
}

/// State of one session: the mechanism of AUTH, the size of PBSZ, the level of PROT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    mechanism: Option<Mechanism>,
    buffer_size: Option<BufferSize>,
    data: DataProtection,
}

/// Result of PBSZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BufferSize {
    /// TLS has its own framing.
    OfTls,
    Blocks(BlockSize),
}

impl Protection {
    /// The control channel is protected from here on.
    pub fn handle_protected(&mut self, mechanism: Mechanism) {
        *self = Self { mechanism: Some(mechanism), ..Self::default() };
    }

    /// As PBSZ 0 and PROT P, which some older names of AUTH TLS imply.
    pub fn imply_private_data(&mut self) {
        (self.buffer_size, self.data) = (Some(BufferSize::OfTls), DataProtection::Private);
    }

    /// Mechanism that protects the control channel, or did until CCC.
    pub fn mechanism(self) -> Option<Mechanism> {
        self.mechanism
    }

    /// Protection of the next data connection.
    pub fn data(self) -> DataProtection {
        self.data
    }

    /// Size of X-SafeTP1's blocks, once that is agreed.
    pub fn block_size(self) -> Option<BlockSize> {
        match self.buffer_size? {
            BufferSize::Blocks(size) => Some(size),
            BufferSize::OfTls => None,
        }
    }

    /// RFC 2228 §3. Under TLS the size is 0 whatever was asked for (RFC 4217 §9).
    pub fn handle_pbsz(&mut self, size: u32) -> Reply {
        match self.mechanism {
            None => Reply::new(503, "PBSZ comes after AUTH."),
            Some(Mechanism::Tls) => {
                self.buffer_size = Some(BufferSize::OfTls);
                Reply::new(200, if size == 0 { "PBSZ=0" } else { "PBSZ=0: TLS blocks have their own size." })
            }
            Some(Mechanism::SafeTp1) => self.handle_block_size(size),
        }
    }

    fn handle_block_size(&mut self, wanted: u32) -> Reply {
        let Some(size) = BlockSize::negotiate(wanted) else {
            return Reply::new(501, "X-SafeTP1 needs blocks of at least 64 octets: PBSZ 65536, for example.");
        };
        self.buffer_size = Some(BufferSize::Blocks(size));
        Reply::new(200, format!("PBSZ={}", size.get()))
    }

    /// RFC 2228 §3. `private_only`: the policy requires PROT P.
    pub fn handle_prot(&mut self, level: ProtLevel, private_only: bool) -> Reply {
        let Some(mechanism) = self.mechanism else { return Reply::new(503, "PROT comes after AUTH and PBSZ.") };
        if self.buffer_size.is_none() {
            return Reply::new(503, "PROT comes after PBSZ.");
        }
        match (level, mechanism) {
            (ProtLevel::Private, _) => self.become_level(DataProtection::Private, "Data connections are private."),
            (ProtLevel::Safe, Mechanism::Tls) | (ProtLevel::Confidential, _) => {
                Reply::new(536, "This mechanism has no such level; use PROT P.")
            }
            (ProtLevel::Unknown, _) => Reply::new(504, "There is no such level; use PROT P."),
            (ProtLevel::Safe | ProtLevel::Clear, _) if private_only => Reply::new(534, "This server requires PROT P."),
            (ProtLevel::Safe, Mechanism::SafeTp1) => {
                self.become_level(DataProtection::Safe, "Data connections are protected against changes, but readable.")
            }
            (ProtLevel::Clear, _) => self.become_level(DataProtection::Clear, "Data connections are in the clear."),
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
        protection.handle_protected(Mechanism::Tls);
        protection
    }

    #[test]
    fn auth_comes_before_pbsz_and_pbsz_before_prot() {
        let mut protection = Protection::default();
        assert_eq!(code(&protection.handle_pbsz(0)), 503);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Private, false)), 503);
        protection.handle_protected(Mechanism::Tls);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Private, false)), 503);
        assert_eq!(protection.handle_pbsz(0), Reply::new(200, "PBSZ=0"));
        assert_eq!(code(&protection.handle_prot(ProtLevel::Private, false)), 200);
        assert_eq!(protection.data(), DataProtection::Private);
    }

    #[test]
    fn levels_unsupported_by_tls_are_536_and_unknown_ones_504() {
        let mut protection = protected();
        protection.handle_pbsz(0);
        let codes = [ProtLevel::Safe, ProtLevel::Confidential, ProtLevel::Unknown]
            .map(|level| code(&protection.handle_prot(level, false)));
        assert_eq!(codes, [536, 536, 504]);
        assert_eq!(protection.data(), DataProtection::Clear);
    }

    #[test]
    fn prot_c_is_refused_where_policy_wants_privacy_and_the_level_stays() {
        let mut protection = protected();
        protection.handle_pbsz(0);
        protection.handle_prot(ProtLevel::Private, true);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Clear, true)), 534);
        assert_eq!(protection.data(), DataProtection::Private);
    }

    fn under_safetp1() -> Protection {
        let mut protection = Protection::default();
        protection.handle_protected(Mechanism::SafeTp1);
        protection
    }

    #[test]
    fn blocks_of_x_safetp1_have_a_size_that_the_server_may_lower() {
        let mut protection = under_safetp1();
        assert_eq!([0, 63].map(|size| code(&protection.handle_pbsz(size))), [501, 501]);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Private, false)), 503, "no size is agreed");
        assert_eq!(protection.handle_pbsz(64), Reply::new(200, "PBSZ=64"));
        assert_eq!(protection.handle_pbsz(u32::MAX), Reply::new(200, "PBSZ=65536"));
        assert_eq!(protection.block_size().map(BlockSize::get), Some(65536));
    }

    proptest::proptest! {
        #[test]
        fn pbsz_is_never_answered_with_more_than_was_asked_for(size: u32) {
            for mut protection in [protected(), under_safetp1()] {
                let reply = protection.handle_pbsz(size);
                let text = String::from_utf8(reply.text().to_vec()).unwrap();
                let answer = text.strip_prefix("PBSZ=").and_then(|answer| answer.split(':').next());
                let answer = answer.map(|answer| answer.parse::<u32>().unwrap());
                let is_right = answer.map_or(code(&reply) == 501 && size < 64, |answer| answer <= size);
                proptest::prop_assert!(is_right, "{size}: {text}");
            }
        }
    }

    #[test]
    fn x_safetp1_has_integrity_alone_where_policy_allows() {
        let mut protection = under_safetp1();
        protection.handle_pbsz(1024);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Safe, true)), 534);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Confidential, false)), 536);
        assert_eq!(code(&protection.handle_prot(ProtLevel::Safe, false)), 200);
        assert_eq!(protection.data(), DataProtection::Safe);
    }
}
