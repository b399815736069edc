//! People's files: nothing outside this module touches the volume.

pub(crate) mod download;
pub(crate) mod facts;
pub(crate) mod hash;
pub(crate) mod home;
mod join;
pub(crate) mod listing;
mod part_name;
pub(crate) mod parts;
pub(crate) mod path;
mod pattern;
pub(crate) mod refusal;
mod remove;
pub(crate) mod space;
pub(crate) mod standing;
mod targets;
mod tree;
pub(crate) mod upload;
pub(crate) mod work;

pub(crate) use home::{Home, Volume};
pub(crate) use path::VirtualPath;
pub(crate) use refusal::Refusal;
pub(crate) use work::Work;
