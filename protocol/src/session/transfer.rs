//! A transfer between its command and its last reply.

use std::time::Instant;

use super::{DataSecurity, Expected, Failure, Output, Phase, Session, Transfer, channel::Origin, client::line_of};
use crate::{
    command::{Argument, TransferVerb, Type},
    dialect::Word,
    reply::Reply,
    security::{
        DataProtection,
        safetp1::{Level, TransferNumber},
    },
};

/// SP 800-67 Rev. 2 bounds what one key of 3DES may encrypt: after that, equal blocks of ciphertext tell of the plaintext.
const KEY_WORN_OUT: &str = "This session's key has encrypted 1 GiB in this direction, which is all that 3DES is good for: \
                            connect again for a new key (SP 800-67).";

#[derive(Debug)]
pub(super) struct State {
    pub(super) stage: Stage,
    transfer: Transfer,
    /// Why it fails: the first reason is the one that the client is told.
    failure: Option<Failure>,
    /// ABOR came, and gets its own reply after the transfer's.
    aborted: bool,
    /// A block of X-SafeTP1 did not verify.
    unverified: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The backend's 150 is awaited.
    Opening,
    /// Octets move.
    Running,
    /// The backend knows how it went and finishes.
    Finishing,
}

impl Session {
    /// The transfer that [`Output::StartTransfer`] began has ended.
    pub fn handle_transfer_ended(&mut self, outcome: Result<(), Failure>, now: Instant) {
        let Phase::Transferring(state) = &mut self.phase else { return };
        if state.stage != Stage::Running {
            return;
        }
        state.stage = Stage::Finishing;
        state.unverified = outcome == Err(Failure::Tampered) && state.transfer.security.is_blocks();
        state.failure = state.failure.or(outcome.err());
        let word = state.failure.map_or(Word::Complete, |failure| Word::Failed(failure.cause()));
        self.ask_backend(word.line(), Expected::Transfer, now);
    }

    pub(super) fn handle_transfer(
        &mut self,
        verb: TransferVerb,
        argument: Option<&Argument>,
        origin: Origin,
        now: Instant,
    ) {
        let Some(route) = self.route else {
            return self.reply(425, "Use PASV or EPSV first.");
        };
        if verb.is_file() && self.rest > 0 && self.transfer_type == Type::Ascii {
            // RFC 3659 §5.3 counts octets as sent, but what is stored has other line ends.
            return self.reply(504, "REST works with TYPE I only.");
        }
        let security = self.data_security(origin);
        if self.key_is_worn_out(verb, security) {
            return self.reply(534, KEY_WORN_OUT);
        }
        self.rest = 0;
        let mut line = line_of(verb.as_str(), argument);
        line.extend_from_slice(b"\r\n");
        self.ask_backend(line, Expected::Transfer, now);
        let convert = verb.is_file() && self.transfer_type == Type::Ascii;
        let transfer = Transfer { verb, route, security, convert };
        let state = State { stage: Stage::Opening, transfer, failure: None, aborted: false, unverified: false };
        self.phase = Phase::Transferring(state);
    }

    pub(super) fn handle_transfer_reply(&mut self, reply: &Reply, now: Instant) {
        let Phase::Transferring(state) = &mut self.phase else { return };
        match state.stage {
            Stage::Opening if reply.code().is_preliminary() => self.begin_moving(reply, now),
            Stage::Opening | Stage::Running => {
                // Refused: 550 and the like. The port was for this transfer.
                self.give_up_port();
                self.end_transfer(reply);
            }
            // It still works on the end of an upload.
            Stage::Finishing if reply.code().is_preliminary() => {
                self.expected.push_front(Expected::Transfer);
                self.asked_backend = now;
            }
            Stage::Finishing => {
                let reply = state.failure.map_or_else(|| reply.clone(), Failure::reply);
                self.end_transfer(&reply);
            }
        }
    }

    /// X-SafeTP1 numbers a transfer by its command, so that none of its blocks fits another.
    fn data_security(&self, origin: Origin) -> DataSecurity {
        let level = match self.protection.data() {
            DataProtection::Clear => return DataSecurity::Clear,
            DataProtection::Safe => Level::Safe,
            DataProtection::Private => Level::Private,
        };
        match (origin, self.protection.block_size()) {
            (Origin::SafeTp1(number), Some(size)) => {
                DataSecurity::Blocks { level, number: TransferNumber(number), size }
            }
            _ => DataSecurity::Tls,
        }
    }

    /// Whether the key of this direction has encrypted as much as it may.
    fn key_is_worn_out(&self, verb: TransferVerb, security: DataSecurity) -> bool {
        let is_encrypted = matches!(security, DataSecurity::Blocks { level: Level::Private, .. });
        let keys = self.data_keys.as_ref().filter(|_| is_encrypted);
        keys.is_some_and(|keys| if verb.is_upload() { keys.opening_is_worn_out() } else { keys.sealing_is_worn_out() })
    }

    pub(super) fn abort_by_client(&mut self) {
        if let Phase::Transferring(state) = &mut self.phase {
            state.aborted = true;
        }
        self.abort(Failure::Aborted);
    }

    pub(super) fn abort(&mut self, failure: Failure) {
        let Phase::Transferring(state) = &mut self.phase else { return };
        // What is finishing has moved all its octets already.
        if state.stage == Stage::Finishing {
            return;
        }
        state.failure = state.failure.or(Some(failure));
        if state.stage == Stage::Running {
            self.outputs.push_back(Output::AbortTransfer);
        }
    }

    fn begin_moving(&mut self, reply: &Reply, now: Instant) {
        let Phase::Transferring(state) = &mut self.phase else { return };
        self.route = None;
        state.stage = Stage::Running;
        if let Some(failure) = state.failure {
            self.give_up_port();
            self.outputs.push_back(Output::DropDescriptor);
            return self.handle_transfer_ended(Err(failure), now);
        }
        let transfer = state.transfer;
        self.send(reply);
        self.outputs.push_back(Output::StartTransfer(transfer));
    }

    fn end_transfer(&mut self, reply: &Reply) {
        let Phase::Transferring(State { aborted, unverified, .. }) = self.phase else { return };
        self.send(reply);
        if aborted {
            self.reply(226, "ABOR done.");
        }
        self.phase = Phase::Ready;
        if unverified {
            // Whoever could try once more on the same keys would learn from each failure.
            self.close(&Reply::new(
                421,
                "A block did not verify, so this session's keys are not used again; reconnect.",
            ));
        }
    }
}
