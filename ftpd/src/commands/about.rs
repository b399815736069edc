//! FEAT (RFC 2389 §3), HELP, NOOP, SYST (RFC 959 §4.1.3).

use safetp_protocol::{
    command::{RelayVerb, SessionVerb, TransferVerb},
    reply::Reply,
};

use super::answer::Answer;
use crate::session::Session;

pub(super) fn feat(session: &Session) -> Answer {
    let facts = session.facts.feature();
    let features = ["HASH SHA-256*;", "MDTM", "MFMT", &facts, "REST STREAM", "SIZE", "TVFS", "UTF8"];
    let lines = features.map(|feature| feature.as_bytes().to_vec());
    Answer::Reply(Reply::with_lines(211, "Features:", lines, "End."))
}

/// What is served; the verbs of protection and addresses are the gateway's, which answers HELP by itself.
pub(super) fn help() -> Answer {
    let simple = SessionVerb::ALL.iter().filter(|verb| verb.reaches_ftpd()).map(|verb| verb.as_str());
    let transfers = TransferVerb::ALL.iter().map(|verb| verb.as_str());
    let relayed = RelayVerb::ALL.iter().map(|verb| verb.as_str());
    let names: Vec<&str> = simple.chain(transfers).chain(relayed).collect();
    let lines = names.chunks(8).map(|chunk| chunk.join(" ").into_bytes());
    Answer::Reply(Reply::with_lines(214, "These commands are known:", lines, "End."))
}

pub(super) fn noop() -> Answer {
    Answer::reply(200, "OK.")
}

pub(super) fn syst() -> Answer {
    Answer::reply(215, "UNIX Type: L8")
}
