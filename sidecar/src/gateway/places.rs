//! Admission: users have the places that the configuration gives them, and strangers, who have not logged in, a budget
//! of their own. So no number of strangers keeps a user out. Pure bookkeeping: `sessions` and `place` carry out what is
//! decided here.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    time::Instant,
};

use safetp_config::gateway::Limits;
use safetp_protocol::{data_ports::SessionId, origin::Origin, reply::Reply, session::Progress};

/// One origin gets one in so many of all places for strangers: several origins must join to fill the whole budget.
const PART_OF_ONE_ORIGIN: usize = 4;

/// The order in which strangers go when room is needed: those who never spoke before the others, and in each group the
/// one without progress for the longest time first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    group: Group,
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Silent,
    Speaking,
    /// It waits for its password to be checked, so it stays.
    Checked,
}

impl From<Progress> for Group {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Silent => Self::Silent,
            Progress::Speaking | Progress::Protected => Self::Speaking,
            Progress::LoggingIn | Progress::LoggedIn => Self::Checked,
        }
    }
}

/// Reason why a session does not begin, or ends at its login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Draining,
    Full,
    PeerFull,
    Strangers,
    Displaced,
}

impl Refused {
    pub(crate) fn reply(self) -> Reply {
        Reply::new(
            421,
            match self {
                Self::Draining => "The server is shutting down; connect again.",
                Self::Full => "This server has as many sessions as it is allowed; try again.",
                Self::PeerFull => "Your address has as many sessions as one address is allowed; try again.",
                Self::Strangers => "Too many connections wait for their logins to be checked; try again.",
                Self::Displaced => "Other connections needed the room; try again.",
            },
        )
    }

    /// The name for metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Full => "sessions",
            Self::PeerFull => "sessions_per_peer",
            Self::Strangers => "strangers",
            Self::Displaced => "displaced",
        }
    }
}

/// All sessions, strangers and users.
#[derive(Debug)]
pub(crate) struct Places {
    strangers: Strangers,
    users: Users,
}

impl Places {
    pub(crate) fn new(most_strangers: usize) -> Self {
        Self { strangers: Strangers::new(most_strangers), users: Users::default() }
    }

    /// Admits a stranger. Returns the one that must go for it, if any.
    pub(crate) fn admit(
        &mut self,
        session: SessionId,
        peer: IpAddr,
        limits: &Limits,
        now: Instant,
    ) -> Result<Option<SessionId>, Refused> {
        // Now rather than after the work of a login that could not succeed.
        self.users.refusal(peer, limits)?;
        self.strangers.admit(session, peer.into(), now)
    }

    /// Notes that a session has come further.
    pub(crate) fn note(&mut self, session: SessionId, progress: Progress, now: Instant) {
        self.strangers.note(session, progress.into(), now);
    }

    /// Makes a stranger a user.
    pub(crate) fn promote(&mut self, session: SessionId, peer: IpAddr, limits: &Limits) -> Result<(), Refused> {
        self.users.refusal(peer, limits)?;
        if !self.strangers.remove(session) {
            return Err(Refused::Displaced);
        }
        self.users.add(peer);
        Ok(())
    }

    /// Frees the place of a user that has left.
    pub(crate) fn remove_user(&mut self, peer: IpAddr) {
        self.users.remove(peer);
    }

    /// Frees the place of a stranger that has left, unless it was displaced before.
    pub(crate) fn remove_stranger(&mut self, session: SessionId) {
        self.strangers.remove(session);
    }

    pub(crate) fn is_stranger(&self, session: SessionId) -> bool {
        self.strangers.known.contains_key(&session)
    }
}

/// Sessions that have logged in, in all and by peer.
#[derive(Debug, Default)]
struct Users {
    total: u32,
    by_peer: HashMap<IpAddr, u32>,
}

impl Users {
    fn refusal(&self, peer: IpAddr, limits: &Limits) -> Result<(), Refused> {
        let of_peer = self.by_peer.get(&peer).copied().unwrap_or_default();
        if self.total >= limits.sessions {
            Err(Refused::Full)
        } else if limits.sessions_per_peer > 0 && of_peer >= limits.sessions_per_peer {
            Err(Refused::PeerFull)
        } else {
            Ok(())
        }
    }

    fn add(&mut self, peer: IpAddr) {
        self.total += 1;
        *self.by_peer.entry(peer).or_default() += 1;
    }

    fn remove(&mut self, peer: IpAddr) {
        self.total = self.total.saturating_sub(1);
        if let Some(of_peer) = self.by_peer.get_mut(&peer) {
            *of_peer = of_peer.saturating_sub(1);
            if *of_peer == 0 {
                self.by_peer.remove(&peer);
            }
        }
    }
}

/// Sessions that have not logged in, in the order in which they would go.
#[derive(Debug)]
struct Strangers {
    most: usize,
    known: HashMap<SessionId, (Origin, Rank)>,
    order: BTreeSet<(Rank, SessionId)>,
    by_origin: HashMap<Origin, BTreeSet<(Rank, SessionId)>>,
}

impl Strangers {
    fn new(most: usize) -> Self {
        Self { most, known: HashMap::new(), order: BTreeSet::new(), by_origin: HashMap::new() }
    }

    fn admit(&mut self, session: SessionId, origin: Origin, now: Instant) -> Result<Option<SessionId>, Refused> {
        let first = self.first_to_go(origin);
        if first.is_some_and(|(rank, _)| rank.group == Group::Checked) {
            return Err(Refused::Strangers);
        }
        let displaced = first.map(|(_, session)| session).filter(|displaced| self.remove(*displaced));
        self.insert(session, origin, Rank { group: Group::Silent, since: now });
        Ok(displaced)
    }

    /// The stranger that must go before another of this origin can come.
    fn first_to_go(&self, origin: Origin) -> Option<(Rank, SessionId)> {
        let most_of_one = (self.most / PART_OF_ONE_ORIGIN).max(1);
        let crowded = self.by_origin.get(&origin).filter(|of_origin| of_origin.len() >= most_of_one);
        let full = (self.known.len() >= self.most).then_some(&self.order);
        crowded.or(full).and_then(BTreeSet::first).copied()
    }

    fn note(&mut self, session: SessionId, group: Group, now: Instant) {
        if let Some(&(origin, _)) = self.known.get(&session) {
            self.remove(session);
            self.insert(session, origin, Rank { group, since: now });
        }
    }

    fn insert(&mut self, session: SessionId, origin: Origin, rank: Rank) {
        self.known.insert(session, (origin, rank));
        self.order.insert((rank, session));
        self.by_origin.entry(origin).or_default().insert((rank, session));
    }

    /// Returns false if it was not there.
    fn remove(&mut self, session: SessionId) -> bool {
        let Some((origin, rank)) = self.known.remove(&session) else { return false };
        self.order.remove(&(rank, session));
        if let Some(of_origin) = self.by_origin.get_mut(&origin) {
            of_origin.remove(&(rank, session));
            if of_origin.is_empty() {
                self.by_origin.remove(&origin);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
