//! X-SafeTP1's exchange of AUTH and ADAT: where it stands, and how many a session has begun.

use rand_core::CryptoRng;

use crate::security::safetp1::{
    ServerIp,
    server::{AwaitingKey, AwaitingProof, Rejected},
};

/// Exchanges that one session may begin, whether they fail or are abandoned. A client needs one, and each costs us
/// milliseconds of computing.
const MAX_EXCHANGES: u8 = 3;

/// A step of the exchange.
#[derive(Debug)]
pub(super) enum Exchange {
    AwaitingKey(AwaitingKey),
    /// A [`Question`] waits to be fetched.
    Asked(Box<Question>),
    /// The question is being answered.
    Answering,
    AwaitingProof(Box<AwaitingProof>),
}

/// The client's message 2. Answering it takes milliseconds, so this can be done elsewhere meanwhile.
#[derive(Debug)]
pub struct Question {
    pub(super) exchange: AwaitingKey,
    pub(super) message: Vec<u8>,
    pub(super) server_ip: ServerIp,
}

/// Result of a [`Question`].
#[derive(Debug)]
pub struct Answer(pub(super) Result<(AwaitingProof, Vec<u8>), Rejected>);

impl Question {
    /// The expensive step.
    pub fn answer(self, rng: &mut impl CryptoRng) -> Answer {
        Answer(self.exchange.answer(&self.message, self.server_ip, rng))
    }
}

/// The exchange of one session. The count of them is held against the connection: nothing resets it.
#[derive(Debug, Default)]
pub(super) struct Negotiation {
    exchange: Option<Exchange>,
    begun: u8,
}

impl Negotiation {
    /// Begins another exchange.
    pub(super) fn begin(&mut self, exchange: AwaitingKey) {
        self.begun += 1;
        self.exchange = Some(Exchange::AwaitingKey(exchange));
    }

    /// Whether the session may begin no more of them.
    pub(super) fn is_used_up(&self) -> bool {
        self.begun >= MAX_EXCHANGES
    }

    /// Takes the step out, for the next one to follow.
    pub(super) fn take(&mut self) -> Option<Exchange> {
        self.exchange.take()
    }

    pub(super) fn set(&mut self, exchange: Exchange) {
        self.exchange = Some(exchange);
    }

    /// The question that waits to be answered, if one does.
    pub(super) fn take_question(&mut self) -> Option<Question> {
        match self.exchange.take() {
            Some(Exchange::Asked(question)) => {
                self.exchange = Some(Exchange::Answering);
                Some(*question)
            }
            other => {
                self.exchange = other;
                None
            }
        }
    }
}
