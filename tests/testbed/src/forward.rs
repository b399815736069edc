//! A forwarder from the machine to the API server that changes nothing on the machine: a socket stays in the network
//! that it was created in, so one process can listen here and dial there.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd as _,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::{
    credentials::API_PORT,
    error::{Doing as _, Result},
    hosts::Host,
};

/// Listens on the machine's loopback and joins every connection with the API server. Does not return while it works.
pub fn to_api_server(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).doing(format_args!("listen on port {port}"))?;
    let network = std::fs::File::open(format!("/run/netns/{}", Host::ControlPlane.namespace()));
    let network = network.doing("find the control plane's network")?;
    let moved = move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).map_err(io::Error::from);
    moved.doing("enter the control plane's network")?; // before the first thread: each inherits it
    let server = SocketAddr::from((Host::ControlPlane.address(), API_PORT));
    for client in listener.incoming().flatten() {
        std::thread::spawn(move || join(client, server));
    }
    Ok(())
}

/// A port of the machine's loopback that is free now.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    Ok(listener.local_addr().doing("find a free port")?.port())
}

/// An error of either side ends the connection for both.
fn join(client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let up = std::thread::spawn(move || pump(from, to));
    let down = pump(server, client);
    up.join().unwrap_or(Ok(())).and(down)
}

fn pump(mut from: TcpStream, mut to: TcpStream) -> io::Result<()> {
    let copied = io::copy(&mut from, &mut to);
    to.shutdown(Shutdown::Write)?;
    copied.map(drop)
}
