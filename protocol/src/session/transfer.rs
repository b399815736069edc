//! A transfer between its command and its last reply.

use std::time::Instant;

use super::{
    DataSecurity, Failure, Output, Session, Transfer,
    backend_link::Expected,
    commands::line_of,
    current_transfer::{CurrentTransfer, TransferStage},
    held::CommandSecurity,
    phase::Phase,
};
use crate::{
    command::{Argument, TransferVerb, Type},
    reply::Reply,
    security::{
        DataProtection,
        safetp1::{Level, TransferNumber},
    },
};

/// SP 800-67 Rev. 2 bounds what one key of 3DES may encrypt: beyond it, equal blocks of ciphertext reveal plaintext.
const KEY_WORN_OUT: &str = "This session's key has encrypted 1 GiB in this direction, the most that 3DES allows \
                            (SP 800-67): connect again for a new key.";

impl Session {
    /// The transfer that [`Output::StartTransfer`] began has ended.
    pub fn handle_transfer_ended(&mut self, outcome: Result<(), Failure>, now: Instant) {
        let Phase::Transferring(transfer) = &mut self.phase else { return };
        if let Some(word) = transfer.finish(outcome) {
            self.ask_backend(word.line(), Expected::Transfer, now);
        }
    }

    pub(super) fn handle_transfer(
        &mut self,
        verb: TransferVerb,
        argument: Option<&Argument>,
        command_security: CommandSecurity,
        now: Instant,
    ) {
        let Some(route) = self.parameters.route else {
            return self.reply(425, "Use PASV or EPSV first.");
        };
        if verb.is_file() && self.parameters.rest > 0 && self.parameters.transfer_type == Type::Ascii {
            // RFC 3659 §5.3 counts octets as sent, but what is stored has other line ends.
            return self.reply(504, "REST works with TYPE I only.");
        }
        let security = self.data_security(command_security);
        if self.key_is_worn_out(verb, security) {
            return self.reply(534, KEY_WORN_OUT);
        }
        self.parameters.rest = 0;
        let mut line = line_of(verb.as_str(), argument);
        line.extend_from_slice(b"\r\n");
        self.ask_backend(line, Expected::Transfer, now);
        let convert = verb.is_file() && self.parameters.transfer_type == Type::Ascii;
        let transfer = Transfer { verb, route, security, convert };
        self.phase = Phase::Transferring(CurrentTransfer::new(transfer));
    }

    pub(super) fn handle_transfer_reply(&mut self, reply: &Reply, now: Instant) {
        let Phase::Transferring(transfer) = &self.phase else { return };
        match transfer.stage() {
            TransferStage::Opening if reply.code().is_preliminary() => self.begin_moving(reply, now),
            TransferStage::Opening | TransferStage::Running => {
                // Refused: 550 and the like. The port was for this transfer.
                self.give_up_port();
                self.end_transfer(reply);
            }
            // It still works on the end of an upload.
            TransferStage::Finishing if reply.code().is_preliminary() => {
                self.backend.expect_another(Expected::Transfer);
                self.backend.restart_clock(now);
            }
            TransferStage::Finishing => {
                let reply = transfer.last_reply(reply);
                self.end_transfer(&reply);
            }
        }
    }

    /// X-SafeTP1 numbers a transfer by its command, so that none of its blocks fits another.
    fn data_security(&self, command_security: CommandSecurity) -> DataSecurity {
        let level = match self.protection.data() {
            DataProtection::Clear => return DataSecurity::Clear,
            DataProtection::Safe => Level::Safe,
            DataProtection::Private => Level::Private,
        };
        match (command_security, self.protection.block_size()) {
            (CommandSecurity::SafeTp1(number), Some(size)) => {
                DataSecurity::Blocks { level, number: TransferNumber(number), size }
            }
            _ => DataSecurity::Tls,
        }
    }

    /// Whether the key of this direction has encrypted as much as it may.
    fn key_is_worn_out(&self, verb: TransferVerb, security: DataSecurity) -> bool {
        let is_encrypted = matches!(security, DataSecurity::Blocks { level: Level::Private, .. });
        let keys = self.data_keys().filter(|_| is_encrypted);
        keys.is_some_and(|keys| if verb.is_upload() { keys.opening_is_worn_out() } else { keys.sealing_is_worn_out() })
    }

    pub(super) fn abort_by_client(&mut self) {
        if let Phase::Transferring(transfer) = &mut self.phase {
            transfer.note_abort();
        }
        self.abort(Failure::Aborted);
    }

    pub(super) fn abort(&mut self, failure: Failure) {
        if let Phase::Transferring(transfer) = &mut self.phase
            && transfer.fail(failure)
        {
            self.outputs.push_back(Output::AbortTransfer);
        }
    }

    fn begin_moving(&mut self, reply: &Reply, now: Instant) {
        let Phase::Transferring(transfer) = &mut self.phase else { return };
        self.parameters.route = None;
        match transfer.run() {
            Ok(transfer) => {
                self.send(reply);
                self.outputs.push_back(Output::StartTransfer(transfer));
            }
            Err(failure) => {
                self.give_up_port();
                self.outputs.push_back(Output::DropDescriptor);
                self.handle_transfer_ended(Err(failure), now);
            }
        }
    }

    fn end_transfer(&mut self, reply: &Reply) {
        let Phase::Transferring(transfer) = &self.phase else { return };
        let (aborted, unverified) = (transfer.is_aborted(), transfer.is_unverified());
        self.send(reply);
        if aborted {
            self.reply(226, "ABOR done.");
        }
        self.phase = Phase::Ready;
        if unverified {
            // An attacker who could try again on the same keys would learn from each failure.
            self.close(&Reply::new(
                421,
                "A block did not verify, so this session's keys are not used again; reconnect.",
            ));
        }
    }
}
