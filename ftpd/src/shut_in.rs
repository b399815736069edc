//! What the server can still reach while it serves: the volume, the configuration, and the directory of its socket. No
//! socket but Unix ones, and no program. The fences themselves are in [`safetp_fence`].
//!
//! All containers of a pod share its network, so that a file server which was taken over could dial whatever the pod
//! can.

use std::path::Path;

use safetp_fence::{Calls, Dial, Reach, Use};

/// The system calls of a file server.
pub const CALLS: Calls = Calls::Files;

/// What a server over these paths can reach.
pub fn reach(data: &Path, socket: &Path, config: &Path) -> Reach {
    let run = socket.parent().unwrap_or(Path::new("/"));
    Reach {
        paths: [(data, Use::Store), (run, Use::Listen), (config, Use::Read)]
            .map(|(path, usage)| (path.to_owned(), usage))
            .into(),
        listen: Vec::new(),
        dial: Dial::Ports(Vec::new()),
    }
}
