//! The proxy: plain FTP from clients on loopback, relayed under protection to the server.
//!
//! Its clients send passwords in the clear, so it listens on loopback only.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
};

use tokio::net::{TcpListener, TcpStream};

mod data;
mod local;
mod owner;
mod relay;

use crate::{
    args::ConnectionArgs,
    failure::{ConnectionError, Failure, LocalError, Result},
    session::{Options, Session},
    terminal,
    url::{Server, Target},
};
use local::Local;
use relay::Relay;

/// Serves plain FTP clients until Ctrl-C.
pub(crate) async fn run(listen: SocketAddr, url: &Target, connection: &ConnectionArgs) -> Result<()> {
    let options = check(listen, url, connection)?;
    let listener = TcpListener::bind(listen).await.map_err(ConnectionError::Listen)?;
    // Problems with the server are reported now, and a new key is asked about while the person is there.
    Session::connect(&url.server, options.clone()).await?.quit().await;
    print_port(&listener).map_err(LocalError::terminal("write the port"))?;
    tokio::select! {
        () = serve(&listener, &url.server, &options) => Ok(()),
        stopped = tokio::signal::ctrl_c() => Ok(stopped.map_err(LocalError::terminal("wait for Ctrl-C"))?),
    }
}

fn check(listen: SocketAddr, url: &Target, connection: &ConnectionArgs) -> Result<Options> {
    if !listen.ip().is_loopback() {
        let text = "the proxy receives passwords in the clear, so it listens on loopback only: 127.0.0.1 or [::1]";
        return Err(Failure::Usage(text.into()));
    }
    if url.user.is_some() || url.path.argument().is_some() {
        return Err(Failure::Usage("the proxy's URL must not have a user or a path: its clients choose them".into()));
    }
    connection.options(url.scheme)
}

/// Prints the port as the first line, for a program that asked for port 0.
fn print_port(listener: &TcpListener) -> io::Result<()> {
    let port = listener.local_addr()?.port();
    let mut out = io::stdout().lock();
    writeln!(out, "{port}")?;
    out.flush()
}

async fn serve(listener: &TcpListener, server: &Server, options: &Options) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve_one(stream, server.clone(), options.clone()))),
            // The client is gone already, or this machine is out of descriptors until another one goes.
            Err(error) => terminal::tell(&format!("failed to accept a client: {error}")),
        }
    }
}

async fn serve_one(stream: TcpStream, server: Server, options: Options) {
    let relayed = async {
        let mut local = Local::new(stream).map_err(ConnectionError::Local)?;
        match Session::connect(&server, options).await {
            Ok(upstream) => Relay::new(local, upstream).run().await,
            Err(failure) => {
                local.tell_end(&failure).await;
                Err(failure)
            }
        }
    };
    if let Err(failure) = relayed.await {
        terminal::tell_failure(&failure);
    }
}
