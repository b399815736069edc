//! AUTH and ADAT: the way from a clear channel to a protected one (RFC 2228 §3, RFC 4217 §4, docs/x-safetp1.md).

use std::{sync::Arc, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    Answer, Output, Question, SafeTp1, Session, Tls, channel::ChannelSecurity, exchange::Exchange, phase::Phase,
};
use crate::{
    reply::Reply,
    security::{
        DataProtection, Mechanism,
        safetp1::{
            Secured, ServerIp, SigningKey,
            server::{self, AwaitingKey, AwaitingProof, Rejected},
        },
    },
};

impl Session {
    /// The question of [`Output::Negotiate`].
    pub fn take_question(&mut self) -> Option<Question> {
        self.negotiation.take_question()
    }

    /// The question is answered.
    pub fn handle_answer(&mut self, answer: Answer, now: Instant) {
        if !matches!(self.phase, Phase::Negotiating) {
            return;
        }
        self.phase = Phase::Ready;
        self.clocks.note_activity(now);
        match answer.0 {
            Ok((exchange, message)) => {
                self.negotiation.set(Exchange::AwaitingProof(Box::new(exchange)));
                self.send_adat(335, &message);
            }
            Err(rejected) => self.fail_exchange(rejected),
        }
        self.advance(now);
    }

    /// RFC 4217 has `TLS` alone. Of the names in its drafts `TLS-C` means the same, and `SSL` and `TLS-P` mean that
    /// data connections are private without PBSZ and PROT: such clients begin TLS on them unasked.
    pub(super) fn handle_auth(&mut self, mechanism: &str) {
        // Another AUTH begins anew.
        self.negotiation.take();
        match mechanism {
            "TLS" | "TLS-C" => self.handle_auth_tls(DataProtection::Clear),
            "SSL" | "TLS-P" => self.handle_auth_tls(DataProtection::Private),
            "X-SAFETP1" => self.handle_auth_safetp1(),
            _ => self.refuse_mechanism(),
        }
    }

    pub(super) fn handle_adat(&mut self, message: Vec<u8>, now: Instant) {
        match self.negotiation.take() {
            Some(Exchange::AwaitingKey(exchange)) => self.question(exchange, message),
            Some(Exchange::AwaitingProof(exchange)) => self.prove(*exchange, &message, now),
            // Nothing else is read while a question is open.
            Some(Exchange::Asked(_) | Exchange::Answering) | None => {
                self.reply(503, "ADAT comes after AUTH X-SafeTP1.");
            }
        }
    }

    fn refuse_mechanism(&mut self) {
        let text = format!("This server does not offer this mechanism; use {}.", self.settings.auth_command());
        self.reply(504, &text);
    }

    fn handle_auth_tls(&mut self, implied: DataProtection) {
        let tls = self.settings.tls;
        match tls {
            Tls::NotOffered => self.refuse_mechanism(),
            Tls::NotReady => self.reply(431, "There is no usable certificate yet; try again."),
            Tls::Ready if self.refuses_what_waits() => {}
            Tls::Ready => {
                self.reply(234, "Begin the TLS handshake.");
                self.outputs.push_back(Output::StartTls);
                self.phase = Phase::Handshaking(implied);
            }
        }
    }

    fn handle_auth_safetp1(&mut self) {
        let key = match &self.settings.safetp1 {
            SafeTp1::NotOffered => return self.refuse_mechanism(),
            SafeTp1::NotReady => return self.reply(431, "There is no usable key yet; try again."),
            SafeTp1::Ready(key) => Arc::clone(key),
        };
        if self.server_ip().is_none() {
            return self.reply(431, "No external address is known yet; try again.");
        }
        if !self.refuses_what_waits() {
            self.begin_exchange(key);
        }
    }

    fn begin_exchange(&mut self, key: Arc<SigningKey>) {
        if self.negotiation.is_used_up() {
            return self.close_after_exchanges();
        }
        let (exchange, message) = server::begin(key);
        self.negotiation.begin(exchange);
        self.send_adat(334, &message);
    }

    fn question(&mut self, exchange: AwaitingKey, message: Vec<u8>) {
        if self.refuses_what_waits() {
            return;
        }
        let Some(server_ip) = self.server_ip() else {
            return self.reply(431, "The external address was lost; try again.");
        };
        self.negotiation.set(Exchange::Asked(Box::new(Question { exchange, message, server_ip })));
        self.phase = Phase::Negotiating;
        self.outputs.push_back(Output::Negotiate);
    }

    fn prove(&mut self, exchange: AwaitingProof, message: &[u8], now: Instant) {
        if self.refuses_what_waits() {
            return;
        }
        match exchange.finish(message) {
            Ok(secured) => self.protect(secured, now),
            Err(rejected) => self.fail_exchange(rejected),
        }
    }

    fn protect(&mut self, secured: Secured, now: Instant) {
        self.reply(235, "This session is protected from now on.");
        self.forget_the_clear(now);
        self.channel.change(ChannelSecurity::SafeTp1(Box::new(secured)));
        self.protection.handle_protected(Mechanism::SafeTp1);
    }

    fn fail_exchange(&mut self, rejected: Rejected) {
        self.reply(535, &format!("Refused: {rejected}."));
        if self.negotiation.is_used_up() {
            self.close_after_exchanges();
        }
    }

    fn close_after_exchanges(&mut self) {
        self.close(&Reply::new(421, "This session has begun too many exchanges; connect again."));
    }

    fn send_adat(&mut self, code: u16, message: &[u8]) {
        self.reply(code, &format!("ADAT={}", BASE64.encode(message)));
    }

    /// Octets in the clear channel after AUTH or ADAT may be an attacker's, so they must never be read as protected. A
    /// client that waits for its reply sends none.
    fn refuses_what_waits(&mut self) -> bool {
        let waits = self.channel.holds_anything();
        if waits {
            self.close(&Reply::new(421, "Commands sent before the reply to AUTH or ADAT are rejected."));
        }
        waits
    }

    /// The address that this client has dialled, for the signed message.
    fn server_ip(&self) -> Option<ServerIp> {
        self.address.dialled_from(self.client.address).map(ServerIp::from)
    }
}
