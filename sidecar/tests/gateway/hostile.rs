//! Clients that cost more than they should: others do not wait for them.

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

/// Creates files with names of which every star of a pattern can match any part.
fn write_long_names(pod: &Pod) {
    for number in 0..8 {
        fs::write(pod.alice(&format!("{}{number}", "a".repeat(200))), "").unwrap();
    }
}

#[test]
fn logins_of_clients_that_hung_up_do_not_delay_others() {
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
fn star_patterns_of_many_sessions_do_not_delay_others() {
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
fn guesses_are_limited_by_address_without_delaying_a_neighbour_who_logged_in_lately() {
    let pod = Pod::new();
    pod.login();
    let begin = Instant::now();
    // Three more than one address may have at once, in independent sessions.
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
