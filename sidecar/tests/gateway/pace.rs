//! Slow data connections: the average rate decides, not a moment of silence.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{support::Pod, transfers::octets};

#[test]
fn one_octet_now_and_then_does_not_hold_a_transfer() {
    let pod = Pod::with(|config| config.limits.data_seconds = 1);
    let mut client = pod.login();
    let mut data = client.open("STOR file");
    let trickle = std::thread::spawn(move || {
        // Longer than the client below waits for its reply.
        for _ in 0..60 {
            if data.write_all(b"x").is_err() {
                return;
            }
            sleep(Duration::from_millis(500)); // the line's own slowness
        }
    });
    assert!(client.expect(426).contains("256 octets a second"));
    trickle.join().unwrap();
}

#[test]
fn a_slow_client_whose_octets_keep_moving_is_not_cut() {
    const PIECE: usize = 50_000;
    let pod = Pod::with(|config| config.limits.data_seconds = 2);
    let mut client = pod.login();
    // More than all buffers on the way hold.
    client.store("STOR file", &octets(30_000_000));
    let mut data = client.open("RETR file");
    let began = Instant::now();
    let mut piece = vec![0; PIECE];
    // Four windows: one write of the gateway takes longer than one of them.
    while began.elapsed() < Duration::from_secs(8) {
        data.read_exact(&mut piece).unwrap();
        sleep(Duration::from_millis(500)); // the client's own slowness
    }
    client.send("ABOR");
    assert!(client.expect(426).contains("aborted"));
    client.expect(226);
}
