//! Why the reconcile of a server failed.

use super::{
    apply::ApplyError,
    decide::{DecideError, node_ports::NoBlock},
    gather::GatherError,
    objects::BuildError,
    observe::AnnotateError,
};
use crate::{conditions::Verdict, reconcile::ReconcileError, status::StatusError};

/// Failure of the reconcile of a server, by stage.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The server's objects could not be read.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// A certificate or the hash of a password could not be created.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// No block of node ports is free.
    #[error(transparent)]
    NoBlock(#[from] NoBlock),
    /// A file of the pod could not be written as JSON.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// An object could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A pod could not be annotated.
    #[error(transparent)]
    Annotate(#[from] AnnotateError),
    /// The status could not be written.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The reconcile took longer than its deadline.
    #[error("failed to finish within 30 seconds")]
    Deadline,
}

impl ServerError {
    /// Content of Ready if a retry alone cannot help; `None` if it may.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::NoBlock(none) => Some(none.verdict()),
            Self::Apply(error) => error.verdict(),
            Self::Gather(_)
            | Self::Decide(_)
            | Self::Build(_)
            | Self::Annotate(_)
            | Self::Status(_)
            | Self::Deadline => None,
        }
    }
}

impl ReconcileError for ServerError {
    fn deadline() -> Self {
        Self::Deadline
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Gather(_) => "gather",
            Self::Decide(DecideError::Issue(_)) => "issue",
            Self::Decide(DecideError::Hash(_)) => "hash",
            Self::NoBlock(_) => "ports",
            Self::Build(_) => "build",
            Self::Apply(_) => "apply",
            Self::Annotate(_) => "annotate",
            Self::Status(_) => "status",
            Self::Deadline => "deadline",
        }
    }
}
