//! Settings of one session, which it keeps until its end.

use std::{sync::Arc, time::Duration};

use crate::{policy::Demands, security::safetp1::SigningKey};

/// Answer to AUTH TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not among the mechanisms: 504.
    NotOffered,
    /// Offered, but there is no usable certificate yet: 431.
    NotReady,
    /// 234.
    Ready,
}

/// Answer to AUTH X-SafeTP1.
#[derive(Clone, Debug)]
pub enum SafeTp1 {
    /// Not among the mechanisms: 504.
    NotOffered,
    /// Offered, but there is no usable key yet: 431.
    NotReady,
    /// 334, once an external address is known.
    Ready(Arc<SigningKey>),
}

/// Settings that a session gets at its beginning and keeps when the configuration changes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Protection that is required.
    pub demands: Demands,
    /// Answer to AUTH TLS.
    pub tls: Tls,
    /// Answer to AUTH X-SafeTP1.
    pub safetp1: SafeTp1,
    /// Longest command line, in octets without its end.
    pub max_line: usize,
    /// Time from the client's first octet to a finished login.
    pub login_time: Duration,
    /// Time without a command or a transfer until 421.
    pub idle_time: Duration,
}

impl Settings {
    pub(super) fn offers_tls(&self) -> bool {
        self.tls != Tls::NotOffered
    }

    pub(super) fn offers_safetp1(&self) -> bool {
        !matches!(self.safetp1, SafeTp1::NotOffered)
    }

    /// Names of the mechanisms that are offered, as AUTH takes them.
    pub(super) fn mechanisms(&self) -> Vec<&'static str> {
        let (tls, safetp1) = (self.offers_tls().then_some("TLS"), self.offers_safetp1().then_some("X-SafeTP1"));
        tls.into_iter().chain(safetp1).collect()
    }

    /// The command that leads to protection here, for replies that ask for it.
    pub(super) fn auth_command(&self) -> &'static str {
        if self.offers_safetp1() && !self.offers_tls() { "AUTH X-SafeTP1" } else { "AUTH TLS" }
    }
}
