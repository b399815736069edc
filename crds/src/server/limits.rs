use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Upper bounds, each for one replica.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// Sessions at once that have logged in; one more is told to come back later (421). Connections that have not
    /// logged in take none of these places.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub sessions: i32,
    /// Sessions at once that have logged in from one address; 0 is no limit, for many clients share one address behind NAT.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub sessions_per_peer: i32,
    /// Seconds without a command or a transfer until the server hangs up.
    #[schemars(range(min = 10, max = 86_400))]
    pub idle_seconds: i32,
    /// Seconds from the client's first command, which must come within 10 s, to a finished login.
    #[schemars(range(min = 5, max = 3_600))]
    pub login_seconds: i32,
    /// Seconds in which a data connection must come, and over which it must then move 256 octets a second on average.
    #[schemars(range(min = 5, max = 3_600))]
    pub data_seconds: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sessions: 10_000, sessions_per_peer: 0, idle_seconds: 600, login_seconds: 60, data_seconds: 120 }
    }
}

/// How uploads end.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Uploads {
    /// Whether an upload over TLS that ends without `close_notify` counts as broken off. `false` accepts clients that
    /// forget it, and with them files that someone on the way cut short.
    pub require_close_notify: bool,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { require_close_notify: true }
    }
}

/// How a pod stops.
#[derive(JsonSchema, Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Drain {
    /// Seconds that running transfers get to finish.
    #[schemars(range(min = 0, max = 86_400))]
    pub grace_period_seconds: i32,
}

impl Default for Drain {
    fn default() -> Self {
        Self { grace_period_seconds: 300 }
    }
}
