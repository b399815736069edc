//! Scenes of one session between a client and a backend, with time as the test sets it.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::*;
use crate::{
    command::TransferVerb,
    policy::{ActiveMode, Demands},
};

mod active;
mod auth;
mod changes;
mod login;
mod passive;
mod protection;
mod safetp1;
mod transfers;
mod waiting;

/// The announced address, unless a test sets another.
const ADDRESS: &str = "203.0.113.7";
const LOGIN_TIME: Duration = Duration::from_secs(60);
const IDLE_TIME: Duration = Duration::from_secs(600);

/// A session, its time, and its outputs since they were last taken.
struct Scene {
    session: Session,
    now: Instant,
    outputs: Vec<Output>,
}

fn settings() -> Settings {
    Settings {
        demands: Demands {
            control_protected: true,
            data_protected: true,
            clear_command_channel: false,
            active_mode: ActiveMode::Off,
        },
        tls: Tls::Ready,
        safetp1: SafeTp1::NotOffered,
        max_line: 64,
        login_time: LOGIN_TIME,
        idle_time: IDLE_TIME,
    }
}

fn announced(text: &str) -> Announced {
    Announced { text: text.into(), v4: text.parse().ok(), v6: text.parse().ok() }
}

impl Scene {
    fn with(settings: Settings, address: Option<&str>) -> Self {
        let now = Instant::now();
        let peer = Ipv4Addr::new(198, 51, 100, 1).into();
        let session = Session::new(SessionId(7), peer, settings.into(), address.map(announced), now);
        Self { session, now, outputs: Vec::new() }
    }

    /// Greeted, in the clear.
    fn greeted() -> Self {
        Self::greeted_with(settings())
    }

    fn greeted_with(settings: Settings) -> Self {
        let mut scene = Self::with(settings, Some(ADDRESS));
        scene.backend("220 ftpd\r\n200 peer\r\n");
        assert_eq!(scene.said(), "220 SafeTP gateway ready.\r\n");
        scene
    }

    /// After AUTH, PBSZ and PROT.
    fn protected() -> Self {
        Self::protected_with(settings())
    }

    fn protected_with(settings: Settings) -> Self {
        let mut scene = Self::greeted_with(settings);
        scene.client("AUTH TLS\r\n");
        scene.session.handle_protected(scene.now);
        scene.client("PBSZ 0\r\nPROT P\r\n");
        scene.take();
        scene
    }

    fn logged_in() -> Self {
        Self::logged_in_with(settings())
    }

    fn logged_in_with(settings: Settings) -> Self {
        let mut scene = Self::protected_with(settings);
        scene.client("USER alice\r\n");
        scene.backend("331 password\r\n");
        scene.client("PASS secret\r\n");
        scene.backend("230 welcome\r\n");
        scene.client("TYPE I\r\n");
        scene.backend("200 ok\r\n");
        scene.take();
        scene
    }

    fn client(&mut self, octets: &str) {
        self.session.handle_client_bytes(octets.as_bytes(), self.now);
        self.gather();
    }

    fn backend(&mut self, octets: &str) {
        self.session.handle_backend_bytes(octets.as_bytes(), self.now);
        self.gather();
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
            self.session.handle_timeout(self.now);
        }
        self.gather();
    }

    fn gather(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Admit => self.session.handle_admission(Ok(()), self.now),
                other => self.outputs.push(other),
            }
        }
    }

    fn take(&mut self) -> Vec<Output> {
        self.gather();
        std::mem::take(&mut self.outputs)
    }

    /// Whatever went to the client; other outputs are dropped.
    fn said(&mut self) -> String {
        let said = |output: Output| if let Output::ToClient(octets) = output { octets } else { Vec::new() };
        String::from_utf8(self.take().into_iter().flat_map(said).collect()).unwrap()
    }

    /// The codes of the replies to the client.
    fn codes(&mut self) -> Vec<u16> {
        let said = self.said();
        let lines = said.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
        lines.filter_map(|line| line.get(..3)?.parse().ok()).collect()
    }

    /// Whatever went to the backend; other outputs are dropped.
    fn asked(&mut self) -> String {
        let asked = |output: Output| if let Output::ToBackend(octets) = output { octets } else { Vec::new() };
        String::from_utf8(self.take().into_iter().flat_map(asked).collect()).unwrap()
    }
}

#[test]
fn the_client_is_greeted_when_the_backend_is_there_and_the_backend_knows_the_peer() {
    let mut scene = Scene::with(settings(), None);
    assert_eq!(scene.asked(), "XPEER 198.51.100.1 7\r\n");
    scene.client("NOOP\r\n");
    assert_eq!(scene.said(), "");
    scene.backend("220 ftpd\r\n200 peer\r\n");
    assert_eq!(scene.codes(), [220, 200]);
}

#[test]
fn a_backend_that_is_not_ready_is_a_421() {
    let mut scene = Scene::with(settings(), None);
    scene.backend("421 full\r\n");
    assert_eq!(scene.codes(), [421]);
    assert!(scene.session.is_closed());
}

#[test]
fn commands_wait_for_the_backends_reply_to_the_one_before() {
    let mut scene = Scene::logged_in();
    scene.client("PWD\r\nCWD a\r\nNOOP\r\n");
    assert_eq!(scene.asked(), "PWD\r\n");
    scene.backend("257 \"/\"\r\n");
    assert_eq!(scene.asked(), "CWD a\r\n");
    scene.backend("250 ok\r\n");
    assert_eq!(scene.codes(), [250, 200]);
}

#[test]
fn feat_lists_the_gateways_features_and_the_backends_others() {
    let mut scene = Scene::greeted();
    scene.client("FEAT\r\n");
    scene.backend("211-Features\r\n SIZE\r\n EPRT\r\n PASV\r\n AUTH GSSAPI\r\n MLST type*;size*;\r\n211 End\r\n");
    let expected =
        "211-Features:\r\n AUTH TLS\r\n EPSV\r\n PASV\r\n PBSZ\r\n PROT\r\n SIZE\r\n MLST type*;size*;\r\n211 End\r\n";
    assert_eq!(scene.said(), expected);
}

#[test]
fn a_login_is_reported_once_with_its_user() {
    let mut scene = Scene::protected();
    scene.client("USER alice\r\n");
    scene.backend("331 password\r\n");
    scene.client("PASS wrong\r\n");
    scene.backend("530 no\r\n");
    assert!(scene.take().contains(&Output::Event(Event::LoginRefused("alice".into()))));
    scene.client("PASS right\r\n");
    scene.backend("230 yes\r\n");
    assert!(scene.take().contains(&Output::Event(Event::LoggedIn("alice".into()))));
    scene.client("USER bob\r\n");
    assert_eq!(scene.codes(), [503]);
}

#[test]
fn a_refused_login_that_ends_the_session_is_reported() {
    let mut scene = Scene::protected();
    scene.client("USER alice\r\n");
    scene.backend("331 password\r\n");
    scene.client("PASS wrong\r\n");
    scene.backend("421 too many\r\n");
    assert!(scene.take().contains(&Output::Event(Event::LoginRefused("alice".into()))));
    assert!(scene.session.is_closed());
}

#[test]
fn a_backends_421_is_the_clients_last_reply() {
    let mut scene = Scene::logged_in();
    scene.backend("421 shutting down\r\n");
    assert_eq!(scene.said(), "421 shutting down\r\n");
    assert!(scene.session.is_closed());
}

#[test]
fn a_backend_that_speaks_without_being_asked_ends_the_session() {
    let mut scene = Scene::logged_in();
    scene.backend("200 what\r\n");
    assert_eq!(scene.codes(), [421]);
    let mut scene = Scene::logged_in();
    scene.backend("garbage\r\n");
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn a_line_that_is_too_long_is_500_and_an_argument_that_is_wrong_501() {
    let mut scene = Scene::logged_in();
    scene.client(&format!("CWD {}\r\nPBSZ x\r\nRETR\r\nTYPE E\r\n \r\nNOOP\r\n", "x".repeat(100)));
    assert_eq!(scene.codes(), [500, 501, 501, 504, 500, 200]);
}

#[test]
fn an_idle_session_is_421_and_every_command_puts_that_off() {
    let mut scene = Scene::logged_in();
    scene.pass(Duration::from_secs(599));
    scene.client("NOOP\r\n");
    scene.pass(Duration::from_secs(599));
    assert_eq!(scene.codes(), [200]);
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.codes(), [421]);
}

#[test]
fn a_drain_ends_an_idle_session_at_once_and_a_busy_one_after_its_reply() {
    let mut idle = Scene::logged_in();
    idle.session.handle_drain(idle.now);
    assert_eq!(idle.codes(), [421]);
    let mut busy = Scene::logged_in();
    busy.client("PWD\r\nNOOP\r\n");
    busy.session.handle_drain(busy.now);
    busy.backend("257 \"/\"\r\n");
    assert_eq!(busy.codes(), [257, 421]);
}

#[test]
fn stat_is_answered_by_the_gateway_with_what_the_client_knows_already() {
    let mut scene = Scene::logged_in();
    scene.client("STAT\r\n");
    let said = scene.said();
    assert!(said.contains("User: alice") && said.ends_with("211 End\r\n"), "{said}");
}

/// An event that can come at any moment.
#[derive(Clone, Debug)]
enum Input {
    Client(String),
    Backend(String),
    Protected,
    Port(Option<u16>),
    PortExpired,
    TransferEnded(bool),
    Address(Option<&'static str>),
    Drain,
    Shutdown,
    Pass(u64),
}

fn input() -> impl Strategy<Value = Input> {
    let client = "(AUTH TLS|PBSZ 0|PROT P|USER a|PASS b|PASV|EPSV|EPSV ALL|RETR a|STOR b|LIST|ABOR|STAT|NOOP|TYPE A|\
                  REST 5|FEAT|PWD|PORT 1|x|QUIT)(\r\n)?";
    let backend = "(220|331|230|200|150|226|250|350|550|421) x\r\n";
    prop_oneof![
        6 => client.prop_map(Input::Client),
        6 => backend.prop_map(Input::Backend),
        2 => Just(Input::Protected),
        2 => prop_oneof![Just(None), Just(Some(28000))].prop_map(Input::Port),
        1 => Just(Input::PortExpired),
        2 => any::<bool>().prop_map(Input::TransferEnded),
        1 => prop_oneof![Just(None), Just(Some("203.0.113.7")), Just(Some("203.0.113.8"))].prop_map(Input::Address),
        1 => Just(Input::Drain),
        1 => Just(Input::Shutdown),
        1 => (0u64..700).prop_map(Input::Pass),
    ]
}

impl Scene {
    fn input(&mut self, input: Input) {
        let now = self.now;
        match input {
            Input::Client(octets) if self.session.wants_client_input() => self.client(&octets),
            Input::Client(_) => {}
            Input::Backend(octets) => self.backend(&octets),
            Input::Protected => self.session.handle_protected(now),
            Input::Port(port) => self.session.handle_port(port, now),
            Input::PortExpired => self.session.handle_port_expired(),
            Input::TransferEnded(well) => {
                let outcome = if well { Ok(()) } else { Err(Failure::ConnectionLost) };
                self.session.handle_transfer_ended(outcome, now);
            }
            Input::Address(address) => self.session.handle_address(address.map(announced), now),
            Input::Drain => self.session.handle_drain(now),
            Input::Shutdown => self.session.handle_shutdown(now),
            Input::Pass(seconds) => self.pass(Duration::from_secs(seconds)),
        }
        self.gather();
    }
}

proptest! {
    #[test]
    fn invariants_hold_for_any_order_of_events(
        inputs in proptest::collection::vec(input(), 0..80),
    ) {
        let mut scene = Scene::with(settings(), Some("203.0.113.7"));
        let mut protected = false;
        let mut user_sent_clear = false;
        for input in inputs {
            let was_closed = scene.session.is_closed();
            let handshaking = matches!(scene.session.phase, Phase::Handshaking(_));
            protected |= handshaking && matches!(input, Input::Protected);
            scene.input(input);
            let outputs = scene.take();
            user_sent_clear |= !protected && outputs.iter().any(|output| {
                matches!(output, Output::ToBackend(line) if line.starts_with(b"USER") || line.starts_with(b"PASS"))
            });
            if was_closed {
                prop_assert_eq!(outputs, [], "a closed session is silent");
            }
        }
        prop_assert!(!user_sent_clear, "a login went on in the clear");
    }
}
