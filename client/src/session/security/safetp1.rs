//! The exchange of X-SafeTP1 (docs/x-safetp1.md, RFC 2228's AUTH and ADAT), by which both sides get their keys.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use safetp_protocol::{
    reply::Reply,
    security::safetp1::{
        DataKeys, PublicKey, ServerIp,
        client::{self, ClientError},
    },
};

use crate::{
    failure::{Failure, Result, SecurityError},
    known_servers::{KeyStatus, KnownServer},
    session::{CommandLine, Options, control::Control, replies::shown},
    terminal,
    url::Server,
};

/// Runs the exchange from message 1 to 235. Nothing about the user has been sent when it fails.
pub(crate) async fn exchange(
    control: &mut Control,
    server: &Server,
    message1: &Reply,
    dialled: std::net::IpAddr,
    options: &Options,
) -> Result<DataKeys> {
    let proof = |error: ClientError| failure(server, dialled, error);
    let message1 = adat(server, message1)?;
    let (awaiting, message2) = client::begin(&message1, &mut randomness()).map_err(proof)?;
    check_key(server, awaiting.server_key(), options)?;
    let reply = send_adat(control, server, &message2, 335).await?;
    let (secured, message4) = awaiting.finish(&adat(server, &reply)?, ServerIp::from(dialled)).map_err(proof)?;
    send_adat(control, server, &message4, 235).await?;
    control.start_safetp1(secured.control)?;
    Ok(secured.data)
}

async fn send_adat(control: &mut Control, server: &Server, message: &[u8], code: u16) -> Result<Reply> {
    control.send(&CommandLine::of("ADAT", BASE64_STANDARD.encode(message))).await?;
    let reply = control.reply().await?;
    if reply.code().number() == code { Ok(reply) } else { Err(no_proof(server, shown(&reply).to_string()).into()) }
}

fn adat(server: &Server, reply: &Reply) -> Result<Vec<u8>> {
    let base64 = reply.text().strip_prefix(b"ADAT=");
    let message = base64.and_then(|base64| BASE64_STANDARD.decode(base64).ok());
    message.ok_or_else(|| no_proof(server, format!("a message of the exchange is missing: {}", shown(reply))).into())
}

fn no_proof(server: &Server, reason: String) -> SecurityError {
    SecurityError::Proof { server: server.clone(), reason }
}

fn failure(server: &Server, dialled: std::net::IpAddr, error: ClientError) -> Failure {
    match error {
        ClientError::Redirected { signed, .. } => SecurityError::Redirected { signed: signed.into(), dialled }.into(),
        other => no_proof(server, other.to_string()).into(),
    }
}

/// Accepts a known key, never a changed one, and an unknown one only if the person accepts it.
fn check_key(server: &Server, key: &PublicKey, options: &Options) -> Result<()> {
    let shown = KnownServer { server: server.clone(), fingerprint: key.fingerprint() };
    match options.known_servers.look_up(&shown).map_err(SecurityError::from)? {
        KeyStatus::Known => Ok(()),
        KeyStatus::Changed(known) => Err(SecurityError::ChangedKey {
            server: server.clone(),
            fingerprint: shown.fingerprint.to_string(),
            known: known.fingerprint.to_string(),
            file: options.known_servers.file().to_owned(),
            line: known.line,
        }
        .into()),
        KeyStatus::Unknown if options.accept_new_key || is_accepted_by_person(&shown)? => {
            Ok(options.known_servers.add(&shown)?)
        }
        KeyStatus::Unknown => {
            Err(SecurityError::UnknownKey { server: server.clone(), fingerprint: shown.fingerprint.to_string() }.into())
        }
    }
}

fn is_accepted_by_person(shown: &KnownServer) -> Result<bool> {
    if !terminal::is_attended() {
        return Ok(false);
    }
    let question = format!(
        "The key of {} is not known yet. Its fingerprint is\n  {}\nIs this the fingerprint that its administrator \
         gives? (yes/no) ",
        shown.server, shown.fingerprint
    );
    terminal::is_confirmed(&question)
}

/// The system's random numbers.
fn randomness() -> impl rand_core::CryptoRng {
    rand_core::UnwrapErr(getrandom::SysRng)
}
