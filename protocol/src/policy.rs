//! Rules for what a client may do and when: pure, asked in order, each with the reply that says what to do instead. A
//! command is taken at the stage of its verb, and no earlier.

use crate::{
    command::{Command, Stage},
    reply::Reply,
    security::Mechanism,
};

/// Protection that the configuration requires, and ways out of it that it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// On a clear control channel only the commands that lead to protection work.
    pub control_protected: bool,
    /// Data connections must be PROT P.
    pub data_protected: bool,
    /// CCC may end TLS on the control channel.
    pub clear_command_channel: bool,
    /// Conditions under which PORT and EPRT are taken.
    pub active_mode: ActiveMode,
}

/// Conditions under which a client may ask to be dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveMode {
    /// Never.
    Off,
    /// By a protected command, or in a session that never had protection.
    On,
    /// Also in the clear inside of a session under X-SafeTP1 or after CCC, so that a firewall can read the address.
    OnInTheClear,
}

/// Facts about a session at the moment of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, all combinations occur")]
pub struct Facts {
    /// Mechanism of a finished AUTH.
    pub mechanism: Option<Mechanism>,
    /// This command came protected.
    pub command_protected: bool,
    /// PROT P is in force.
    pub data_private: bool,
    /// The backend has answered 230.
    pub logged_in: bool,
    /// EPSV ALL was sent.
    pub epsv_only: bool,
}

/// Reason for refusing a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A clear control channel where encryption is required.
    Unprotected,
    /// No login yet.
    NotLoggedIn,
    /// AUTH a second time.
    AlreadyProtected,
    /// USER or PASS after a login.
    AlreadyLoggedIn,
    /// PASV, PORT or EPRT after EPSV ALL.
    EpsvOnly,
    /// PORT or EPRT where active mode is off.
    ActiveModeOff,
    /// PORT or EPRT in the clear where a protected one was possible.
    ClearActive,
    /// A transfer without PROT P where it is required.
    DataUnprotected,
    /// CCC on a channel that is not protected.
    NothingToClear,
    /// CCC where it is not allowed.
    ClearingOff,
}

impl Refusal {
    /// The reply for the client. `auth` is the command that leads to protection here.
    pub fn reply(self, auth: &str) -> Reply {
        match self {
            Self::Unprotected => {
                Reply::new(530, format!("This server requires encryption: {auth} first, then USER and PASS."))
            }
            Self::NotLoggedIn => Reply::new(530, "Log in with USER and PASS first."),
            Self::AlreadyProtected => Reply::new(503, "This control connection is already protected."),
            Self::AlreadyLoggedIn => Reply::new(503, "Already logged in: connect again to change the user."),
            Self::EpsvOnly => Reply::new(503, "EPSV ALL was sent: use EPSV only (RFC 2428)."),
            Self::ActiveModeOff => Reply::new(502, "Active mode is off; use PASV or EPSV."),
            Self::ClearActive => Reply::new(533, "PORT and EPRT must be sent protected; or use PASV or EPSV."),
            Self::NothingToClear => {
                Reply::new(503, "The control channel is not protected, so there is nothing for CCC to end.")
            }
            Self::ClearingOff => Reply::new(534, "This server keeps the control channel protected."),
            Self::DataUnprotected => Reply::new(521, "This server requires private data connections: PROT P first."),
        }
    }
}

/// Decides on one command.
pub fn decide(command: &Command, demands: Demands, facts: Facts) -> Result<(), Refusal> {
    let stage = command.stage();
    let unprotected = demands.control_protected && facts.mechanism.is_none();
    refuse(unprotected && stage > Stage::Connected, Refusal::Unprotected)?;
    refuse(!facts.logged_in && stage > Stage::BeforeLogin, Refusal::NotLoggedIn)?;
    match command {
        Command::Auth(_) if facts.mechanism.is_some() => Err(Refusal::AlreadyProtected),
        Command::User(_) | Command::Pass(_) if facts.logged_in => Err(Refusal::AlreadyLoggedIn),
        Command::Pasv | Command::Active(_) if facts.epsv_only => Err(Refusal::EpsvOnly),
        Command::Active(_) => allow_active(demands.active_mode, facts),
        Command::Ccc => allow_clearing(demands, facts),
        Command::Transfer { .. } if demands.data_protected && !facts.data_private => Err(Refusal::DataUnprotected),
        Command::Auth(_)
        | Command::Pbsz(_)
        | Command::Prot(_)
        | Command::Adat(_)
        | Command::Protected(..)
        | Command::User(_)
        | Command::Pass(_)
        | Command::Pasv
        | Command::Epsv(_)
        | Command::Type(_)
        | Command::Rest(_)
        | Command::Transfer { .. }
        | Command::Abor
        | Command::Feat
        | Command::Help
        | Command::Noop
        | Command::Syst
        | Command::Stat
        | Command::Quit
        | Command::Relay { .. }
        | Command::NotOffered
        | Command::Unknown => Ok(()),
    }
}

fn allow_active(mode: ActiveMode, facts: Facts) -> Result<(), Refusal> {
    let needlessly_clear = facts.mechanism.is_some() && !facts.command_protected;
    match mode {
        ActiveMode::Off => Err(Refusal::ActiveModeOff),
        ActiveMode::On if needlessly_clear => Err(Refusal::ClearActive),
        ActiveMode::On | ActiveMode::OnInTheClear => Ok(()),
    }
}

/// X-SafeTP1's control channel stays protected, since its transfers are numbered by their commands.
fn allow_clearing(demands: Demands, facts: Facts) -> Result<(), Refusal> {
    refuse(!facts.command_protected, Refusal::NothingToClear)?;
    let allowed = demands.clear_command_channel && facts.mechanism == Some(Mechanism::Tls);
    refuse(!allowed, Refusal::ClearingOff)
}

fn refuse(condition: bool, refusal: Refusal) -> Result<(), Refusal> {
    if condition { Err(refusal) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{RelayVerb, TransferVerb};

    const STRICT: Demands = Demands {
        control_protected: true,
        data_protected: true,
        clear_command_channel: false,
        active_mode: ActiveMode::Off,
    };
    const LAX: Demands = Demands { control_protected: false, data_protected: false, ..STRICT };
    const STRANGER: Facts =
        Facts { mechanism: None, command_protected: false, data_private: false, logged_in: false, epsv_only: false };
    const PROTECTED: Facts = Facts { mechanism: Some(Mechanism::Tls), command_protected: true, ..STRANGER };
    const USER: Facts = Facts { logged_in: true, ..PROTECTED };

    fn asked(line: &str, demands: Demands, facts: Facts) -> Result<(), Refusal> {
        decide(&Command::parse(line.as_bytes()).unwrap(), demands, facts)
    }

    /// Every verb that means something, once.
    fn lines() -> Vec<String> {
        let plain = "AUTH TLS,ADAT AA==,ENC AA==,PBSZ 0,PROT P,CCC,USER a,PASS b,PASV,EPSV,EPSV ALL,\
                     EPRT |1|192.0.2.1|2000|,TYPE I,REST 0,ABOR,FEAT,\
                     HELP,NOOP,SYST,STAT,QUIT,REIN,BLAH";
        let transfers = TransferVerb::ALL.iter().map(|verb| format!("{} x", verb.as_str()));
        let relayed = RelayVerb::ALL.iter().map(|verb| format!("{} x", verb.as_str()));
        plain.split(',').map(|line| line.trim().to_owned()).chain(transfers).chain(relayed).collect()
    }

    #[test]
    fn before_auth_only_the_way_into_protection_works() {
        let allowed: Vec<String> = lines().into_iter().filter(|line| asked(line, STRICT, STRANGER).is_ok()).collect();
        let expected = "AUTH TLS,ADAT AA==,ENC AA==,PBSZ 0,PROT P,FEAT,HELP,NOOP,SYST,QUIT,REIN,BLAH";
        let expected: Vec<&str> = expected.split(',').collect();
        assert_eq!(allowed, expected);
    }

    #[test]
    fn a_password_is_refused_before_it_can_be_sent() {
        assert_eq!(asked("USER alice", STRICT, STRANGER), Err(Refusal::Unprotected));
        assert!(String::from_utf8_lossy(Refusal::Unprotected.reply("AUTH TLS").text()).contains("AUTH TLS first"));
    }

    #[test]
    fn nothing_that_touches_files_works_before_login() {
        for facts in [STRANGER, PROTECTED] {
            for line in lines().iter().filter(|line| line.ends_with(" x")) {
                let before_login = ["ACCT x", "LANG x", "OPTS x"].contains(&line.as_str());
                assert_eq!(asked(line, LAX, facts).is_ok(), before_login, "{line}");
            }
        }
    }

    #[test]
    fn transfers_wait_for_prot_p_where_it_is_demanded() {
        assert_eq!(asked("RETR x", STRICT, USER), Err(Refusal::DataUnprotected));
        assert_eq!(asked("RETR x", LAX, USER), Ok(()));
        assert_eq!(asked("LIST", STRICT, Facts { data_private: true, ..USER }), Ok(()));
    }

    #[test]
    fn after_epsv_all_only_epsv_is_taken() {
        let facts = Facts { epsv_only: true, ..USER };
        assert_eq!(asked("PASV", LAX, facts), Err(Refusal::EpsvOnly));
        assert_eq!(asked("EPRT |1|127.0.0.1|2000|", LAX, facts), Err(Refusal::EpsvOnly));
        assert_eq!(asked("EPSV", LAX, facts), Ok(()));
    }

    #[test]
    fn protection_and_login_happen_once() {
        assert_eq!(asked("AUTH TLS", LAX, PROTECTED), Err(Refusal::AlreadyProtected));
        assert_eq!(asked("USER bob", LAX, USER), Err(Refusal::AlreadyLoggedIn));
    }

    #[test]
    fn auth_after_a_login_in_the_clear_is_taken_since_it_ends_that_login() {
        let in_the_clear = Facts { logged_in: true, ..STRANGER };
        assert_eq!(asked("AUTH TLS", LAX, in_the_clear), Ok(()));
        assert_eq!(asked("AUTH X-SafeTP1", LAX, in_the_clear), Ok(()));
    }

    #[test]
    fn active_mode_is_refused_with_what_to_use_instead() {
        assert_eq!(asked("PORT 127,0,0,1,7,208", LAX, USER), Err(Refusal::ActiveModeOff));
        assert!(String::from_utf8_lossy(Refusal::ActiveModeOff.reply("AUTH TLS").text()).contains("PASV or EPSV"));
    }

    #[test]
    fn clear_port_must_be_allowed_explicitly() {
        let port = "PORT 127,0,0,1,7,208";
        let on = Demands { active_mode: ActiveMode::On, ..STRICT };
        let in_the_clear = Demands { active_mode: ActiveMode::OnInTheClear, ..STRICT };
        let clear = Facts { command_protected: false, ..USER };
        assert_eq!(asked(port, on, USER), Ok(()));
        assert_eq!(asked(port, on, clear), Err(Refusal::ClearActive));
        assert_eq!(asked(port, in_the_clear, clear), Ok(()));
    }

    #[test]
    fn ccc_is_for_tls_alone_and_where_policy_allows() {
        let allowed = Demands { clear_command_channel: true, ..STRICT };
        let safetp1 = Facts { mechanism: Some(Mechanism::SafeTp1), ..USER };
        assert_eq!(asked("CCC", allowed, USER), Ok(()));
        assert_eq!(asked("CCC", STRICT, USER), Err(Refusal::ClearingOff));
        assert_eq!(asked("CCC", allowed, safetp1), Err(Refusal::ClearingOff));
        assert_eq!(asked("CCC", allowed, PROTECTED), Err(Refusal::NotLoggedIn), "the password would go in the clear");
        assert_eq!(asked("CCC", allowed, Facts { command_protected: false, ..USER }), Err(Refusal::NothingToClear));
    }
}
