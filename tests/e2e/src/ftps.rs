//! FTPS sessions from a host of the test bed. Data connections go to exactly the address that PASV announces.

use std::{io, net::SocketAddr};

use anyhow::Result;
use safetp_ftps::{Passive, Session, Tls, Trust};
use safetp_testbed::Host;

/// Connects from `host` in the clear and reads the greeting; `ca` is PEM.
pub fn connect(host: Host, server: SocketAddr, ca: &[u8]) -> Result<Session> {
    let tls = Tls::new(Trust::pem(ca)?, &server.ip().to_string())?;
    let dialer = Box::new(move |to| host.connect(to).map_err(io::Error::other));
    let mut session = Session::connect_by(dialer, server, tls)?;
    session.passive = Passive::Pasv;
    session.expect(220)?;
    Ok(session)
}

/// Connects, secures the control connection and logs in, PROT P included.
pub fn log_in(host: Host, server: SocketAddr, ca: &[u8], user: &str, password: &str) -> Result<Session> {
    let mut session = connect(host, server, ca)?;
    session.secure()?;
    session.log_in(user, password)?;
    Ok(session)
}
