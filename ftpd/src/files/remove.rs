//! DELE: removes a file, or else what unfinished uploads of its name have left.

use std::io;

use super::{
    home::{Home, not_root},
    parts::{self, Removed},
    path::VirtualPath,
    refusal::Refusal,
};

impl Home {
    /// RFC 959 DELE: a link is removed itself, not its target. Without a file of that name the parts of its unfinished
    /// uploads are removed: they take up space, and no other command shows them.
    pub(crate) fn remove_file(&self, path: &VirtualPath) -> Result<(), Refusal> {
        not_root(path)?;
        match self.root().remove_file(path.relative()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match parts::remove(self, path).map_err(Refusal::file(path))? {
                    Removed::Some => Ok(()),
                    Removed::InUse => Err(Refusal::Busy(path.clone())),
                    Removed::Nothing => Err(Refusal::file(path)(error)),
                }
            }
            removed => removed.map_err(Refusal::file(path)),
        }
    }
}
