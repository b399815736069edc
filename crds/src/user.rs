//! `SafeTPUser`: one login.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    files::{UserFiles, UserUploads},
    status::SafeTPUserStatus,
};

/// One login for servers of the same namespace.
#[derive(CustomResource, KubeSchema, Clone, Debug, Serialize, Deserialize)]
#[kube(
    group = "safetp.io",
    version = "v1alpha1",
    kind = "SafeTPUser",
    plural = "safetpusers",
    singular = "safetpuser",
    shortname = "stpu",
    category = "safetp",
    namespaced,
    status = "SafeTPUserStatus",
    doc = "A login on one or more SafeTPServers of the same namespace.",
    annotation("helm.sh/resource-policy", "keep"),
    printcolumn(name = "Servers", type_ = "string", json_path = ".spec.servers"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct SafeTPUserSpec {
    /// The servers' names.
    #[x_kube(validation = Rule::new("self.size() >= 1").message("servers is empty, so the login would work nowhere; type for example: servers: [files]"))]
    #[schemars(length(max = 100))]
    pub servers: Vec<String>,
    /// The login name. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self.size() >= 1 && self.size() <= 128 && self.matches('^[^\\\\p{Cc}]+$')").message(
        "username must have 1 to 128 characters and no control characters; leave it out to use metadata.name"
    ))]
    #[schemars(length(max = 128))]
    pub username: Option<String>,
    /// Where the password is: in plain text, or as an argon2id hash in PHC format (`$argon2id$...`).
    pub password_secret_ref: SecretKey,
    /// The home directory on the server's volume, made at login. Default: the login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("!self.matches('(^|/)[.][.](/|$)')").message(
        "home must not contain .. ; type a path below the server's volume, for example: team/alice"
    ))]
    #[schemars(length(max = 1024))]
    pub home: Option<String>,
    /// Whether everything that changes files is refused.
    #[serde(default)]
    pub read_only: bool,
    /// How this user's clients name files.
    #[serde(default)]
    pub files: UserFiles,
    /// How this user's uploads end.
    #[serde(default)]
    pub uploads: UserUploads,
}

/// One key of a Secret of the same namespace.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// The Secret's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The key in the Secret.
    #[serde(default = "password")]
    #[schemars(length(min = 1))]
    pub key: String,
}

fn password() -> String {
    "password".to_owned()
}
