//! TLS on both kinds of connections, and how a data connection proves whose it is.

use std::{
    hash::{DefaultHasher, Hasher as _},
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::{
    HandshakeKind, ServerConfig, SignatureAlgorithm, SignatureScheme,
    server::{NoServerSessionStorage, ProducesTickets},
    sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use safetp_protocol::data_ports::SessionId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::data::{
    wire::Wire,
    withheld::{Signal, Withheld},
};

/// How long a client may take for a handshake, unless it has even less.
const HANDSHAKE_TIME: Duration = Duration::from_secs(30);
/// Tickets of TLS 1.3 that a control connection brings: some for clients that use each but once.
pub(super) const CONTROL_TICKETS: usize = 4;
/// That a data connection brings: one for the one that was used, and one more.
pub(super) const DATA_TICKETS: usize = 2;
/// In a ticket: no session's. Sessions are numbered from 1 on.
const NOBODY: u64 = 0;

/// Why a certificate and key are of no use. The sentences end up in a condition of the SafeTPServer.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No PEM, or damaged.
    #[error("tls.crt is not a chain of PEM certificates: {0}")]
    Certificate(rustls_pki_types::pem::Error),
    /// PEM, but no certificate in it.
    #[error("tls.crt holds no certificate")]
    NoCertificate,
    /// No PEM, damaged, or an unknown kind of key.
    #[error("tls.key is not a PEM private key: {0}")]
    Key(rustls_pki_types::pem::Error),
    /// Not X.509 after all.
    #[error("tls.crt is not an X.509 certificate")]
    NotX509,
    /// They do not belong together, or the key is of no kind that TLS can use.
    #[error("tls.crt and tls.key cannot be used together: {0}")]
    Mismatch(rustls::Error),
}

/// Key of all tickets of this process. It outlives every certificate, so that the sessions of the last one still prove
/// their data connections under the next.
#[derive(Clone, Debug)]
pub struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    /// Fresh keys.
    pub fn new() -> Result<Self, rustls::Error> {
        rustls::crypto::aws_lc_rs::Ticketer::new().map(Self)
    }
}

/// A certificate with its key, ready for handshakes.
#[derive(Clone, Debug)]
pub struct Identity {
    config: ServerConfig,
    /// The same, but every handshake that is not a resumption fails.
    resumption_only: ServerConfig,
    tickets: Tickets,
    not_after: i64,
}

impl Identity {
    /// Reads and checks both PEM files.
    pub fn parse(certificate: &[u8], key: &[u8], tickets: Tickets) -> Result<Self, IdentityError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(IdentityError::Certificate)?;
        let leaf = chain.first().ok_or(IdentityError::NoCertificate)?;
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf).map_err(|_| IdentityError::NotX509)?;
        let not_after = parsed.validity().not_after.timestamp();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(IdentityError::Key)?;
        let key = certified_key(chain, key)?;
        let unused = CertifiedKey::new(key.cert.clone(), Arc::new(NeverSigning(Arc::clone(&key.key))));
        Ok(Self { config: server_config(key)?, resumption_only: server_config(unused)?, tickets, not_after })
    }

    /// When the certificate ends, in Unix seconds.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Does the server's side of a handshake on a control connection in at most this time.
    pub(super) async fn accept_control<S: Transport>(
        &self,
        stream: S,
        session: SessionId,
        time: Duration,
    ) -> io::Result<Accepted<S>> {
        let owner = Owner { session: Some(session), tickets: CONTROL_TICKETS, signal: Signal::default() };
        shake_hands(stream, &self.config, self.tickets.clone(), owner, time).await
    }

    /// The same on a data connection, and tells whose ticket the client resumed with.
    pub(super) async fn accept_data(
        &self,
        stream: Wire,
        session: SessionId,
        time: Duration,
    ) -> io::Result<Accepted<Withheld>> {
        let stream = Withheld::new(stream);
        let owner = Owner { session: Some(session), tickets: DATA_TICKETS, signal: stream.signal() };
        shake_hands(stream, &self.config, self.tickets.clone(), owner, time).await
    }

    /// The same where the client's ticket has yet to say whose connection it is. Nothing but a resumption succeeds: new
    /// tickets are made before the handshake's end can be judged, and in a full handshake they would be for whoever
    /// the shown ticket names, which an eavesdropper may have copied.
    pub(super) async fn accept_resumption(&self, stream: Wire) -> io::Result<Accepted<Withheld>> {
        let stream = Withheld::new(stream);
        let owner = Owner { session: None, tickets: DATA_TICKETS, signal: stream.signal() };
        shake_hands(stream, &self.resumption_only, self.tickets.clone(), owner, HANDSHAKE_TIME).await
    }
}

/// Whose tickets a connection brings, how many under TLS 1.3, and who is told when they are made.
struct Owner {
    session: Option<SessionId>,
    tickets: usize,
    signal: Signal,
}

async fn shake_hands<S: Transport>(
    stream: S,
    config: &ServerConfig,
    inner: Tickets,
    owner: Owner,
    time: Duration,
) -> io::Result<Accepted<S>> {
    let Owner { session, tickets: count, signal } = owner;
    let (seen, ticket) = (AtomicU64::new(NOBODY), AtomicU64::new(0));
    let tickets = Arc::new(SessionTickets { inner, session, seen, ticket, signal });
    let mut config = config.clone();
    config.ticketer = Arc::<SessionTickets>::clone(&tickets);
    config.send_tls13_tickets = count;
    let handshake = TlsAcceptor::from(Arc::new(config)).accept(stream);
    let stream = tokio::time::timeout(time.min(HANDSHAKE_TIME), handshake).await.map_err(io::Error::from)??;
    // Only now: before the handshake has finished a ticket proves nothing, since anyone may have copied it.
    let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
    Ok(Accepted { stream, resumed: resumed.then(|| tickets.resumed()) })
}

/// What TLS runs over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Transport for S {}

/// A connection whose handshake is done.
#[derive(Debug)]
pub(super) struct Accepted<S> {
    pub(super) stream: TlsStream<S>,
    /// The session whose ticket the client proved to own.
    pub(super) resumed: Option<Resumed>,
}

/// What a resumption has shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resumed {
    pub(super) session: SessionId,
    pub(super) ticket: TicketId,
}

/// Tells one ticket from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TicketId(pub(super) u64);

fn certified_key(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, IdentityError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map_err(IdentityError::Mismatch)
}

fn server_config(key: CertifiedKey) -> Result<ServerConfig, IdentityError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(IdentityError::Mismatch)?;
    let resolver = Arc::new(SingleCertAndKey::from(key));
    let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
    // Sessions live in tickets alone: those carry the session's id, and no memory grows with the number of clients.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// A key that stands where one is needed and signs nothing, as a resumption does not ask it to.
#[derive(Debug)]
struct NeverSigning(Arc<dyn SigningKey>);

impl SigningKey for NeverSigning {
    fn choose_scheme(&self, _offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        None
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

/// Tickets of one connection: all that it issues carry its session's id, and it notes the id of the one that it is
/// shown. Written anew for each connection, since nothing in a handshake says whose it is.
#[derive(Debug)]
struct SessionTickets {
    inner: Tickets,
    session: Option<SessionId>,
    seen: AtomicU64,
    ticket: AtomicU64,
    signal: Signal,
}

impl SessionTickets {
    /// Whose new tickets are: the connection's session's, or of the one whose ticket opened it.
    fn owner(&self) -> u64 {
        self.session.map_or_else(|| self.seen.load(Ordering::Relaxed), |session| session.0)
    }

    fn resumed(&self) -> Resumed {
        let session = SessionId(self.seen.load(Ordering::Relaxed));
        Resumed { session, ticket: TicketId(self.ticket.load(Ordering::Relaxed)) }
    }
}

impl ProducesTickets for SessionTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.inner.0.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.signal.store(true, Ordering::Relaxed);
        self.inner.0.encrypt(&[&self.owner().to_be_bytes(), plain].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.inner.0.decrypt(cipher)?;
        let (session, plain) = plain.split_first_chunk::<8>()?;
        self.seen.store(u64::from_be_bytes(*session), Ordering::Relaxed);
        self.ticket.store(identify(cipher), Ordering::Relaxed);
        Some(plain.to_vec())
    }
}

fn identify(ticket: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(ticket);
    hasher.finish()
}
