//! Names and identifiers, each a type of its own, so that none can be passed for another. They are plain text only at
//! the edges: in objects of the cluster, in files and in messages.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use safetp_crds::SafeTPUser;
use serde::{Deserialize, Serialize};

/// Declares types that hold text and differ only in what it stands for.
macro_rules! identities {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

identities! {
    /// Name of a namespace.
    Namespace,
    /// Name of a SafeTPServer, unique in its namespace.
    ServerName,
    /// Name of a SafeTPUser, unique in its namespace. The name that the user logs in with is a [`LoginName`].
    UserName,
    /// Name that a client sends with USER, unique on a server.
    LoginName,
    /// UID of an object. It tells an object from an earlier one of the same name.
    Uid,
}

/// A SafeTPServer among all of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey {
    pub namespace: Namespace,
    pub name: ServerName,
}

impl fmt::Display for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

// Objects that the API server returns have a name, a UID and, if their kind is namespaced, a namespace.

impl Namespace {
    pub fn of(object: &ObjectMeta) -> Self {
        Self(object.namespace.clone().unwrap_or_default())
    }
}

impl Uid {
    pub fn of(object: &ObjectMeta) -> Self {
        Self(object.uid.clone().unwrap_or_default())
    }
}

impl UserName {
    pub fn of(user: &ObjectMeta) -> Self {
        Self(user.name.clone().unwrap_or_default())
    }
}

impl LoginName {
    /// The login name of a user: `spec.username`, or else the name of the resource.
    pub fn of(user: &SafeTPUser) -> Self {
        Self(user.spec.username.clone().unwrap_or_else(|| user.name_any()))
    }
}

impl ServerKey {
    pub fn of(server: &ObjectMeta) -> Self {
        Self { namespace: Namespace::of(server), name: ServerName(server.name.clone().unwrap_or_default()) }
    }
}
