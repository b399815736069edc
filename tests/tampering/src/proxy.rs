//! The sockets of the man in the middle, at the address where the client expects the gateway.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    runtime::{Builder, Runtime},
};

use crate::{
    framing::Framing,
    network::Network,
    stream::{Channel, Direction, Stream},
    tamperer::{Step, Tamperer},
    tape::Tape,
};

/// Listens in the client's network on every port of the gateway, and connects in the gateway's.
#[derive(Debug)]
pub struct Proxy {
    tape: Arc<Mutex<Arc<Tape>>>,
    // Everything runs in it, and ends with it.
    _runtime: Runtime,
}

/// How one direction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Both its sides were told.
    Told,
    /// Only the proxy knows.
    Stalled,
    /// By a reset.
    Reset,
}

impl Proxy {
    /// Stands before the gateway with these ports.
    pub fn start(client: &Network, server: &Network, control_port: u16, data_ports: impl Iterator<Item = u16>) -> Self {
        let ports: Vec<_> = [control_port].into_iter().chain(data_ports).collect();
        let listeners = client.inside(|| ports.iter().map(|port| listen(*port).unwrap()).collect::<Vec<_>>());
        let tape = Arc::new(Mutex::new(Arc::new(Tape::new(Framing::Raw, None))));
        let runtime = server.inside(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
        for (port, listener) in ports.into_iter().zip(listeners) {
            runtime.spawn(accept(listener, port, port == control_port, Arc::clone(&tape)));
        }
        Self { tape, _runtime: runtime }
    }

    /// From here on, new connections are on this tape.
    pub fn put(&self, tape: &Arc<Tape>) {
        *self.tape.lock().unwrap() = Arc::clone(tape);
    }
}

fn listen(port: u16) -> io::Result<StdListener> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn accept(listener: StdListener, port: u16, is_control: bool, tape: Arc<Mutex<Arc<Tape>>>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let tape = Arc::clone(&*tape.lock().unwrap());
        let channel = if is_control { Channel::Control } else { tape.count_data_connection() };
        tokio::spawn(async move {
            // Where the gateway does not answer, the client sees its own connection end.
            if let Ok(server) = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
                relay(client, server, channel, &tape).await;
            }
        });
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, channel: Channel, tape: &Arc<Tape>) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let tamperer = |direction| Tamperer::new(Arc::clone(tape), Stream { channel, direction });
    let is_reset = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(from_client, to_server, tamperer(Direction::ToServer));
        let down = pump(from_server, to_client, tamperer(Direction::ToClient));
        tokio::pin!(up, down);
        // A direction that is withheld for good keeps its sender waiting until the other one is over.
        tokio::select! {
            end = &mut up => end == End::Reset || down.await == End::Reset,
            end = &mut down => end == End::Reset || up.await == End::Reset,
        }
    };
    if is_reset {
        for stream in [&client, &server] {
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut tamperer: Tamperer) -> End {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let (steps, is_last) = match from.read(&mut buffer).await {
            Ok(0) => (tamperer.handle_end(), true),
            Ok(count) => (tamperer.handle(&buffer[..count]), false),
            Err(_) => return End::Reset,
        };
        for step in steps {
            // A receiver that is gone does not end the other direction, in which its last words may be under way.
            match step {
                Step::Forward(octets) => drop(to.write_all(&octets).await),
                Step::End => drop(to.shutdown().await),
                Step::Reset => return End::Reset,
                Step::Stall => return End::Stalled,
            }
        }
        if is_last {
            return End::Told;
        }
    }
}
