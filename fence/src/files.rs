//! Landlock: files, TCP ports, and other processes' abstract sockets and signals.

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, RulesetStatus, Scope, make_bitflags,
};
use safetp_config::status::Landlock;

use crate::{
    error::ShutInError,
    reach::{Dial, Reach, Use},
};

/// The newest rights that this program knows; an older kernel applies those that it has.
const NEWEST: ABI = ABI::V6;

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
const STORE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
});
const LISTEN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadDir | MakeSock | RemoveFile});

/// Devices from which a statically linked program takes random octets. It has no dynamic symbols, among which the crate
/// getrandom looks for the system call, so the crate waits on the first of these and reads the second.
const RANDOM: [&str; 2] = ["/dev/random", "/dev/urandom"];

pub(crate) fn apply(reach: &Reach) -> Result<Landlock, ShutInError> {
    // Access that is not handled is not restricted.
    let net = match reach.dial {
        Dial::Ports(_) => AccessNet::from_all(NEWEST),
        Dial::Any => AccessNet::BindTcp.into(),
    };
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(net)?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let rules = allow_ports(allow_paths(rules, reach)?, reach)?;
    Ok(match rules.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Landlock::Full,
        RulesetStatus::PartiallyEnforced => Landlock::Partial,
        RulesetStatus::NotEnforced => Landlock::Missing,
    })
}

fn allow_paths(mut rules: RulesetCreated, reach: &Reach) -> Result<RulesetCreated, ShutInError> {
    for (path, usage) in &reach.paths {
        let all = match usage {
            Use::Read => READ,
            Use::Store => STORE,
            Use::Listen => LISTEN,
        };
        // A right that only directories have would make the rule for a file count as partly enforced.
        let access = if path.is_dir() { all } else { all & AccessFs::from_file(NEWEST) };
        rules = rules.add_rule(PathBeneath::new(PathFd::new(path)?, access))?;
    }
    for device in RANDOM {
        rules = rules.add_rule(PathBeneath::new(PathFd::new(device)?, AccessFs::ReadFile))?;
    }
    Ok(rules)
}

fn allow_ports(mut rules: RulesetCreated, reach: &Reach) -> Result<RulesetCreated, ShutInError> {
    for port in &reach.listen {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    if let Dial::Ports(ports) = &reach.dial {
        for port in ports {
            rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
    }
    Ok(rules)
}
