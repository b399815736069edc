//! TLS on both kinds of connections, and how a data connection proves whose it is.

use std::{
    hash::{DefaultHasher, Hasher as _},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::{
    HandshakeKind, ServerConfig, SignatureAlgorithm, SignatureScheme,
    server::{NoServerSessionStorage, ProducesTickets},
    sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use safetp_protocol::{data_ports::SessionId, words::words};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::data::{
    wire::Wire,
    withheld::{Signal, Withheld},
};

/// How long a client may take for a handshake, unless it has even less.
pub(super) const HANDSHAKE_TIME: Duration = Duration::from_secs(30);
/// How long it may take on a data connection that has yet to prove whose it is, from its first octet on.
const PROOF_TIME: Duration = Duration::from_secs(10);
/// What both kinds of connections speak, as IANA registers it for ALPN (RFC 7301): a client that offers a list without
/// it was made to believe that it talks to another kind of server (ALPACA).
const ALPN: &[u8] = b"ftp";
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
    #[error("tls.key is not a PEM private key")]
    Key(#[source] rustls_pki_types::pem::Error),
    /// Not X.509 after all.
    #[error("tls.crt is not an X.509 certificate")]
    NotX509,
    /// They do not belong together, or the key is of no kind that TLS can use.
    #[error("tls.crt and tls.key cannot be used together: {}", text(.0))]
    Mismatch(rustls::Error),
}

/// An error of rustls in words: many of them have no text but their Debug form.
fn text(error: &rustls::Error) -> String {
    use rustls::Error;
    match error {
        Error::InvalidMessage(why) => format!("what came is not TLS: {}", words(why)),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a message came out of its turn".into()
        }
        Error::PeerIncompatible(why) => format!("the client cannot do what is asked for: {}", words(why)),
        Error::PeerMisbehaved(why) => format!("the client does not keep to the protocol: {}", words(why)),
        Error::AlertReceived(alert) => format!("the client ended it: {}", words(alert)),
        Error::InvalidCertificate(why) => format!("the client's certificate: {}", words(why)),
        Error::InconsistentKeys(why) => words(why),
        Error::InvalidCertRevocationList(why) => words(why),
        Error::InvalidEncryptedClientHello(why) => words(why),
        other => other.to_string(),
    }
}

/// As [`text`], for an error of a connection, inside of which those of rustls travel.
pub(in crate::gateway) fn connection_text(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(error) => text(error),
        None => error.to_string(),
    }
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
        let tickets = SessionTickets::new(self.tickets.clone(), Owner::Control(session), Signal::default());
        shake_hands(stream, self.config.clone(), tickets.into(), CONTROL_TICKETS, time).await
    }

    /// The same on a data connection, and tells whose ticket the client resumed with.
    pub(super) async fn accept_data(
        &self,
        stream: Wire,
        session: SessionId,
        time: Duration,
    ) -> io::Result<Accepted<Withheld>> {
        let stream = Withheld::new(stream);
        let (config, asked) = self.watched_config(true);
        let tickets = SessionTickets::new(self.tickets.clone(), Owner::Data(session, asked), stream.signal());
        shake_hands(stream, config, tickets.into(), DATA_TICKETS, time).await
    }

    /// The same where the client's ticket has yet to say whose connection it is. Nothing but a resumption succeeds: new
    /// tickets are made before the handshake's end can be judged, and in a full handshake they would be for whoever
    /// the shown ticket names, which an eavesdropper may have copied.
    pub(super) async fn accept_resumption(&self, stream: Wire) -> Result<Accepted<Withheld>, Unresumed> {
        let stream = Withheld::new(stream);
        let (config, asked) = self.watched_config(false);
        let tickets = Arc::new(SessionTickets::new(self.tickets.clone(), Owner::Shown, stream.signal()));
        let accepted = shake_hands(stream, config, Arc::clone(&tickets), DATA_TICKETS, PROOF_TIME).await;
        accepted.map_err(|error| Unresumed { error, shown: tickets.shown(), was_full: asked.load(Ordering::Relaxed) })
    }

    /// A configuration for one handshake, and what tells that it is no resumption: only then is the key asked to sign.
    fn watched_config(&self, signs: bool) -> (ServerConfig, Arc<AtomicBool>) {
        let asked = Arc::<AtomicBool>::default();
        let key = WatchedKey { key: Arc::clone(&self.key.key), signs, asked: Arc::clone(&asked) };
        let key = CertifiedKey::new(self.key.cert.clone(), Arc::new(key));
        let mut config = self.config.clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(key));
        (config, asked)
    }

    /// For how long a ticket is good from now on.
    pub(super) fn ticket_lifetime(&self) -> Duration {
        Duration::from_secs(self.tickets.0.lifetime().into())
    }
}

/// A handshake that had to be a resumption, and was none.
#[derive(Debug)]
pub(super) struct Unresumed {
    pub(super) error: io::Error,
    /// The session whose ticket was shown. This proves nothing.
    pub(super) shown: Option<SessionId>,
    /// The client asked for a full handshake: it has no ticket, or none that is good for anything. What breaks off, or
    /// is no TLS, tells nothing of what a session's client can do.
    pub(super) was_full: bool,
}

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

/// What TLS runs over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Transport for S {}

/// A connection whose handshake is done.
#[derive(Debug)]
pub(super) struct Accepted<S> {
    pub(super) stream: TlsStream<S>,
    /// What the ticket says that the client proved to own.
    pub(super) resumed: Option<Resumed>,
}

/// What a resumption has shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resumed {
    /// The session whose ticket it was; none for a ticket that is nobody's.
    pub(super) session: Option<SessionId>,
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

/// Whose the tickets are that a connection brings.
#[derive(Debug)]
enum Owner {
    /// The session's: this is its control connection.
    Control(SessionId),
    /// The session's if the connection resumes it, which the mark excludes; else nobody's. A stranger who was taken for
    /// the client once must not have what proves it the next time.
    Data(SessionId, Arc<AtomicBool>),
    /// Of the session whose ticket was shown: nothing but its resumption succeeds.
    Shown,
}

/// Tickets of one connection: all that it issues carry its session's id, and it notes the id of the one that it is
/// shown. Written anew for each connection, since nothing in a handshake says whose it is.
#[derive(Debug)]
struct SessionTickets {
    inner: Tickets,
    owner: Owner,
    seen: AtomicU64,
    ticket: AtomicU64,
    /// The client has shown a session of TLS 1.2 that it can use again on its next data connection.
    continues_tls12: AtomicBool,
    signal: Signal,
}

impl SessionTickets {
    fn new(inner: Tickets, owner: Owner, signal: Signal) -> Self {
        Self {
            inner,
            owner,
            seen: AtomicU64::new(NOBODY),
            ticket: AtomicU64::new(0),
            continues_tls12: AtomicBool::new(false),
            signal,
        }
    }

    fn owner(&self) -> u64 {
        let seen = self.seen.load(Ordering::Relaxed);
        match &self.owner {
            Owner::Control(session) => session.0,
            Owner::Data(session, signed) if seen != session.0 || signed.load(Ordering::Relaxed) => NOBODY,
            Owner::Data(..) | Owner::Shown => seen,
        }
    }

    fn shown(&self) -> Option<SessionId> {
        Some(SessionId(self.seen.load(Ordering::Relaxed))).filter(|session| session.0 != NOBODY)
    }

    fn resumed(&self) -> Resumed {
        Resumed { session: self.shown(), ticket: TicketId(self.ticket.load(Ordering::Relaxed)) }
    }
}

impl ProducesTickets for SessionTickets {
    /// Under TLS 1.2 the client continues with the ticket it has shown. OpenSSL with its session cache on, as Ruby uses it,
    /// discards a session whose resumption brings another ticket, and would not resume the next time.
    fn enabled(&self) -> bool {
        !self.continues_tls12.load(Ordering::Relaxed)
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
        let is_lasting = match &self.owner {
            // Its ticket is of an earlier session: this one needs its own.
            Owner::Control(_) => false,
            Owner::Data(own, _) => own.0 == u64::from_be_bytes(*session),
            Owner::Shown => true,
        };
        self.continues_tls12.store(is_lasting && is_tls12(plain), Ordering::Relaxed);
        Some(plain.to_vec())
    }
}

/// Of a session as rustls writes it: whether there is a server name, that name after its length, the version.
fn is_tls12(session: &[u8]) -> bool {
    let version = match session {
        [0, version @ ..] => Some(version),
        [1, length, rest @ ..] => rest.get(usize::from(*length)..),
        _ => None,
    };
    version.is_some_and(|version| version.starts_with(&[3, 3]))
}

fn identify(ticket: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(ticket);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use rustls::{
        AlertDescription, CertificateError, Error, InconsistentKeys, InvalidMessage, PeerIncompatible, PeerMisbehaved,
    };

    use super::*;

    #[test]
    fn an_error_of_tls_is_told_in_words() {
        for (error, words) in [
            (InvalidMessage::InvalidContentType.into(), "what came is not TLS: invalid content type"),
            (PeerIncompatible::NoCipherSuitesInCommon.into(), "asked for: no cipher suites in common"),
            (PeerMisbehaved::InvalidKeyShare.into(), "keep to the protocol: invalid key share"),
            (Error::AlertReceived(AlertDescription::BadCertificate), "the client ended it: bad certificate"),
            (CertificateError::UnknownIssuer.into(), "the client's certificate: unknown issuer"),
            (InconsistentKeys::KeyMismatch.into(), "key mismatch"),
        ] {
            let connection = io::Error::other(error);
            assert!(connection_text(&connection).ends_with(words), "{}", connection_text(&connection));
        }
    }
}
