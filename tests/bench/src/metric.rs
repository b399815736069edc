//! The metrics: their units and their goals.

use std::collections::BTreeMap;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    DownloadCpu,
    DownloadRate,
    UploadCpu,
    UploadRate,
    LoginCpu,
    LoginRate,
    SmallUploadRate,
    SmallUploadCpu,
    SmallDownloadRate,
    SmallDownloadCpu,
    IdleMemory,
}

/// The goal of SafeTP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// At most this times the lowest of the others, and at most the other number if there is one: the value of the best
    /// server that is not measured here.
    AtMost {
        /// Times the lowest of the others.
        of_best: Option<f64>,
        /// In the row's unit.
        value: Option<f64>,
    },
    /// At least this times the highest of the others.
    AtLeastOfBest(f64),
}

/// The results of one server's turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample(BTreeMap<Metric, f64>);

impl Sample {
    pub(crate) fn set(&mut self, metric: Metric, value: f64) {
        self.0.insert(metric, value);
    }

    pub(crate) fn value(&self, metric: Metric) -> Option<f64> {
        self.0.get(&metric).copied()
    }

    /// For the progress output.
    pub(crate) fn in_one_line(&self) -> String {
        let part = |(metric, value): (&Metric, &f64)| format!("{}: {value:.*}", metric.title(), metric.decimals());
        self.0.iter().map(part).collect::<Vec<_>>().join("; ")
    }
}

impl Metric {
    pub(crate) const ALL: &'static [Self] = &[
        Self::DownloadCpu,
        Self::DownloadRate,
        Self::UploadCpu,
        Self::UploadRate,
        Self::LoginCpu,
        Self::LoginRate,
        Self::SmallUploadRate,
        Self::SmallUploadCpu,
        Self::SmallDownloadRate,
        Self::SmallDownloadCpu,
        Self::IdleMemory,
    ];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::DownloadCpu => "TLS download of 1 GiB, CPU-seconds per GiB",
            Self::DownloadRate => "TLS download of 1 GiB, MiB/s",
            Self::UploadCpu => "TLS upload of 1 GiB, CPU-seconds per GiB",
            Self::UploadRate => "TLS upload of 1 GiB, MiB/s",
            Self::LoginCpu => "login, CPU ms",
            Self::LoginRate => "logins per second",
            Self::SmallUploadRate => "4 KiB files up per second",
            Self::SmallUploadCpu => "4 KiB file up, CPU ms",
            Self::SmallDownloadRate => "4 KiB files down per second",
            Self::SmallDownloadCpu => "4 KiB file down, CPU ms",
            Self::IdleMemory => "idle session, KiB",
        }
    }

    pub(crate) const fn decimals(self) -> usize {
        match self {
            Self::DownloadCpu | Self::UploadCpu | Self::LoginCpu | Self::SmallUploadCpu | Self::SmallDownloadCpu => 2,
            Self::IdleMemory => 1,
            Self::DownloadRate
            | Self::UploadRate
            | Self::LoginRate
            | Self::SmallUploadRate
            | Self::SmallDownloadRate => 0,
        }
    }

    /// The numbers are explained in docs/performance.md.
    pub(crate) const fn goal(self) -> Option<Goal> {
        match self {
            Self::DownloadCpu => Some(Goal::AtMost { of_best: Some(0.75), value: None }),
            Self::UploadCpu => Some(Goal::AtMost { of_best: Some(0.75), value: Some(0.75 * 1.57) }),
            Self::LoginCpu => Some(Goal::AtMost { of_best: Some(0.75), value: Some(0.75 * 0.59) }),
            Self::SmallUploadRate | Self::SmallDownloadRate => Some(Goal::AtLeastOfBest(1.5)),
            Self::IdleMemory => Some(Goal::AtMost { of_best: None, value: Some(25.0) }),
            Self::DownloadRate | Self::UploadRate | Self::LoginRate | Self::SmallUploadCpu | Self::SmallDownloadCpu => {
                None
            }
        }
    }
}
