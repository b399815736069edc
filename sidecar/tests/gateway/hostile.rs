//! Clients that cost more than they should: nobody else waits for them.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use crate::support::Pod;

/// Far more than a login takes on a busy machine, far less than the work that it would wait for.
const SOON: Duration = Duration::from_secs(2);

fn assert_login_is_fast(pod: &Pod) {
    let begin = Instant::now();
    pod.login();
    assert!(begin.elapsed() < SOON, "a login took {:?}", begin.elapsed());
}

/// Files whose names every star of a pattern could take any part of.
fn write_long_names(pod: &Pod) {
    for number in 0..8 {
        fs::write(pod.alice(&format!("{}{number}", "a".repeat(200))), "").unwrap();
    }
}

#[test]
fn logins_whose_clients_hung_up_keep_nobody_waiting() {
    let pod = Pod::new();
    pod.login();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    pod.protected().send_raw(b"USER nobody-has-this-name\r\nPASS wrong\r\n");
                }
            });
        }
    });
    assert_login_is_fast(&pod);
}

#[test]
fn a_pattern_of_many_stars_costs_what_one_star_costs() {
    let pod = Pod::new();
    write_long_names(&pod);
    let mut client = pod.login();
    for stars in [1, 250, 4000] {
        let begin = Instant::now();
        assert!(client.fetch(&format!("NLST {}X", "*".repeat(stars))).is_empty());
        assert!(begin.elapsed() < SOON, "{stars} stars took {:?}", begin.elapsed());
    }
}

#[test]
fn star_patterns_of_many_sessions_keep_nobody_waiting() {
    let pod = Pod::new();
    write_long_names(&pod);
    let mut clients: Vec<_> = (0..64).map(|_| pod.login()).collect();
    let pattern = format!("STAT {}X", "*".repeat(4000));
    for client in &mut clients {
        client.send(&pattern);
    }
    assert_login_is_fast(&pod);
    for client in &mut clients {
        client.expect(213);
    }
}

#[test]
fn guesses_are_bounded_by_address_and_a_neighbour_who_has_logged_in_lately_does_not_wait() {
    let pod = Pod::new();
    pod.login();
    let begin = Instant::now();
    // Three more than an address has at once, in sessions that know nothing of each other.
    thread::scope(|scope| {
        for session in 0..11 {
            let mut guesser = pod.protected();
            scope.spawn(move || {
                for number in 0..3 {
                    guesser.ask(&format!("USER user-{session}-{number}"), 331);
                    guesser.ask("PASS wrong", 530);
                }
            });
        }
    });
    assert!(begin.elapsed() > Duration::from_millis(2500), "33 guesses took {:?}", begin.elapsed());
    assert_login_is_fast(&pod);
}
