//! Networks with nothing in them but a loopback of their own. The gateway takes its ports on every address, so a
//! proxy before it on the same ports needs another network.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader},
    os::fd::AsFd as _,
    process::{Command, Stdio},
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// One network. It ends when nothing refers to it any more.
#[derive(Debug)]
pub struct Network {
    namespace: File,
}

impl Network {
    /// Creates a network. Needs root, as the test bed does.
    pub fn new() -> io::Result<Self> {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "ip link set lo up && echo up && read -r _"]);
        let mut maker = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut answer = String::new();
        BufReader::new(maker.stdout.take().unwrap()).read_line(&mut answer)?;
        let namespace = File::open(format!("/proc/{}/ns/net", maker.id()));
        // Its input ends here, and with that it does.
        drop(maker.stdin.take());
        maker.wait()?;
        if answer != "up\n" {
            return Err(io::Error::other("failed to create a network namespace: this needs root, and iproute2"));
        }
        Ok(Self { namespace: namespace? })
    }

    /// Runs `work` in a thread of this network. Threads, programs and sockets that it creates belong to it for good.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                move_into_link_name_space(self.namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                work()
            });
            thread.join().unwrap()
        })
    }
}
