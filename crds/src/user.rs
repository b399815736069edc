//! `SafeTPUser`: one login.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    files::{UserFiles, UserUploads},
    status::SafeTPUserStatus,
};

/// Desired state of the login.
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
    /// Names of the servers on which the login works: each a SafeTPServer in this namespace.
    #[x_kube(validation = Rule::new("self.size() >= 1").message(
        "servers is empty, so the login would work nowhere; set for example servers: [files]"
    ))]
    #[schemars(length(max = 100))]
    pub servers: Vec<String>,
    /// Login name, 1 to 128 characters. Default: the name of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(
        "self.size() >= 1 && self.size() <= 128 && self.matches('^[^\\\\p{Cc}]+$')"
    ).message(
        "username must have 1 to 128 characters and no control characters; leave it out to use metadata.name"
    ))]
    #[schemars(length(max = 128))]
    pub username: Option<String>,
    /// Secret that holds the password: in plain text, or as an argon2id hash in PHC format (`$argon2id$...`).
    pub password_secret_ref: SecretKey,
    /// Home directory on the server's volume, created at login. Default: the login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("!self.matches('(^|/)[.][.](/|$)')").message(
        "home must not contain .. as a path component; set a path below the server's volume, for example home: \
         team/alice"
    ))]
    #[schemars(length(max = 1024))]
    pub home: Option<String>,
    /// If true, commands that change files are refused. Default: false.
    #[serde(default)]
    pub read_only: bool,
    /// File names of this user's clients.
    #[serde(default)]
    pub files: UserFiles,
    /// Rules by which this user's uploads count as complete.
    #[serde(default)]
    pub uploads: UserUploads,
}

/// Reference to one key of a Secret in this namespace.
#[derive(JsonSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Key in the Secret. Default: `password`.
    #[serde(default = "password")]
    #[schemars(length(min = 1))]
    pub key: String,
}

fn password() -> String {
    "password".to_owned()
}
