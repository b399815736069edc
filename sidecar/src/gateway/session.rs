//! One session's I/O around the pure state machine of `safetp_protocol::session`.

use std::{
    io,
    net::IpAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use getrandom::SysRng;
use rand_core::UnwrapErr;
use rustls::ProtocolVersion;
use safetp_config::gateway::{Backend, DataBinding, GatewayConfig, Mechanism, Requirement};
use safetp_protocol::{
    data_ports::{Claim, Peer, SessionId, Ticket},
    line::MAX_LINE,
    policy::{ActiveMode, Demands},
    session::{Announced, Failure, Output, Route, SafeTp1, Session, Settings, Tls, Transfer},
};
use tokio::{
    net::TcpStream,
    sync::{oneshot, watch},
    task::{JoinError, JoinHandle, spawn_blocking},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    Gateway,
    backend::embedded::Connection,
    client::ClientStream,
    data::{
        self, Exchanged,
        ports::{PortNews, Registration},
        transfer::{self, Job, Opening, Outcome},
    },
    records::Records,
    tls::{Identity, Supply},
};
use crate::{drain::Phase, settings::InForce};

mod habit;
mod report;

use habit::Habit;

/// How long a session has for its last words when the drain is over.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Serves one client to its end.
pub(super) async fn run(stream: TcpStream, peer: IpAddr, gateway: Arc<Gateway>) {
    let id = gateway.new_session_id();
    let span = tracing::info_span!("session", id = id.0, %peer);
    async {
        let settings = Arc::clone(&gateway.settings.borrow());
        let Backend::Embedded { socket } = &settings.config.backend;
        match Connection::open(Path::new(socket)).await {
            Ok(backend) => Task::new(id, peer, stream, backend, settings, gateway).serve().await,
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

struct Task {
    id: SessionId,
    peer: IpAddr,
    core: Session,
    client: ClientStream,
    backend: Connection,
    gateway: Arc<Gateway>,
    settings: Arc<InForce>,
    identity: Option<Arc<Identity>>,
    ports: Registration,
    data: Data,
    address: watch::Receiver<Option<Announced>>,
    drain: watch::Receiver<Phase>,
    kill_at: Option<Instant>,
}

/// The session's data connection, wherever it is at the moment.
#[derive(Default)]
struct Data {
    /// Connected before the transfer's command.
    early: Option<data::Connection>,
    /// The transfer waits for it.
    wanted: Option<oneshot::Sender<Result<data::Connection, Failure>>>,
    running: Option<Running>,
    habit: Habit,
}

struct Running {
    transfer: Transfer,
    cancel: CancellationToken,
    task: JoinHandle<Outcome>,
}

/// What the session waited for.
enum Wake {
    Client(io::Result<Vec<u8>>),
    Backend(io::Result<Vec<u8>>),
    Port(PortNews),
    Transferred(Result<Outcome, JoinError>),
    Address,
    Drain,
    Timeout,
}

impl Task {
    fn new(
        id: SessionId,
        peer: IpAddr,
        stream: TcpStream,
        backend: Connection,
        settings: Arc<InForce>,
        gateway: Arc<Gateway>,
    ) -> Self {
        let mut address = gateway.address.clone();
        let announced = address.borrow_and_update().clone();
        let core = Session::new(id, peer, Arc::new(core_settings(&settings)), announced, Instant::now());
        let mut drain = gateway.drain.clone();
        // The drain may have begun since this connection was let in.
        drain.mark_changed();
        Self {
            id,
            peer,
            core,
            client: ClientStream::Clear(stream),
            backend,
            ports: gateway.ports.register(id),
            settings,
            identity: None,
            data: Data::default(),
            address,
            drain,
            gateway,
            kill_at: None,
        }
    }

    async fn serve(mut self) {
        if let Err(error) = self.turn_until_closed().await {
            tracing::debug!(%error, "the session's connection broke");
        }
        Box::pin(self.end()).await;
    }

    async fn turn_until_closed(&mut self) -> io::Result<()> {
        loop {
            self.perform().await?;
            if self.core.is_closed() || self.kill_at.is_some_and(|at| at <= Instant::now()) {
                return Ok(());
            }
            let wake = self.wait().await;
            self.handle(wake);
        }
    }

    /// Does everything that the core wants. Replies are gathered, so that a pipelining client costs one write.
    async fn perform(&mut self) -> io::Result<()> {
        let mut to_client = Vec::new();
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::ToClient(octets) => to_client.extend_from_slice(&octets),
                Output::ToBackend(octets) => {
                    if self.backend.write(&octets).await.is_err() {
                        self.core.handle_backend_lost();
                    }
                }
                Output::StartTls => {
                    self.write_to_client(&std::mem::take(&mut to_client)).await?;
                    // Boxed as the others here: each would make the future of every session larger for good.
                    Box::pin(self.start_tls()).await?;
                }
                Output::StopTls => {
                    self.write_to_client(&std::mem::take(&mut to_client)).await?;
                    Box::pin(self.stop_tls()).await?;
                }
                Output::Negotiate => Box::pin(self.negotiate()).await?,
                other => self.perform_at_once(other),
            }
        }
        self.write_to_client(&to_client).await
    }

    fn perform_at_once(&mut self, output: Output) {
        match output {
            Output::RequestPort => self.request_port(),
            Output::ReleasePort => {
                self.data.early = None;
                self.ports.release();
            }
            Output::StartTransfer(transfer) => self.start_transfer(transfer),
            Output::DropDescriptor => drop(self.backend.take_descriptor()),
            Output::AbortTransfer => {
                if let Some(running) = &self.data.running {
                    running.cancel.cancel();
                }
            }
            Output::Event(event) => self.note(&event),
            Output::ToClient(_)
            | Output::ToBackend(_)
            | Output::StartTls
            | Output::StopTls
            | Output::Negotiate
            | Output::Close => {}
        }
    }

    async fn write_to_client(&mut self, octets: &[u8]) -> io::Result<()> {
        if octets.is_empty() {
            return Ok(());
        }
        // A client that does not read its replies has no claim on us.
        tokio::time::timeout(self.stall(), self.client.write(octets)).await.map_err(io::Error::from)?
    }

    async fn start_tls(&mut self) -> io::Result<()> {
        let Some(stream) = self.client.take_clear() else { return Err(io::ErrorKind::NotConnected.into()) };
        // The newest certificate, but for the whole session the same one.
        let identity = self.gateway.settings.borrow().identity.clone().ok_or(io::ErrorKind::NotFound)?;
        let stream = Records::new(stream, self.settings.config.security.clear_command_channel);
        let left = self.core.poll_timeout().map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        let accepted = identity.accept(stream, self.id, Supply::Control, left).await.inspect_err(|_| {
            self.gateway.metrics.tls_handshake_failures.inc();
        })?;
        let version = accepted.stream.get_ref().1.protocol_version();
        self.data.habit = Habit::new(version == Some(ProtocolVersion::TLSv1_3));
        self.client = ClientStream::Protected(Box::new(accepted.stream));
        self.identity = Some(identity);
        self.core.handle_protected(Instant::now());
        Ok(())
    }

    async fn stop_tls(&mut self) -> io::Result<()> {
        let rest = self.client.stop_tls().await?;
        let now = Instant::now();
        self.core.handle_client_bytes(&rest, now);
        self.core.handle_cleared(now);
        Ok(())
    }

    /// Computes beside the other sessions, and not more at once than there are processors.
    async fn negotiate(&mut self) -> io::Result<()> {
        let Some(question) = self.core.take_question() else { return Ok(()) };
        let permit = self.gateway.exchanges.acquire().await.map_err(io::Error::other)?;
        let answer = spawn_blocking(move || question.answer(&mut UnwrapErr(SysRng))).await?;
        drop(permit);
        self.core.handle_answer(answer, Instant::now());
        Ok(())
    }

    fn request_port(&mut self) {
        self.data.early = None;
        self.ports.request(self.claim(), self.stall());
    }

    /// Where only a ticket counts, it is the client's address that does not.
    fn claim(&self) -> Claim {
        let resumable = self.core.data_connection_can_resume();
        match (self.settings.config.security.data_binding, self.data.habit.resumes()) {
            (DataBinding::Off, _) => Claim { peer: Peer::Anyone, ticket: Ticket::Never },
            (DataBinding::Required, _) if resumable => Claim { peer: Peer::Anyone, ticket: Ticket::Always },
            (DataBinding::WhenOffered, true) if resumable => {
                Claim { peer: Peer::Exactly(self.peer), ticket: Ticket::WhenShared }
            }
            _ => Claim { peer: Peer::Exactly(self.peer), ticket: Ticket::Never },
        }
    }

    fn start_transfer(&mut self, transfer: Transfer) {
        let Some(descriptor) = self.backend.take_descriptor() else {
            return self.core.handle_transfer_ended(Err(Failure::NoDescriptor), Instant::now());
        };
        self.ports.expect_transfer(transfer.verb.is_upload());
        let opening = match transfer.route {
            Route::Passive => self.await_connection(),
            Route::Active(address) => Opening::Dialled(address),
        };
        let cancel = CancellationToken::new();
        let job = Job {
            session: self.id,
            transfer,
            descriptor,
            opening,
            identity: self.identity.clone(),
            keys: self.core.data_keys().cloned(),
            binding: self.settings.config.security.data_binding,
            share: self.gateway.budget.share(),
            metrics: Arc::clone(&self.gateway.metrics),
            stall: self.stall(),
            require_close_notify: self.settings.config.uploads.require_close_notify,
            cancel: cancel.clone(),
        };
        let task = tokio::spawn(transfer::run(job).in_current_span());
        self.data.running = Some(Running { transfer, cancel, task });
    }

    fn await_connection(&mut self) -> Opening {
        let (wanted, connection) = oneshot::channel();
        match self.data.early.take() {
            // The receiver is right here.
            Some(connection) => drop(wanted.send(Ok(connection))),
            None => self.data.wanted = Some(wanted),
        }
        Opening::Awaited(connection)
    }

    async fn wait(&mut self) -> Wake {
        let deadline = self.core.poll_timeout().into_iter().chain(self.kill_at).min();
        let wants_client = self.core.wants_client_input();
        tokio::select! {
            read = self.client.read(), if wants_client => Wake::Client(read),
            read = self.backend.read() => Wake::Backend(read),
            news = self.ports.news() => Wake::Port(news),
            outcome = transferred(&mut self.data.running) => Wake::Transferred(outcome),
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

    fn handle_port_news(&mut self, news: PortNews, now: Instant) {
        match news {
            PortNews::Granted(port) => self.core.handle_port(Some(port), now),
            PortNews::Refused => self.core.handle_port(None, now),
            PortNews::Expired => self.lose_port(Failure::NoConnection),
            PortNews::Unproven => {
                self.data.habit.note_failure();
                self.lose_port(match self.settings.config.security.data_binding {
                    DataBinding::Required => Failure::NotBound,
                    DataBinding::WhenOffered | DataBinding::Off => Failure::Unproven,
                });
            }
            PortNews::Connected(connection) => match self.data.wanted.take() {
                // Should the transfer have ended meanwhile, the connection goes with it.
                Some(wanted) => drop(wanted.send(Ok(connection))),
                None => self.data.early = Some(connection),
            },
        }
    }

    fn lose_port(&mut self, failure: Failure) {
        if let Some(wanted) = self.data.wanted.take() {
            // Its transfer may have ended meanwhile.
            let _ = wanted.send(Err(failure));
        }
        self.core.handle_port_expired();
    }

    fn handle_transferred(&mut self, outcome: Result<Outcome, JoinError>, now: Instant) {
        let outcome = outcome.unwrap_or_else(|error| {
            tracing::error!(%error, "a transfer's task failed");
            Outcome { result: Err(Failure::Internal), moved: 0, exchanged: None }
        });
        if let Some(running) = self.data.running.take() {
            if let (Ok(()), Some(Exchanged { shown, supply })) = (outcome.result, outcome.exchanged) {
                self.data.habit.note(shown, supply);
            }
            self.note_transfer(running.transfer, outcome);
        }
        if self.data.wanted.take().is_some() {
            // Its connection never came.
            self.ports.release();
        }
        self.core.handle_transfer_ended(outcome.result, now);
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

    /// Breaks off what is under way, then ends both connections: the ftpd takes an end without a word for a failure.
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

    fn stall(&self) -> Duration {
        Duration::from_secs(self.settings.config.limits.data_seconds.into())
    }
}

async fn transferred(running: &mut Option<Running>) -> Result<Outcome, JoinError> {
    match running {
        Some(running) => (&mut running.task).await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn core_settings(in_force: &InForce) -> Settings {
    let GatewayConfig { security, limits, active_mode, .. } = &in_force.config;
    let tls = match (security.mechanisms.contains(&Mechanism::Tls), &in_force.identity) {
        (false, _) => Tls::NotOffered,
        (true, None) => Tls::NotReady,
        (true, Some(_)) => Tls::Ready,
    };
    let safetp1 = match (security.mechanisms.contains(&Mechanism::SafeTp1), &in_force.signing_key) {
        (false, _) => SafeTp1::NotOffered,
        (true, None) => SafeTp1::NotReady,
        (true, Some(key)) => SafeTp1::Ready(Arc::clone(key)),
    };
    Settings {
        demands: Demands {
            control_protected: security.control == Requirement::Required,
            data_protected: security.data == Requirement::Required,
            clear_command_channel: security.clear_command_channel,
            active_mode: match active_mode {
                None => ActiveMode::Off,
                Some(mode) if mode.clear_port => ActiveMode::OnInTheClear,
                Some(_) => ActiveMode::On,
            },
        },
        tls,
        safetp1,
        max_line: MAX_LINE,
        login_time: Duration::from_secs(limits.login_seconds.into()),
        idle_time: Duration::from_secs(limits.idle_seconds.into()),
    }
}
