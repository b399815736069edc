//! A certificate with its key, and the server's side of handshakes with them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustls::{
    HandshakeKind, ServerConfig, SignatureAlgorithm, SignatureScheme,
    server::NoServerSessionStorage,
    sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use safetp_protocol::data_ports::SessionId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    deferred_tickets::{DeferredTickets, Signal},
    error::IdentityError,
    tickets::{Owner, Resumed, SessionTickets, Tickets},
};
use crate::wire::Wire;

/// Time for a handshake, unless the client has even less.
pub(crate) const HANDSHAKE_TIME: Duration = Duration::from_secs(30);
/// Time for a handshake on a data connection that has yet to prove whose it is, from its first octet on.
const PROOF_TIME: Duration = Duration::from_secs(10);
/// The protocol of both kinds of connections, as IANA registers it for ALPN (RFC 7301): a client that offers a list
/// without it was made to believe that it talks to another kind of server (ALPACA).
const ALPN: &[u8] = b"ftp";
/// Tickets of TLS 1.3 that a control connection issues: some for clients that use each but once.
pub(crate) const CONTROL_TICKETS: usize = 4;
/// Tickets of TLS 1.3 that a data connection issues: one for the one that was used, and one more.
pub(crate) const DATA_TICKETS: usize = 2;

/// A certificate with its key, ready for handshakes.
#[derive(Clone, Debug)]
pub struct Identity {
    config: ServerConfig,
    key: CertifiedKey,
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
        Ok(Self { config: server_config(key.clone())?, key, tickets, not_after })
    }

    /// End of the certificate's validity, in Unix seconds.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Does the handshake of a control connection in at most this time.
    pub(crate) async fn accept_control<S: Transport>(
        &self,
        stream: S,
        session: SessionId,
        time: Duration,
    ) -> io::Result<Accepted<S>> {
        let tickets = SessionTickets::new(self.tickets.clone(), Owner::Control(session), Signal::default());
        shake_hands(stream, self.config.clone(), tickets.into(), CONTROL_TICKETS, time).await
    }

    /// Does the handshake of a data connection that is taken for this session's. Whose ticket the client resumed with
    /// is in the result.
    pub(crate) async fn accept_data(
        &self,
        stream: Wire,
        session: SessionId,
        time: Duration,
    ) -> io::Result<Accepted<DeferredTickets>> {
        let stream = DeferredTickets::new(stream);
        let (config, asked) = self.watched_config(true);
        let tickets = SessionTickets::new(self.tickets.clone(), Owner::Data(session, asked), stream.signal());
        shake_hands(stream, config, tickets.into(), DATA_TICKETS, time).await
    }

    /// Does the handshake of a data connection whose ticket has yet to say whose it is. Nothing but a resumption
    /// succeeds: new tickets are issued before the handshake's end can be judged, and in a full handshake they would be
    /// for the session that the shown ticket names, which an eavesdropper may have copied.
    pub(crate) async fn accept_resumption(&self, stream: Wire) -> Result<Accepted<DeferredTickets>, Unresumed> {
        let stream = DeferredTickets::new(stream);
        let (config, asked) = self.watched_config(false);
        let tickets = Arc::new(SessionTickets::new(self.tickets.clone(), Owner::Shown, stream.signal()));
        let accepted = shake_hands(stream, config, Arc::clone(&tickets), DATA_TICKETS, PROOF_TIME).await;
        accepted.map_err(|error| Unresumed { error, shown: tickets.shown(), was_full: asked.load(Ordering::Relaxed) })
    }

    /// A configuration for one handshake, and a mark that is set when it is not a resumption: only then is the key
    /// asked to sign.
    fn watched_config(&self, signs: bool) -> (ServerConfig, Arc<AtomicBool>) {
        let asked = Arc::<AtomicBool>::default();
        let key = WatchedKey { key: Arc::clone(&self.key.key), signs, asked: Arc::clone(&asked) };
        let key = CertifiedKey::new(self.key.cert.clone(), Arc::new(key));
        let mut config = self.config.clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(key));
        (config, asked)
    }

    /// How long a ticket is valid from its issue.
    pub(crate) fn ticket_lifetime(&self) -> Duration {
        self.tickets.lifetime()
    }
}

/// A handshake that had to be a resumption, and was not.
#[derive(Debug)]
pub(crate) struct Unresumed {
    pub(crate) error: io::Error,
    /// The session whose ticket was shown. This proves nothing.
    pub(crate) shown: Option<SessionId>,
    /// The client asked for a full handshake: it has no ticket, or none that is valid. A connection that breaks off, or
    /// is not TLS, says nothing about what a session's client can do.
    pub(crate) was_full: bool,
}

/// A connection whose handshake is done.
#[derive(Debug)]
pub(crate) struct Accepted<S> {
    pub(crate) stream: TlsStream<S>,
    /// The ticket that the client proved to own.
    pub(crate) resumed: Option<Resumed>,
}

/// A connection that TLS can run over.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Transport for S {}

async fn shake_hands<S: Transport>(
    stream: S,
    mut config: ServerConfig,
    tickets: Arc<SessionTickets>,
    count: usize,
    time: Duration,
) -> io::Result<Accepted<S>> {
    config.ticketer = Arc::<SessionTickets>::clone(&tickets);
    config.send_tls13_tickets = count;
    let handshake = TlsAcceptor::from(Arc::new(config)).accept(stream);
    let stream = tokio::time::timeout(time.min(HANDSHAKE_TIME), handshake).await.map_err(io::Error::from)??;
    // Only now: before the handshake has finished a ticket proves nothing, since anyone may have copied it.
    let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
    Ok(Accepted { stream, resumed: resumed.then(|| tickets.resumed()) })
}

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
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

/// A key that notes when it is asked to sign, and may refuse.
#[derive(Debug)]
struct WatchedKey {
    key: Arc<dyn SigningKey>,
    signs: bool,
    asked: Arc<AtomicBool>,
}

impl SigningKey for WatchedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        self.asked.store(true, Ordering::Relaxed);
        if self.signs { self.key.choose_scheme(offered) } else { None }
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}
