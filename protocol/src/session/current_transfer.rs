//! One transfer, from its command to its last reply.

use super::{failure::Failure, output::Transfer};
use crate::{dialect::Word, reply::Reply};

/// The transfer that is under way.
#[derive(Debug)]
pub(super) struct CurrentTransfer {
    stage: TransferStage,
    transfer: Transfer,
    /// The first reason for which it fails: the one that the client gets.
    failure: Option<Failure>,
    /// ABOR came, and gets its own reply after the transfer's.
    aborted: bool,
    /// A block of X-SafeTP1 did not verify.
    unverified: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransferStage {
    /// The backend's 150 is awaited.
    Opening,
    /// Octets move.
    Running,
    /// The backend knows how the transfer went and finishes.
    Finishing,
}

impl CurrentTransfer {
    /// A transfer that the backend has just been asked to open.
    pub(super) fn new(transfer: Transfer) -> Self {
        Self { stage: TransferStage::Opening, transfer, failure: None, aborted: false, unverified: false }
    }

    pub(super) fn stage(&self) -> TransferStage {
        self.stage
    }

    /// The backend has opened the file. Fails if the transfer has failed already, and so must not begin.
    pub(super) fn run(&mut self) -> Result<Transfer, Failure> {
        self.stage = TransferStage::Running;
        self.failure.map_or(Ok(self.transfer), Err)
    }

    /// Notes why the transfer fails. True if octets move, which has to stop; what is finishing has moved all of them.
    pub(super) fn fail(&mut self, failure: Failure) -> bool {
        if self.stage != TransferStage::Finishing {
            self.failure = self.failure.or(Some(failure));
        }
        self.stage == TransferStage::Running
    }

    /// The client has sent ABOR.
    pub(super) fn note_abort(&mut self) {
        self.aborted = true;
    }

    /// No more octets move. Returns what the backend has to know, or None if none were moving.
    pub(super) fn finish(&mut self, outcome: Result<(), Failure>) -> Option<Word> {
        if self.stage != TransferStage::Running {
            return None;
        }
        self.stage = TransferStage::Finishing;
        self.unverified = outcome == Err(Failure::Tampered) && self.transfer.security.is_blocks();
        self.failure = self.failure.or(outcome.err());
        Some(self.failure.map_or(Word::Complete, |failure| Word::Failed(failure.cause())))
    }

    /// The last reply, where the backend's is this.
    pub(super) fn last_reply(&self, backend: &Reply) -> Reply {
        self.failure.map_or_else(|| backend.clone(), Failure::reply)
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.aborted
    }

    pub(super) fn is_unverified(&self) -> bool {
        self.unverified
    }
}
