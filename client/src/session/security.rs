//! The choice of a mechanism, and the step from clear text to protection.

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

/// The protection of a session, with what its data connections need from it.
#[derive(Debug)]
pub(super) enum Security {
    /// None, by `--insecure-clear-text`.
    Clear,
    Tls(tls::Connector),
    SafeTp1(DataKeys),
}

/// Protects the control connection. A failure is not followed by another attempt with less.
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
        Choice::Tls { was_used } => {
            let connector = tls::Connector::new(server, options)?;
            match authenticate(control, server, "TLS", 234).await {
                Err(Failure::Security(SecurityError::NotOffered { server, reply, .. })) if was_used => {
                    return Err(SecurityError::Downgraded { server, reply }.into());
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
                return Err(SecurityError::TlsHidden { server: server.clone() }.into());
            }
            Ok(Security::SafeTp1(keys))
        }
    }
}

/// The chosen mechanism.
enum Choice {
    /// `was_used`: in an earlier session with this server.
    Tls { was_used: bool },
    /// `is_fallback`: chosen because TLS was not listed in the clear, and not by `--mechanism`.
    SafeTp1 { is_fallback: bool },
}

/// TLS, unless the person has asked for X-SafeTP1: by `--mechanism`, or by storing a key of this server, where TLS is
/// not listed. The list comes in the clear, so a man in the middle can force the choice, but not with a server that has
/// used TLS before: it is not asked.
async fn choose(control: &mut Control, server: &Server, options: &Options) -> Result<Choice> {
    let known = &options.known_servers;
    let was_used = known.tls(server)?.was_used;
    match options.mechanism {
        Some(Mechanism::SafeTp1) => return Ok(Choice::SafeTp1 { is_fallback: false }),
        Some(Mechanism::Tls) => return Ok(Choice::Tls { was_used }),
        None if was_used || !known.has_key(server)? => return Ok(Choice::Tls { was_used }),
        None => {}
    }
    let lists_tls = features(control).await?.lists_auth("TLS");
    Ok(if lists_tls { Choice::Tls { was_used } } else { Choice::SafeTp1 { is_fallback: true } })
}

async fn features(control: &mut Control) -> Result<Features> {
    control.send(&CommandLine::verb("FEAT")).await?;
    Ok(Features::of(&control.reply().await?))
}

/// A note that cannot be written is not a failure: without it the next session is as safe as this one.
fn note_tls(server: &Server, options: &Options) {
    if let Err(error) = options.known_servers.note_tls(server)
        && options.dialogue.all
    {
        terminal::tell(&format!("cannot note that {server} uses TLS: {error}"));
    }
}

/// Asks the person at the terminal to accept a certificate that no trusted CA has signed. Without a terminal: no.
pub(super) fn is_accepted(server: &Server, facts: &CertificateFacts) -> Result<bool> {
    if !terminal::is_attended() {
        return Ok(false);
    }
    let time = |time: Option<Timestamp>| time.map_or_else(|| "?".into(), |time| time.to_string());
    let question = format!(
        "No trusted CA has signed the certificate of {server}. It is for {}, valid from {} to {}.\nIts SHA-256 \
         fingerprint is\n  {}\nIs this the fingerprint that its administrator gives? (yes/no) ",
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
