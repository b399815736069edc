//! The third stage: what the server is to be. Conflicts, logins and the DSA key come first, since each of them may end
//! the reconcile with a verdict; address, certificate and ports follow.

pub mod address;
pub mod certificate;
mod conflicts;
pub mod logins;
pub mod node_ports;
pub mod ports;
pub mod signing_key;

use std::collections::BTreeSet;

use jiff::Timestamp;

use self::{
    address::{Addressing, find_address},
    certificate::{ServerCertificate, decide_certificate},
    conflicts::find_conflict,
    logins::decide_logins,
    node_ports::NoBlock,
    ports::{PortPlan, plan_ports},
    signing_key::{ServerSigningKey, obtain_signing_key},
};
use super::{gather::Gathered, validate::ValidatedServer};
use crate::{
    certs::IssueError,
    conditions::Verdict,
    registry::Registry,
    signing_keys::KeyGenerator,
    users::{Resolved, hash::HashError, logins::Accounts},
};

/// How many blocks of node ports are tried in one reconcile.
const MAX_BLOCKS: usize = 200;

/// Failure to decide.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// A certificate could not be issued.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// How this stage ends.
pub enum Decision<'a> {
    /// Everything is decided.
    Proceed(Box<Decided<'a>>),
    /// Nothing can be built now.
    Stop {
        /// Content of Ready.
        verdict: Verdict,
        /// The logins, if they were decided.
        resolved: Option<Resolved>,
    },
}

/// Everything that was decided about a server. Only [`decide`] creates one, so nothing is built before.
pub struct Decided<'a> {
    server: &'a ValidatedServer,
    gathered: &'a Gathered,
    resolved: Resolved,
    signing_key: Option<ServerSigningKey>,
    addressing: Addressing,
    certificate: ServerCertificate,
    ports: PortPlan,
    /// Node ports that turned out to be taken.
    refused: BTreeSet<u16>,
    /// How many blocks of node ports the API server has rejected.
    rejections: usize,
}

/// Decides everything about a server from what was gathered.
pub async fn decide<'a>(
    server: &'a ValidatedServer,
    gathered: &'a Gathered,
    registry: &Registry,
    key_generator: &KeyGenerator,
    now: Timestamp,
) -> Result<Decision<'a>, DecideError> {
    if let Some(verdict) = find_conflict(server, &gathered.live) {
        return Ok(Decision::Stop { verdict, resolved: None });
    }
    let resolved = decide_logins(server, gathered, registry).await?;
    match obtain_signing_key(server, gathered, key_generator) {
        Ok(signing_key) => complete(server, gathered, resolved, signing_key, now),
        Err(verdict) => Ok(Decision::Stop { verdict, resolved: Some(resolved) }),
    }
}

fn complete<'a>(
    server: &'a ValidatedServer,
    gathered: &'a Gathered,
    resolved: Resolved,
    signing_key: Option<ServerSigningKey>,
    now: Timestamp,
) -> Result<Decision<'a>, DecideError> {
    let service = gathered.live.service.as_ref();
    let addressing = find_address(server, service, gathered.node.as_ref());
    let certificate = decide_certificate(server, gathered, &addressing, now)?;
    let ports = match plan_ports(&server.ports, service, &gathered.used_node_ports) {
        Ok(ports) => ports,
        Err(none) => return Ok(Decision::Stop { verdict: none.verdict(), resolved: Some(resolved) }),
    };
    let refused = BTreeSet::new();
    let decided =
        Decided { server, gathered, resolved, signing_key, addressing, certificate, ports, refused, rejections: 0 };
    Ok(Decision::Proceed(Box::new(decided)))
}

impl Decided<'_> {
    /// Chooses other node ports, since `taken` belongs to another Service: the API server alone knows what is free.
    pub fn choose_other_ports(&mut self, taken: u16) -> Result<(), NoBlock> {
        self.rejections += 1;
        if self.rejections >= MAX_BLOCKS {
            return Err(NoBlock::Contended(MAX_BLOCKS));
        }
        self.refused.insert(taken);
        let used = self.gathered.used_node_ports.union(&self.refused).copied().collect();
        self.ports = plan_ports(&self.server.ports, self.gathered.live.service.as_ref(), &used)?;
        Ok(())
    }

    /// The server.
    pub fn server(&self) -> &ValidatedServer {
        self.server
    }

    /// The accounts of its ftpd.
    pub fn accounts(&self) -> &Accounts {
        &self.resolved.accounts
    }

    /// Its DSA key, where X-SafeTP1 is listed.
    pub fn signing_key(&self) -> Option<&ServerSigningKey> {
        self.signing_key.as_ref()
    }

    /// Its address.
    pub fn addressing(&self) -> &Addressing {
        &self.addressing
    }

    /// Its certificate.
    pub fn certificate(&self) -> &ServerCertificate {
        &self.certificate
    }

    /// Its ports.
    pub fn ports(&self) -> PortPlan {
        self.ports
    }

    /// The logins, for the status of its users.
    pub fn into_resolved(self) -> Resolved {
        self.resolved
    }
}

#[cfg(test)]
pub mod tests;
