//! The way to a login: how long it may take, how far a session has come on it, and its end at a full house.

use super::*;

#[test]
fn ten_seconds_without_an_octet_after_the_greeting_are_421() {
    let mut scene = Scene::with(settings(), None);
    scene.pass(Duration::from_secs(20));
    scene.backend("220 ftpd\r\n200 peer\r\n");
    scene.pass(Duration::from_secs(9));
    assert_eq!(scene.codes(), [220], "a slow backend is not the client's fault");
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn the_time_for_a_login_begins_with_the_first_octet() {
    let mut scene = Scene::greeted();
    scene.pass(Duration::from_secs(9));
    scene.client("N");
    scene.pass(LOGIN_TIME / 2);
    scene.client("OOP\r\n");
    scene.pass(Duration::from_secs(29));
    assert_eq!(scene.codes(), [200]);
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn a_handshake_that_takes_too_long_ends_without_a_word_in_the_clear() {
    let mut scene = Scene::greeted();
    scene.client("AUTH TLS\r\n");
    scene.take();
    scene.pass(LOGIN_TIME);
    assert_eq!(scene.take(), []);
    assert!(scene.session.is_closed());
}

#[test]
fn where_a_login_may_take_less_than_ten_seconds_the_first_octet_may_too() {
    let mut scene = Scene::greeted_with(Settings { login_time: Duration::from_secs(1), ..settings() });
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn each_step_towards_a_login_is_progress() {
    let mut scene = Scene::greeted();
    let mut steps = vec![scene.session.progress()];
    scene.client("A");
    steps.push(scene.session.progress());
    scene.client("UTH TLS\r\n");
    scene.session.handle_protected(scene.now);
    steps.push(scene.session.progress());
    scene.client("USER alice\r\n");
    scene.backend("331 password\r\n");
    scene.client("PASS secret\r\n");
    steps.push(scene.session.progress());
    scene.backend("230 welcome\r\n");
    steps.push(scene.session.progress());
    let expected = [Progress::Silent, Progress::Speaking, Progress::Protected, Progress::LoggingIn, Progress::LoggedIn];
    assert_eq!(steps, expected);
}

#[test]
fn a_login_that_finds_no_place_gets_421_instead_of_its_welcome() {
    let mut scene = Scene::protected();
    scene.client("USER alice\r\n");
    scene.backend("331 password\r\n");
    scene.client("PASS secret\r\n");
    scene.take();
    scene.session.handle_backend_bytes(b"230 welcome\r\n", scene.now);
    assert_eq!(scene.session.poll_output(), Some(Output::Admit));
    scene.session.handle_admission(Err(Reply::new(421, "full")), scene.now);
    assert_eq!(scene.said(), "421 full\r\n");
    assert!(scene.session.is_closed());
}
