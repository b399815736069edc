//! The mechanisms: which one it is to be, and the step from clear text to protection.

pub(super) mod safetp1;
pub(super) mod tls;
mod verifier;

use std::net::IpAddr;

use jiff::Timestamp;
use safetp_protocol::{reply::Reply, security::safetp1::DataKeys};

use super::{CommandLine, Features, Mechanism, Options, control::Control, replies::shown};
use crate::{
    certificate::CertificateFacts,
    failure::{ConnectionError, Failure, Result, SecurityError},
    terminal,
    url::Server,
};

/// What protects a session, with what its data connections need of it.
#[derive(Debug)]
pub(super) enum Security {
    /// Nothing: the person has said so.
    Clear,
    Tls(tls::Connector),
    SafeTp1(DataKeys),
}

/// Protects the control connection. After a failure there is no second try with less.
pub(super) async fn protect(
    control: &mut Control,
    server: &Server,
    dialled: IpAddr,
    options: &Options,
) -> Result<Security> {
    if options.insecure_clear_text {
        return Ok(Security::Clear);
    }
    let choice = choose(control, server, options).await?;
    match choice {
        Choice::Tls { was_done } => {
            let connector = tls::Connector::new(server, options)?;
            match authenticate(control, server, "TLS", 234).await {
                Err(Failure::Security(SecurityError::NotOffered { server, reply, .. })) if was_done => {
                    return Err(SecurityError::TalkedDown { server, reply }.into());
                }
                answer => answer?,
            };
            control.start_tls(&connector).await?;
            note_tls(server, options);
            Ok(Security::Tls(connector))
        }
        Choice::SafeTp1 { is_fallback } => {
            let message1 = authenticate(control, server, "X-SafeTP1", 334).await?;
            let keys = safetp1::exchange(control, server, &message1, dialled, options).await?;
            if is_fallback && features(control).await?.lists_auth("TLS") {
                return Err(SecurityError::Hidden { server: server.clone() }.into());
            }
            Ok(Security::SafeTp1(keys))
        }
    }
}

/// Which mechanism it is to be.
enum Choice {
    /// `was_done`: the server has done TLS in an earlier session.
    Tls { was_done: bool },
    /// `is_fallback`: not because the person asked for it now, but because TLS was not listed in the clear.
    SafeTp1 { is_fallback: bool },
}

/// TLS, unless a person has asked for X-SafeTP1: now, or when a key of this server was stored. FEAT comes in the clear, so
/// whoever is in the line could choose between the two; with a server that has once done TLS he is not asked.
async fn choose(control: &mut Control, server: &Server, options: &Options) -> Result<Choice> {
    let known = &options.known_servers;
    let was_done = known.tls(server)?.was_done;
    match options.mechanism {
        Some(Mechanism::SafeTp1) => return Ok(Choice::SafeTp1 { is_fallback: false }),
        Some(Mechanism::Tls) => return Ok(Choice::Tls { was_done }),
        None if was_done || !known.has_key(server)? => return Ok(Choice::Tls { was_done }),
        None => {}
    }
    let lists_tls = features(control).await?.lists_auth("TLS");
    Ok(if lists_tls { Choice::Tls { was_done } } else { Choice::SafeTp1 { is_fallback: true } })
}

async fn features(control: &mut Control) -> Result<Features> {
    control.send(&CommandLine::verb("FEAT")).await?;
    Ok(Features::of(&control.reply().await?))
}

/// Without the note the next session is as safe as this one was, so where it cannot be written nothing is lost yet.
fn note_tls(server: &Server, options: &Options) {
    if let Err(error) = options.known_servers.note_tls(server)
        && options.dialogue.all
    {
        terminal::tell(&format!("cannot note that {server} does TLS: {error}"));
    }
}

/// Whether the person at the terminal, if there is one, stands for a certificate that no CA stands for.
pub(super) fn is_accepted(server: &Server, facts: &CertificateFacts) -> Result<bool> {
    if !terminal::is_attended() {
        return Ok(false);
    }
    let time = |time: Option<Timestamp>| time.map_or_else(|| "?".into(), |time| time.to_string());
    let question = format!(
        "Nobody trusted here has signed the certificate of {server}. It is for {}, valid from {} to {}.\nIts SHA-256 \
         fingerprint is\n  {}\nIs that the one that its administrator gives? (yes/no) ",
        facts.shown_names(),
        time(facts.not_before),
        time(facts.not_after),
        facts.fingerprint
    );
    terminal::is_confirmed(&question)
}

async fn authenticate(control: &mut Control, server: &Server, mechanism: &'static str, code: u16) -> Result<Reply> {
    control.send(&CommandLine::of("AUTH", mechanism)).await?;
    let reply = control.reply().await?;
    match reply.code().number() {
        number if number == code => Ok(reply),
        421 => Err(ConnectionError::Ended(shown(&reply)).into()),
        _ => Err(SecurityError::NotOffered { server: server.clone(), mechanism, reply: shown(&reply) }.into()),
    }
}
