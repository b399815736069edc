//! The commands on files and directories of a server, one file for each family. The prompt offers the same ones.

pub(crate) mod change;
pub(crate) mod get;
pub(crate) mod ls;
mod part;
pub(crate) mod put;
mod version;
