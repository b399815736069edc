//! Limits on logins: failed ones are bounded, and abandoned ones delay no user.

use std::time::{Duration, Instant};

use safetp_ftpd::server::{Rate, Throttle};

use crate::support::{Gateway, PASSWORD, World};

/// Enough that no test is about it.
const PLENTY: Rate = Rate { burst: 100_000, interval: Duration::from_hours(1) };
const FEW: Rate = Rate { burst: 3, interval: Duration::from_hours(1) };

/// A session of this address.
fn from(world: &World, address: &str) -> Gateway {
    let mut gateway = world.connect();
    gateway.ask(&format!("XPEER {address} 7"), 200);
    gateway
}

/// One login in a session of its own: the code of the reply to PASS.
fn code(world: &World, address: &str, user: &str, password: &str) -> u16 {
    let mut gateway = from(world, address);
    gateway.ask(&format!("USER {user}"), 331);
    gateway.send(format!("PASS {password}\r\n").as_bytes());
    gateway.reply().unwrap().code().number()
}

#[test]
fn a_login_is_as_fast_as_ever_during_thousands_that_were_abandoned() {
    let world = World::with_throttle(Throttle { address: PLENTY, name: PLENTY, ..Throttle::default() });
    for _ in 0..2000 {
        from(&world, "192.0.2.1").send(b"USER nobody\r\nPASS wrong\r\n");
    }
    let begin = Instant::now();
    assert_eq!(code(&world, "192.0.2.2", "alice", PASSWORD), 230);
    // Each of them checked would take more than ten seconds.
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[test]
fn guesses_of_one_address_end_whatever_names_and_sessions_they_use() {
    let world = World::with_throttle(Throttle { address: FEW, name: PLENTY, ..Throttle::default() });
    let codes: Vec<u16> = (0..5).map(|number| code(&world, "192.0.2.1", &format!("user-{number}"), "x")).collect();
    assert_eq!(codes, [530, 530, 530, 421, 421]);
    let mut guesser = from(&world, "192.0.2.1");
    guesser.ask("USER alice", 331);
    assert!(guesser.ask(&format!("PASS {PASSWORD}"), 421).contains("failed logins"));
    assert!(guesser.reply().is_none());
    assert_eq!(code(&world, "192.0.2.2", "alice", PASSWORD), 230);
}

#[test]
fn addresses_of_one_ipv6_subnet_guess_together() {
    let world = World::with_throttle(Throttle { address: FEW, name: PLENTY, ..Throttle::default() });
    let from = |host: u16| code(&world, &format!("2001:db8::{host:x}"), &format!("user-{host}"), "x");
    assert_eq!([1, 2, 3, 4].map(from), [530, 530, 530, 421]);
    assert_eq!(code(&world, "2001:db8:0:1::1", "alice", PASSWORD), 230);
}

#[test]
fn guesses_at_one_name_end_whatever_addresses_they_come_from_and_whether_it_exists() {
    let world = World::with_throttle(Throttle { address: PLENTY, name: FEW, ..Throttle::default() });
    for name in ["alice", "nobody"] {
        let from = |host: u8| code(&world, &format!("192.0.2.{host}"), name, "x");
        assert_eq!([1, 2, 3, 4].map(from), [530, 530, 530, 421], "{name}");
    }
}

#[test]
fn who_has_logged_in_lately_is_locked_out_neither_by_neighbours_nor_from_elsewhere() {
    let world = World::with_throttle(Throttle { address: FEW, name: FEW, ..Throttle::default() });
    assert_eq!(code(&world, "192.0.2.1", "alice", PASSWORD), 230);
    for host in 1..10 {
        code(&world, "192.0.2.1", &format!("user-{host}"), "x");
        code(&world, &format!("192.0.2.{}", host + 1), "alice", "x");
    }
    assert_eq!(code(&world, "192.0.2.1", "bob", PASSWORD), 421);
    assert_eq!(code(&world, "192.0.2.99", "alice", PASSWORD), 421);
    let begin = Instant::now();
    assert_eq!(code(&world, "192.0.2.1", "alice", PASSWORD), 230);
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_right_password_costs_nothing_however_often_it_is_used() {
    let world = World::with_throttle(Throttle { address: FEW, name: FEW, known: FEW, ..Throttle::default() });
    for _ in 0..20 {
        assert_eq!(code(&world, "192.0.2.1", "alice", PASSWORD), 230);
    }
}

#[test]
fn an_owner_who_mistyped_too_often_waits_for_a_token_and_is_let_in() {
    let soon = Rate { burst: 1, interval: Duration::from_millis(200) };
    let world = World::with_throttle(Throttle { known: soon, ..Throttle::default() });
    assert_eq!(code(&world, "192.0.2.1", "alice", PASSWORD), 230);
    assert_eq!(code(&world, "192.0.2.1", "alice", "mistyped"), 530);
    assert_eq!(code(&world, "192.0.2.1", "alice", PASSWORD), 230);
}
