//! The fences from inside: what is possible and what is not. Each test shuts in a thread of its own: they hold for it
//! and for the threads that it creates, not for the other tests.

#![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

use std::{
    fmt::Debug,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::{
        fd::AsRawFd as _,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    thread,
};

use rustix::{
    fs::{MemfdFlags, memfd_create},
    io::Errno,
    mount::{MountFlags, mount},
};
use safetp_fence::{Calls, Dial, Landlock, Reach, Use, shut_in};

fn reach(paths: &[(&Path, Use)]) -> Reach {
    let paths = paths.iter().map(|(path, usage)| ((*path).to_owned(), *usage)).collect();
    Reach { paths, listen: Vec::new(), dial: Dial::Ports(Vec::new()) }
}

/// Runs `what` within the fences, and passes it how much of Landlock is in force.
fn inside<T: Send>(reach: &Reach, calls: Calls, what: impl FnOnce(Landlock) -> T + Send) -> T {
    let shut_in = || what(shut_in(reach, calls).unwrap());
    thread::scope(|scope| scope.spawn(shut_in).join().unwrap())
}

fn is_forbidden<T: Debug>(result: io::Result<T>) -> bool {
    result.unwrap_err().kind() == ErrorKind::PermissionDenied
}

#[test]
fn a_descriptor_for_reading_cannot_be_opened_again_for_writing_even_where_landlock_allows_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "content").unwrap();
    let mut for_reading = File::open(&path).unwrap();
    // Even a directory that Landlock leaves writable: the filter alone holds.
    inside(&reach(&[(directory.path(), Use::Store), (Path::new("/proc"), Use::Read)]), Calls::Relay, |_| {
        let again = format!("/proc/self/fd/{}", for_reading.as_raw_fd());
        for mut options in [OpenOptions::new().write(true).clone(), OpenOptions::new().append(true).clone()] {
            assert!(is_forbidden(options.read(true).open(&again)));
            assert!(is_forbidden(options.read(false).open(&again)));
        }
        assert!(is_forbidden(File::create(&again)));
        assert!(fs::remove_file(&path).is_err() && fs::create_dir(directory.path().join("d")).is_err());
        let mut text = String::new();
        for_reading.read_to_string(&mut text).unwrap();
        assert_eq!(text, "content");
        assert_eq!(fs::read_to_string(&path).unwrap(), "content");
    });
    assert_eq!(fs::read_to_string(&path).unwrap(), "content");
}

#[test]
fn landlock_leaves_only_the_named_paths() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in ["read", "store", "run"] {
        fs::create_dir(path(name)).unwrap();
        fs::write(path(name).join("file"), name).unwrap();
    }
    fs::write(path("beside"), "").unwrap();
    fs::write(path("one"), "one").unwrap();
    let all =
        [(path("read"), Use::Read), (path("store"), Use::Store), (path("run"), Use::Listen), (path("one"), Use::Read)];
    let all: Vec<_> = all.iter().map(|(path, usage)| (path.as_path(), *usage)).collect();
    inside(&reach(&all), Calls::Files, |landlock| {
        assert_eq!(fs::read_to_string(path("read/file")).unwrap(), "read");
        assert_eq!(fs::read_to_string(path("one")).unwrap(), "one");
        fs::write(path("store/new"), "new").unwrap();
        fs::rename(path("store/new"), path("store/newer")).unwrap();
        let listener = UnixListener::bind(path("run/socket")).unwrap();
        if landlock != Landlock::Missing {
            assert!(is_forbidden(fs::write(path("read/file"), "")));
            assert!(is_forbidden(fs::read(path("run/file"))));
            assert!(is_forbidden(fs::read(path("beside"))));
        }
        drop(listener);
    });
}

#[test]
fn a_relay_connects_to_a_unix_socket_without_a_right_to_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    inside(&reach(&[]), Calls::Relay, |_| drop(UnixStream::connect(&socket).unwrap()));
}

#[test]
fn only_the_named_tcp_ports_can_be_used() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let dial = || TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let here = Reach { listen: vec![0], dial: Dial::Ports(vec![port]), ..reach(&[]) };
    inside(&here, Calls::Relay, |_| drop((dial().unwrap(), listen(0).unwrap())));
    inside(&Reach { dial: Dial::Any, ..reach(&[]) }, Calls::Relay, |_| drop(dial().unwrap()));
    inside(&reach(&[]), Calls::Relay, |landlock| {
        if landlock == Landlock::Full {
            assert!(is_forbidden(dial()) && is_forbidden(listen(0)));
        }
    });
}

#[test]
fn random_octets_are_read_without_the_system_call_for_them() {
    for calls in [Calls::Files, Calls::Relay] {
        inside(&reach(&[]), calls, |_| {
            for device in ["/dev/random", "/dev/urandom"] {
                File::open(device).unwrap().read_exact(&mut [0; 32]).unwrap();
            }
        });
    }
}

#[test]
fn a_call_off_the_list_is_enosys_and_a_dangerous_one_eperm() {
    for calls in [Calls::Files, Calls::Relay] {
        inside(&reach(&[]), calls, |_| {
            assert_eq!(memfd_create("file", MemfdFlags::CLOEXEC).unwrap_err(), Errno::NOSYS);
            assert_eq!(mount("none", "/nowhere", "none", MountFlags::empty(), None).unwrap_err(), Errno::PERM);
        });
    }
}

#[test]
fn threads_are_still_created_and_inherit_the_fences() {
    inside(&reach(&[]), Calls::Files, |_| {
        let child = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        assert!(is_forbidden(thread::spawn(child).join().unwrap()));
    });
}
