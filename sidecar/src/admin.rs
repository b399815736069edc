//! The admin port: health for the kubelet, status for the operator, metrics for Prometheus. Plain HTTP on the pod
//! network, nothing secret in it.

use std::{path::Path, sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use safetp_config::{
    Digest,
    gateway::Backend,
    status::{GatewayStatus, Landlock},
};
use safetp_protocol::{
    dialect::{DigestAnswer, Word},
    reply::{Reply, ReplyDecoder},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UnixStream},
    sync::watch,
};

use crate::{address::Announcements, gateway::Gateway, metrics::Metrics, settings::ActiveSettings};

/// Time for an answer of the ftpd before it counts as down.
const FTPD_TIME: Duration = Duration::from_secs(2);

/// Sources of the answers.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The settings in force.
    pub settings: watch::Receiver<Arc<ActiveSettings>>,
    /// The address that PASV announces.
    pub address: Announcements,
    /// The gateway, whose listeners are bound.
    pub gateway: Arc<Gateway>,
    /// All metrics.
    pub metrics: Arc<Metrics>,
    /// How much of Landlock the process is under.
    pub landlock: Landlock,
}

/// The ftpd's answer about itself.
struct FtpdState {
    digest: Digest,
    /// Absent if the ftpd is of a version that does not report it.
    landlock: Option<Landlock>,
}

/// Reason why the ftpd's digest is not known.
#[derive(Debug, thiserror::Error)]
enum FtpdError {
    #[error("failed to reach the ftpd: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("the ftpd does not answer")]
    Silent,
    #[error("the ftpd gave no digest")]
    NoDigest,
}

/// Answers for as long as the process lives.
pub async fn serve(listener: TcpListener, admin: Admin) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .with_state(admin);
    axum::serve(listener, router).await
}

/// Ready means that a session can be served. Neither the address nor a drain counts: some load balancers give an
/// address to ready pods only, and a draining replica keeps its data ports only while it is ready.
async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    let settings = Arc::clone(&admin.settings.borrow());
    if settings.identity.is_none() && !settings.config.security.mechanisms.is_empty() {
        let problem = settings.problem.clone().unwrap_or_default();
        return (StatusCode::SERVICE_UNAVAILABLE, format!("no usable certificate: {problem}\n"));
    }
    match ftpd_state(&settings).await {
        Err(error @ (FtpdError::Unreachable(_) | FtpdError::Silent)) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
        }
        Ok(_) | Err(FtpdError::NoDigest) => (StatusCode::OK, "ready\n".to_owned()),
    }
}

async fn metrics(State(admin): State<Admin>) -> ([(&'static str, &'static str); 1], String) {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([("content-type", kind)], admin.metrics.encode())
}

async fn status(State(admin): State<Admin>) -> Json<GatewayStatus> {
    let settings = Arc::clone(&admin.settings.borrow());
    let (ftpd, ftpd_problem) = match ftpd_state(&settings).await {
        Ok(state) => (Some(state), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let ftpd_landlock = ftpd.as_ref().and_then(|state| state.landlock);
    let address = admin.address.borrow().as_ref().map(|address| address.text.clone());
    Json(GatewayStatus {
        address,
        gateway_digest: settings.digest.clone(),
        ftpd_digest: ftpd.map(|state| state.digest),
        problem: settings.problem.clone().or(ftpd_problem).or_else(|| admin.gateway.problem()),
        sessions: admin.gateway.sessions(),
        weak_bindings: admin.metrics.weak_bindings(),
        unclosed_uploads: admin.gateway.unclosed_uploads(),
        gateway_landlock: Some(admin.landlock),
        ftpd_landlock,
    })
}

async fn ftpd_state(settings: &ActiveSettings) -> Result<FtpdState, FtpdError> {
    let Backend::Embedded { socket } = &settings.config.backend;
    let reply = tokio::time::timeout(FTPD_TIME, ask(Path::new(socket))).await.map_err(|_| FtpdError::Silent)??;
    let text = std::str::from_utf8(reply.text()).ok().filter(|_| reply.code().number() == 200);
    let answer = text.and_then(DigestAnswer::parse).ok_or(FtpdError::NoDigest)?;
    let digest = serde_json::from_value(answer.digest.into()).map_err(|_| FtpdError::NoDigest)?;
    let landlock = answer.landlock.and_then(|name| serde_json::from_value(name.into()).ok());
    Ok(FtpdState { digest, landlock })
}

/// Asks over a connection of its own: greeting, question, answer.
async fn ask(socket: &Path) -> Result<Reply, FtpdError> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut replies = ReplyDecoder::default();
    let greeting = next_reply(&mut stream, &mut replies).await?;
    if !greeting.code().is_success() {
        return Err(FtpdError::NoDigest);
    }
    stream.write_all(&Word::Digest.line()).await?;
    next_reply(&mut stream, &mut replies).await
}

async fn next_reply(stream: &mut UnixStream, replies: &mut ReplyDecoder) -> Result<Reply, FtpdError> {
    let mut buffer = [0; 512];
    loop {
        match replies.next_reply() {
            Ok(Some(reply)) => return Ok(reply),
            Ok(None) => {}
            Err(_) => return Err(FtpdError::NoDigest),
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(FtpdError::Silent);
        }
        replies.push(buffer.get(..count).unwrap_or_default());
    }
}
