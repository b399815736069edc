//! The mechanisms: which one it is to be, and the step from clear text to protection.

pub(super) mod safetp1;
pub(super) mod tls;

use std::net::IpAddr;

use safetp_protocol::{reply::Reply, security::safetp1::DataKeys};

use super::{CommandLine, Features, Mechanism, Options, control::Control, replies::shown};
use crate::{
    failure::{ConnectionError, Result, SecurityError},
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
    match choose(control, options).await? {
        Mechanism::Tls => {
            let connector = tls::Connector::new(server, options)?;
            authenticate(control, server, "TLS", 234).await?;
            control.start_tls(&connector).await?;
            Ok(Security::Tls(connector))
        }
        Mechanism::SafeTp1 => {
            let message1 = authenticate(control, server, "X-SafeTP1", 334).await?;
            let keys = safetp1::exchange(control, server, &message1, dialled, options).await?;
            Ok(Security::SafeTp1(keys))
        }
    }
}

/// TLS where the server lists it, else X-SafeTP1. FEAT comes in the clear, so whoever is in the line can choose between
/// the two; either of them finds him out.
async fn choose(control: &mut Control, options: &Options) -> Result<Mechanism> {
    if let Some(mechanism) = options.mechanism {
        return Ok(mechanism);
    }
    control.send(&CommandLine::verb("FEAT")).await?;
    let features = Features::of(&control.reply().await?);
    Ok(if features.lists_auth("TLS") { Mechanism::Tls } else { Mechanism::SafeTp1 })
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
