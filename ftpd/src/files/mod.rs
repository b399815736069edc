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
pub(crate) mod refusal;
pub(crate) mod space;
pub(crate) mod standing;
mod targets;
pub(crate) mod upload;

pub(crate) use home::{Home, Volume};
pub(crate) use path::VirtualPath;
pub(crate) use refusal::Refusal;

/// Runs file work where it may block. One hop for each command keeps small files fast.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Internal))
}
