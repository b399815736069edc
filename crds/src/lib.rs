//! The resources that people write, SafeTPServer and SafeTPUser, in one version of one API group.
//!
//! Every rule that a schema can express is a CEL rule here, so that `kubectl apply` refuses a mistake with a sentence
//! that says what to set instead. `crds/*.yaml` is generated from these types by `crdgen`.

#![allow(clippy::duplicated_attributes, reason = "every column of `kubectl get` has a type")]
#![allow(unreachable_pub, reason = "the derives of kube write `pub` types inside functions")]

pub mod files;
pub mod reference;
pub mod server;
pub mod status;
pub mod user;
pub mod yaml;

pub use files::{Files, NameEncoding, UserFiles, UserUploads};
pub use server::{SafeTPServer, SafeTPServerSpec};
pub use status::{SafeTPServerStatus, SafeTPUserStatus};
pub use user::{SafeTPUser, SafeTPUserSpec};

/// The longest name of a server, in characters: names of its objects append up to 18 more and must stay within 63.
pub const NAME_MAX: usize = 45;
