//! State that AUTH resets, in the session and at the backend.

use super::*;

const PORT: u16 = 28000;

/// A server on which clients may also speak in the clear.
fn lax() -> Settings {
    let demands = Demands { control_protected: false, data_protected: false, ..settings().demands };
    Settings { demands, ..settings() }
}

impl Scene {
    /// Whatever may leave a trace, said and answered in the clear.
    fn spoken_in_the_clear() -> Self {
        let mut scene = Self::greeted_with(lax());
        let answered = [
            ("USER mallory", "331 password"),
            ("PASS known", "230 welcome"),
            ("CWD trap", "250 ok"),
            ("TYPE I", "200 ok"),
            ("RNFR a", "350 to?"),
            ("REST 5", "350 ok"),
        ];
        for (command, reply) in answered {
            scene.client(&format!("{command}\r\n"));
            scene.backend(&format!("{reply}\r\n"));
        }
        scene.client("EPSV ALL\r\nEPSV\r\n");
        scene.session.handle_port(Some(PORT), scene.now);
        assert_eq!(scene.codes(), [331, 230, 250, 200, 350, 350, 200, 229]);
        scene
    }

    fn start_tls(&mut self) {
        self.client("AUTH TLS\r\n");
        assert_eq!(self.codes(), [234]);
        self.session.handle_protected(self.now);
    }

    /// The new connection to the backend is open and has been greeted.
    fn backend_restarts(&mut self) {
        self.session.handle_backend_restarted(self.now);
        assert_eq!(self.asked(), "XPEER 198.51.100.1 7\r\n");
        self.backend("220 ftpd\r\n200 peer\r\n");
    }
}

#[test]
fn after_auth_tls_nothing_that_was_said_in_the_clear_counts() {
    let mut scene = Scene::spoken_in_the_clear();
    scene.start_tls();
    assert_eq!(scene.take(), [Output::ReleasePort, Output::RestartBackend]);
    scene.client("PWD\r\n");
    assert_eq!(scene.take(), [], "the command waits for a backend that knows nothing");
    scene.backend_restarts();
    assert_eq!(scene.codes(), [530], "and there is no second 220");
    scene.client("STAT\r\n");
    let said = scene.said();
    for default in ["User: not logged in", "Data connections: Clear", "Type: Ascii"] {
        assert!(said.contains(default), "{said}");
    }
    scene.client("PASS known\r\n");
    assert_eq!(scene.asked(), "PASS known\r\n", "whether USER came before is the new backend's to say");
}

#[test]
fn after_auth_tls_epsv_all_is_forgotten_and_so_is_rest() {
    let mut scene = Scene::spoken_in_the_clear();
    scene.start_tls();
    scene.backend_restarts();
    for (command, reply) in [("USER alice", "331 password"), ("PASS secret", "230 welcome")] {
        scene.client(&format!("{command}\r\n"));
        scene.backend(&format!("{reply}\r\n"));
    }
    scene.client("PASV\r\n");
    scene.session.handle_port(Some(PORT), scene.now);
    assert_eq!(scene.codes(), [331, 230, 227]);
    scene.client("RETR a\r\n");
    assert_eq!(scene.asked(), "RETR a\r\n", "REST 5 would be 504 under TYPE A");
}

#[test]
fn a_backend_that_was_told_nothing_is_not_restarted() {
    let features = "211-Features:\r\n SIZE\r\n211 End\r\n";
    for (before, reply) in [("", ""), ("FEAT\r\n", features), ("NOOP\r\nSYST\r\nHELP\r\n", "")] {
        let mut scene = Scene::greeted_with(lax());
        scene.client(before);
        scene.backend(reply);
        scene.take();
        scene.start_tls();
        assert_eq!(scene.take(), [], "{before}");
        scene.client("NOOP\r\n");
        assert_eq!(scene.codes(), [200]);
    }
}

#[test]
fn a_name_given_in_the_clear_is_not_the_one_whose_password_follows() {
    let mut scene = Scene::greeted_with(lax());
    scene.client("USER mallory\r\n");
    scene.backend("331 password\r\n");
    scene.take();
    scene.start_tls();
    assert_eq!(scene.take(), [Output::RestartBackend]);
}

#[test]
fn without_a_backend_to_restart_the_session_ends_and_says_so() {
    let mut scene = Scene::spoken_in_the_clear();
    scene.start_tls();
    scene.session.handle_backend_lost();
    assert_eq!(scene.codes(), [421]);
    let mut scene = Scene::spoken_in_the_clear();
    scene.start_tls();
    scene.session.handle_backend_restarted(scene.now);
    scene.backend("421 too many\r\n");
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn the_time_for_the_login_begins_again_for_a_login_that_was_lost() {
    let mut scene = Scene::spoken_in_the_clear();
    scene.pass(LOGIN_TIME * 2);
    scene.start_tls();
    scene.backend_restarts();
    scene.pass(LOGIN_TIME / 2);
    assert!(!scene.session.is_closed());
    scene.pass(LOGIN_TIME / 2);
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn a_restart_is_done_once_and_only_where_one_was_asked_for() {
    let mut scene = Scene::logged_in();
    scene.session.handle_backend_restarted(scene.now);
    assert_eq!(scene.take(), []);
}
