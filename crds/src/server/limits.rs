//! `spec.limits`, `spec.uploads` and `spec.drain`: bounds on sessions, and how uploads and pods end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Upper bounds, each per pod.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Maximum number of concurrent sessions that have logged in; further clients get reply 421 and can retry later.
    /// Connections that have not logged in do not count. Default: 10000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub sessions: i32,
    /// Maximum number of concurrent sessions that have logged in from one address. Default: 0, which is no limit,
    /// because many clients share one address behind NAT.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub sessions_per_peer: i32,
    /// Seconds without a command or a transfer after which the server closes the session. Default: 600.
    #[schemars(range(min = 10, max = 86_400))]
    pub idle_seconds: i32,
    /// Seconds from the client's first command, which must arrive within 10 s, to a completed login. Default: 60.
    #[schemars(range(min = 5, max = 3_600))]
    pub login_seconds: i32,
    /// Seconds within which a data connection must be established, and over which it must then transfer 256 octets per
    /// second on average. Default: 120.
    #[schemars(range(min = 5, max = 3_600))]
    pub data_seconds: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sessions: 10_000, sessions_per_peer: 0, idle_seconds: 600, login_seconds: 60, data_seconds: 120 }
    }
}

/// Rules by which an upload counts as complete.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Uploads {
    /// If true, an upload over TLS that ends without `close_notify` counts as broken off. With `false`, clients that
    /// never send it can upload, and files that someone on the network cut short are accepted. Default: true.
    pub require_close_notify: bool,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { require_close_notify: true }
    }
}

/// Shutdown of a pod.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Drain {
    /// Seconds that running transfers get to finish when the pod stops. Default: 300.
    #[schemars(range(min = 0, max = 86_400))]
    pub grace_period_seconds: i32,
}

impl Default for Drain {
    fn default() -> Self {
        Self { grace_period_seconds: 300 }
    }
}
