//! One session's I/O around the pure state machine of `safetp_protocol::session`: it does what the machine's outputs
//! say and reports to it what happens.

use std::{
    io,
    net::IpAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use safetp_config::gateway::Backend;
use safetp_protocol::session::Output;
use tokio::{net::TcpStream, task::JoinError};
use tracing::Instrument as _;

use super::{
    backend::FtpdConnection,
    client::ClientStream,
    data::{ports::PortNews, transfer::Outcome},
    place::Place,
    places::Refused,
    shared::Gateway,
};
use crate::{drain::Phase, tls};

mod core_settings;
mod data;
mod driver;
mod protection;
mod report;
mod resumption_history;
mod transfers;

use driver::SessionDriver;

/// Time for the last replies of a session when the drain is over.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Serves one client until its session ends.
pub(crate) async fn run(stream: TcpStream, peer: IpAddr, place: Place, gateway: Arc<Gateway>) {
    let id = place.session();
    let span = tracing::info_span!("session", id = id.0, %peer);
    async {
        let settings = Arc::clone(&gateway.settings.borrow());
        let Backend::Embedded { socket } = &settings.config.backend;
        match FtpdConnection::open(Path::new(socket)).await {
            Ok(backend) => SessionDriver::new(peer, place, stream, backend, settings, gateway).serve().await,
            Err(error) => {
                tracing::error!(%error, "failed to reach the ftpd");
                let mut client = ClientStream::Clear(stream);
                let _ = client.write(b"421 The file server behind this gateway is not ready; try again.\r\n").await;
                client.say_goodbye().await;
            }
        }
    }
    .instrument(span)
    .await;
}

/// Event that a session waits for.
enum Wake {
    Client(io::Result<Vec<u8>>),
    Backend(io::Result<Vec<u8>>),
    Port(PortNews),
    Transferred(Result<Outcome, JoinError>),
    Address,
    Drain,
    Timeout,
}

impl SessionDriver {
    async fn serve(mut self) {
        if let Err(error) = self.run_until_closed().await {
            tracing::debug!(error = tls::connection_text(&error), "the session's connection broke");
        }
        Box::pin(self.end()).await;
    }

    async fn run_until_closed(&mut self) -> io::Result<()> {
        loop {
            self.perform().await?;
            self.place.follow(self.core.progress());
            if self.core.is_closed() || self.kill_at.is_some_and(|at| at <= Instant::now()) {
                return Ok(());
            }
            let wake = self.wait().await;
            self.handle(wake);
        }
    }

    /// Performs all outputs of the core. Replies are gathered, so that a pipelining client costs one write.
    async fn perform(&mut self) -> io::Result<()> {
        let mut replies = Vec::new();
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::ToClient(octets) => replies.extend_from_slice(&octets),
                Output::ToBackend(octets) => {
                    if self.backend.write(&octets).await.is_err() {
                        self.core.handle_backend_lost();
                    }
                }
                Output::StartTls => {
                    self.write_to_client(&std::mem::take(&mut replies)).await?;
                    // Boxed as the others here: each would make the future of every session larger for good.
                    Box::pin(self.start_tls()).await?;
                }
                Output::StopTls => {
                    self.write_to_client(&std::mem::take(&mut replies)).await?;
                    Box::pin(self.stop_tls()).await?;
                }
                Output::Negotiate => Box::pin(self.negotiate()).await?,
                Output::RestartBackend => Box::pin(self.restart_backend()).await,
                Output::Admit => {
                    let admission = self.place.promote().map_err(Refused::reply);
                    self.core.handle_admission(admission, Instant::now());
                }
                Output::RequestPort => self.request_port(),
                Output::ReleasePort => self.release_port(),
                Output::StartTransfer(transfer) => self.start_transfer(transfer),
                Output::DropDescriptor => drop(self.backend.take_descriptor()),
                Output::AbortTransfer => self.data.cancel(),
                Output::Event(event) => self.note(&event),
            }
        }
        self.write_to_client(&replies).await
    }

    async fn write_to_client(&mut self, octets: &[u8]) -> io::Result<()> {
        if octets.is_empty() {
            return Ok(());
        }
        // A session must not last because its client does not read its replies.
        tokio::time::timeout(self.stall(), self.client.write(octets)).await.map_err(io::Error::from)?
    }

    async fn wait(&mut self) -> Wake {
        let deadline = self.core.poll_timeout().into_iter().chain(self.kill_at).min();
        let wants_client = self.core.wants_client_input();
        tokio::select! {
            read = self.client.read(), if wants_client => Wake::Client(read),
            read = self.backend.read() => Wake::Backend(read),
            news = self.ports.news() => Wake::Port(news),
            outcome = self.data.outcome() => Wake::Transferred(outcome),
            // The other ends of both live as long as the gateway does.
            Ok(()) = self.address.changed() => Wake::Address,
            Ok(()) = self.drain.changed() => Wake::Drain,
            () = sleep_until(deadline) => Wake::Timeout,
        }
    }

    fn handle(&mut self, wake: Wake) {
        let now = Instant::now();
        match wake {
            Wake::Client(Ok(octets)) if !octets.is_empty() => self.core.handle_client_bytes(&octets, now),
            Wake::Client(_) => self.core.handle_client_closed(),
            Wake::Backend(Ok(octets)) if !octets.is_empty() => self.core.handle_backend_bytes(&octets, now),
            Wake::Backend(_) => self.core.handle_backend_lost(),
            Wake::Port(news) => self.handle_port_news(news, now),
            Wake::Transferred(outcome) => self.handle_transferred(outcome, now),
            Wake::Address => {
                let address = self.address.borrow_and_update().clone();
                self.core.handle_address(address, now);
            }
            Wake::Drain => self.handle_drain(now),
            Wake::Timeout => self.core.handle_timeout(now),
        }
    }

    fn handle_drain(&mut self, now: Instant) {
        match *self.drain.borrow_and_update() {
            Phase::Serving => {}
            Phase::Draining => self.core.handle_drain(now),
            Phase::Over => {
                self.kill_at = Some(now + LAST_WORDS);
                self.core.handle_shutdown(now);
            }
        }
    }

    /// Breaks off what is under way, then ends both connections: to the ftpd an end without a command is a failure.
    async fn end(self) {
        let Self { client, backend, ports, data, .. } = self;
        if let Some(running) = data.running {
            running.cancel.cancel();
            // Waited for, since the ftpd must not finish a file that is still written to.
            let _ = running.task.await;
        }
        drop((backend, ports));
        client.say_goodbye().await;
        tracing::debug!("session ends");
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
