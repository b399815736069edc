//! TYPE, MODE, STRU (RFC 959 §4.1.2) and OPTS (RFC 2389 §4).

use safetp_protocol::command::Type;

use super::{answer::Answer, hashes};
use crate::{
    files::{Refusal, facts::Facts},
    session::Session,
};

/// Only SIZE heeds it: the gateway converts.
pub(super) fn representation(session: &mut Session, representation: Type) -> Answer {
    session.representation = representation;
    Answer::reply(200, format!("TYPE is {}.", letter(representation)))
}

/// As TYPE and STAT call it.
pub(super) fn letter(representation: Type) -> char {
    match representation {
        Type::Ascii => 'A',
        Type::Image => 'I',
    }
}

pub(super) fn mode(argument: &str) -> Result<Answer, Refusal> {
    only(argument, "S", "Only MODE S is served.")
}

pub(super) fn structure(argument: &str) -> Result<Answer, Refusal> {
    only(argument, "F", "Only STRU F is served.")
}

fn only(argument: &str, served: &str, refusal: &'static str) -> Result<Answer, Refusal> {
    if argument.eq_ignore_ascii_case(served) {
        return Ok(Answer::reply(200, "OK."));
    }
    Err(if argument.is_empty() { Refusal::Arguments(refusal) } else { Refusal::Parameter(refusal) })
}

pub(super) fn opts(session: &mut Session, argument: &str) -> Result<Answer, Refusal> {
    let (option, value) = argument.split_once(' ').unwrap_or((argument, ""));
    match option.to_ascii_uppercase().as_str() {
        "UTF8" => utf8(session, value),
        "HASH" => hashes::opts(value),
        "MLST" => {
            session.account()?;
            session.facts = Facts::select(value);
            Ok(Answer::reply(200, format!("MLST OPTS {}", session.facts.names())))
        }
        _ => Err(Refusal::Arguments("Only OPTS HASH, OPTS MLST and OPTS UTF8 are known.")),
    }
}

/// Where a name encoding is set, it holds for clients that do not say this.
fn utf8(session: &mut Session, value: &str) -> Result<Answer, Refusal> {
    match (value.to_ascii_uppercase().as_str(), session.encoding.name()) {
        ("ON" | "", _) => {
            session.utf8 = true;
            Ok(Answer::reply(200, "Names are UTF-8."))
        }
        ("OFF", Some(encoding)) => {
            session.utf8 = false;
            Ok(Answer::reply(200, format!("Names are in {encoding}.")))
        }
        _ => Err(Refusal::Parameter("Names are always UTF-8.")),
    }
}
