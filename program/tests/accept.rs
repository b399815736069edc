//! Accepting without a free descriptor. The limit is the whole process's, so this test has a process of its own.

#![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

use std::{fs::File, net::TcpStream, os::fd::AsRawFd as _, time::Duration};

use rlimit::Resource;
use safetp_program::accept::accept_each;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_connection_that_found_no_descriptor_is_accepted_once_there_is_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (soft, hard) = Resource::NOFILE.get().unwrap();
    // The lowest number that is free is the first that is refused.
    let free = File::open("/dev/null").unwrap().as_raw_fd();
    Resource::NOFILE.set(free.try_into().unwrap(), hard).unwrap();

    let (attempts, mut attempted) = watch::channel(0);
    let (accepted, mut connections) = mpsc::unbounded_channel();
    let accepting = tokio::spawn(async move {
        let accept = || {
            attempts.send_modify(|attempts| *attempts += 1);
            listener.accept()
        };
        accept_each("test", accept, |connection| accepted.send(connection).unwrap()).await;
    });
    tokio::time::timeout(PATIENCE, attempted.wait_for(|attempts| *attempts > 1)).await.unwrap().unwrap();
    assert!(connections.try_recv().is_err());
    Resource::NOFILE.set(soft, hard).unwrap();
    tokio::time::timeout(PATIENCE, connections.recv()).await.unwrap().unwrap();
    accepting.abort();
}
