//! X-SafeTP1 (docs/x-safetp1.md): the exchange, and lines as messages.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use safetp_protocol::{
    reply::Reply,
    security::safetp1::{
        Control as Keys, DataKeys, PublicKey, ServerIp,
        client::{self, ClientError},
    },
};

use crate::{
    failure::{Failure, Result, SecurityError},
    known_servers::{KnownServer, Standing},
    session::{CommandLine, Options, control::Control, replies::shown},
    terminal,
    url::Server,
};

/// From message 1 to 235. Nothing of the user's has been sent when this fails.
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

/// One command as it goes out. `line` has its CRLF.
pub(crate) fn seal(keys: &mut Keys, line: &[u8]) -> Result<Vec<u8>> {
    let message = keys.seal(line).map_err(|error| SecurityError::Tampered(error.to_string()))?;
    Ok(format!("ENC {}\r\n", BASE64_STANDARD.encode(message)).into_bytes())
}

/// One line of a reply, as it came. From 235 on nothing in the clear is believed, so neither is the hyphen of `632-`:
/// where a reply ends is what the line inside says.
pub(crate) fn open(keys: &mut Keys, line: &[u8]) -> Result<Vec<u8>> {
    let base64 = line.strip_prefix(b"632 ").or_else(|| line.strip_prefix(b"632-"));
    let base64 = base64.ok_or(SecurityError::Injected("ADAT"))?;
    let tampered = || SecurityError::Tampered("a reply does not verify".into());
    let message = BASE64_STANDARD.decode(base64).map_err(|_| tampered())?;
    let opened = keys.open(&message).map_err(|_| tampered())?;
    if opened.answers_clear {
        return Err(SecurityError::Tampered("somebody else has sent a command into this session".into()).into());
    }
    Ok(opened.line)
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

/// A known key goes on, a changed one never, an unknown one only by a person's word.
fn check_key(server: &Server, key: &PublicKey, options: &Options) -> Result<()> {
    let shown = KnownServer { server: server.clone(), fingerprint: key.fingerprint() };
    match options.known_servers.look_up(&shown).map_err(SecurityError::from)? {
        Standing::Known => Ok(()),
        Standing::Changed(known) => Err(SecurityError::ChangedKey {
            server: server.clone(),
            fingerprint: shown.fingerprint.to_string(),
            known: known.fingerprint.to_string(),
            file: options.known_servers.file().to_owned(),
            line: known.line,
        }
        .into()),
        Standing::Unknown if options.accept_new_key || is_accepted_by_person(&shown)? => {
            Ok(options.known_servers.add(&shown)?)
        }
        Standing::Unknown => {
            Err(SecurityError::UnknownKey { server: server.clone(), fingerprint: shown.fingerprint.to_string() }.into())
        }
    }
}

fn is_accepted_by_person(shown: &KnownServer) -> Result<bool> {
    if !terminal::is_attended() {
        return Ok(false);
    }
    let question = format!(
        "The key of {} is not known yet. Its fingerprint is\n  {}\nIs that the one that its administrator gives? (yes/no) ",
        shown.server, shown.fingerprint
    );
    terminal::is_confirmed(&question)
}

/// Fresh randomness of the system's for one exchange.
fn randomness() -> impl rand_core::CryptoRng {
    rand_core::UnwrapErr(getrandom::SysRng)
}
