//! The gateway's listeners, and the options of every accepted socket.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use safetp_config::ports::PortRange;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

/// Connections that the kernel holds for us while we are busy with others.
const BACKLOG: i32 = 1024;
/// Load balancers forget idle connections, the first of them after 240 s; a long transfer leaves control idle.
const KEEPALIVE: Duration = Duration::from_secs(45);

/// Error of a port that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen on port {port}: every port of the gateway must be free in its pod")]
pub struct ListenError {
    port: u16,
    source: io::Error,
}

#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) control_port: u16,
    pub(crate) control: TcpListener,
    pub(crate) data_ports: PortRange,
    pub(crate) data: Vec<(u16, TcpListener)>,
}

impl Listeners {
    pub(crate) fn bind(control_port: u16, data_ports: PortRange) -> Result<Self, ListenError> {
        let control = listen(control_port)?;
        let data = data_ports.ports().map(|port| Ok((port, listen(port)?))).collect::<Result<_, ListenError>>()?;
        let control_port = control.local_addr().map_err(|source| ListenError { port: control_port, source })?.port();
        Ok(Self { control_port, control, data_ports, data })
    }
}

/// Listens on every address, of both families where the system has both.
pub fn listen(port: u16) -> Result<TcpListener, ListenError> {
    let listener = match listen_on(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) {
        Err(error) if no_ipv6(&error) => listen_on(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        result => result,
    };
    listener.map_err(|source| ListenError { port, source })
}

fn no_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].map(Errno::raw_os_error).map(Some).contains(&error.raw_os_error())
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restarted gateway must not wait until the system has forgotten the old one's connections.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Sets the options of control and data connections: a dead one is found within minutes, and small writes go out at
/// once.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream)
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3).with_retries(4))
}

/// Leaves the octet that ABOR marks as urgent (RFC 959 §4.1.3) in its place; for control connections.
pub(crate) fn keep_urgent_inline(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_out_of_band_inline(true)
}

/// Makes the close of this connection a reset, so that the peer knows that it was cut short.
pub(crate) fn reset_on_close(stream: &TcpStream) {
    // Where this fails the peer sees an ordinary end, and the control connection still says 426.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
