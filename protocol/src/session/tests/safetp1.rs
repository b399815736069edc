//! Sessions under X-SafeTP1, with a real client at the other end.

use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rand_core::SeedableRng as _;

use super::*;
use crate::security::safetp1::{self, BlockSize, KeySize, Level, ServerIp, SigningKey, TransferNumber, client};

mod ends;

fn rng() -> chacha20::ChaCha20Rng {
    chacha20::ChaCha20Rng::seed_from_u64(7)
}

/// One key for all tests: making one takes a while.
fn key() -> Arc<SigningKey> {
    static KEY: OnceLock<Arc<SigningKey>> = OnceLock::new();
    Arc::clone(KEY.get_or_init(|| Arc::new(SigningKey::generate(KeySize::Legacy1024, &mut rng()))))
}

fn offering() -> Settings {
    Settings { safetp1: SafeTp1::Ready(key()), max_line: 4096, ..settings() }
}

/// A session and the client's end of its protection.
struct Protected {
    scene: Scene,
    control: safetp1::Control,
    /// The last reply was to what came in the clear.
    answered_clear: bool,
}

impl Scene {
    fn adat(&mut self, message: &[u8]) {
        self.client(&format!("ADAT {}\r\n", BASE64.encode(message)));
    }

    /// The message that came with this code.
    fn adat_said(&mut self, code: u16) -> Vec<u8> {
        let said = self.said();
        let message = said.strip_prefix(&format!("{code} ADAT=")).unwrap_or_else(|| panic!("{said}"));
        BASE64.decode(message.trim_end()).unwrap()
    }

    fn answer(&mut self) {
        assert_eq!(self.take(), [Output::Negotiate]);
        assert!(!self.session.wants_client_input());
        let answer = self.session.take_question().unwrap().answer(&mut rng());
        self.session.handle_answer(answer, self.now);
        self.gather();
    }
}

impl Protected {
    fn with(settings: Settings) -> Self {
        let mut protected = Self::after_proof(Scene::greeted_with(settings));
        assert_eq!(protected.scene.codes(), [235]);
        protected
    }

    /// The client has sent message 4.
    fn after_proof(mut scene: Scene) -> Self {
        scene.client("AUTH X-SafeTP1\r\n");
        let (exchange, message) = client::begin(&scene.adat_said(334), &mut rng()).unwrap();
        scene.adat(&message);
        scene.answer();
        let dialled = ServerIp::from(ADDRESS.parse::<IpAddr>().unwrap());
        let (secured, message) = exchange.finish(&scene.adat_said(335), dialled).unwrap();
        scene.adat(&message);
        Self { scene, control: secured.control, answered_clear: false }
    }

    fn new() -> Self {
        Self::with(offering())
    }

    fn logged_in(settings: Settings) -> Self {
        let mut protected = Self::with(settings);
        protected.log_in();
        protected
    }

    fn log_in(&mut self) {
        for (command, reply) in [("USER alice", "331 password"), ("PASS secret", "230 welcome"), ("TYPE I", "200 ok")] {
            self.send(command);
            self.scene.backend(&format!("{reply}\r\n"));
        }
        self.ask("PBSZ 1024");
        self.ask("PROT P");
    }

    /// A transfer whose octets move.
    fn transferring(command: &str) -> Self {
        let mut protected = Self::logged_in(offering());
        protected.begin(command);
        protected.scene.backend("150 go ahead\r\n");
        assert!(protected.heard().last().unwrap().starts_with("150 "));
        protected
    }

    /// EPSV, and the command of a transfer.
    fn begin(&mut self, command: &str) {
        self.send("EPSV");
        self.scene.session.handle_port(Some(28000), self.scene.now);
        assert!(self.heard().last().unwrap().starts_with("229 "));
        self.send(command);
    }

    fn transfer_ends(&mut self, outcome: Result<(), Failure>) -> Vec<String> {
        self.scene.session.handle_transfer_ended(outcome, self.scene.now);
        self.scene.backend("250 noted\r\n");
        self.heard().into_iter().map(|line| line[..3].to_owned()).collect()
    }

    fn send(&mut self, command: &str) {
        let message = self.control.seal(format!("{command}\r\n").as_bytes()).unwrap();
        self.scene.client(&format!("ENC {}\r\n", BASE64.encode(message)));
    }

    /// All replies as the client reads them.
    fn heard(&mut self) -> Vec<String> {
        let said = self.scene.said();
        said.lines().map(|line| self.open(line)).collect()
    }

    fn open(&mut self, line: &str) -> String {
        let (code, message) = line.split_at(4);
        assert!(["632 ", "632-"].contains(&code), "in the clear: {line}");
        let opened = self.control.open(&BASE64.decode(message).unwrap()).unwrap();
        self.answered_clear = opened.answers_clear;
        assert_eq!(code.ends_with(' '), opened.line.get(3) == Some(&b' '), "the last line is marked as such");
        String::from_utf8(opened.line).unwrap()
    }

    fn ask(&mut self, command: &str) -> Vec<String> {
        self.heard();
        self.send(command);
        let heard = self.heard();
        assert!(!self.answered_clear);
        heard
    }

    fn code(&mut self, command: &str) -> String {
        self.ask(command).pop().unwrap()[..3].to_owned()
    }

    fn code_in_the_clear(&mut self, command: &str) -> String {
        self.heard();
        self.scene.client(&format!("{command}\r\n"));
        let code = self.heard().pop().unwrap()[..3].to_owned();
        assert!(
            self.answered_clear,
            "a client that sent nothing in the clear must see that this is not an answer to it"
        );
        code
    }
}

#[test]
fn after_235_every_command_and_every_line_of_a_reply_is_protected() {
    let mut protected = Protected::new();
    assert_eq!(protected.ask("NOOP"), ["200 Nothing done."]);
    let lines = protected.ask("STAT");
    assert_eq!((lines[0].as_str(), lines.last().unwrap().as_str()), ("211-Status:", "211 End"));
    assert!(lines.contains(&" Control connection protected: yes".to_owned()));
}

#[test]
fn a_password_goes_to_the_backend_and_nowhere_else() {
    let mut protected = Protected::new();
    protected.send("USER alice");
    protected.scene.backend("331 password\r\n");
    protected.send("PASS secret");
    assert!(protected.scene.asked().contains("PASS secret\r\n"));
}

#[test]
fn a_command_in_the_clear_is_533_and_the_session_lives() {
    let mut protected = Protected::new();
    for command in ["NOOP", "USER mallory", "AUTH TLS", "ADAT AA==", "PORT 198,51,100,1,7,208"] {
        let expected = if command.starts_with("PORT") { "530" } else { "533" };
        assert_eq!(protected.code_in_the_clear(command), expected, "{command}");
    }
    assert_eq!(protected.code_in_the_clear("\u{1}"), "500");
    assert_eq!(protected.code_in_the_clear("ENC not base64"), "501");
    assert_eq!(protected.code_in_the_clear("MIC AAAA"), "537");
    assert_eq!(protected.code_in_the_clear("CONF AAAA"), "537");
    assert_eq!(protected.code("NOOP"), "200");
}

#[test]
fn auth_and_ccc_are_refused_under_x_safetp1() {
    let allowed = Demands { clear_command_channel: true, ..settings().demands };
    let mut protected = Protected::logged_in(Settings { demands: allowed, ..offering() });
    let codes = ["AUTH TLS", "AUTH X-SafeTP1", "ADAT AA==", "CCC", "ENC AA=="].map(|command| protected.code(command));
    assert_eq!(codes, ["503", "503", "503", "534", "537"]);
}

#[test]
fn a_message_that_does_not_verify_ends_the_session() {
    let mut protected = Protected::new();
    let mut message = protected.control.seal(b"NOOP\r\n").unwrap();
    message[3] ^= 1;
    protected.scene.client(&format!("ENC {}\r\n", BASE64.encode(message)));
    assert!(protected.heard()[0].starts_with("535 "));
    assert!(protected.scene.session.is_closed());
}

#[test]
fn a_replayed_message_ends_the_session() {
    let mut protected = Protected::new();
    let message = BASE64.encode(protected.control.seal(b"NOOP\r\n").unwrap());
    protected.scene.client(&format!("ENC {message}\r\nENC {message}\r\nNOOP\r\n"));
    assert!(protected.scene.session.is_closed());
}

#[test]
fn octets_pipelined_after_auth_or_adat_end_the_session() {
    for pipelined in ["NOOP\r\n", "N"] {
        let mut scene = Scene::greeted_with(offering());
        scene.client(&format!("AUTH X-SafeTP1\r\n{pipelined}"));
        assert_eq!(scene.codes(), [421]);
        let mut scene = Scene::greeted_with(offering());
        scene.client("AUTH X-SafeTP1\r\n");
        scene.take();
        scene.client(&format!("ADAT AAAA\r\n{pipelined}"));
        assert_eq!(scene.codes(), [421]);
    }
}

#[test]
fn adat_out_of_order_or_malformed_is_refused() {
    let mut scene = Scene::greeted_with(offering());
    scene.client("ADAT AAAA\r\n");
    assert_eq!(scene.codes(), [503]);
    scene.client("AUTH X-SafeTP1\r\n");
    scene.take();
    scene.client("ADAT no base64\r\n");
    assert_eq!(scene.codes(), [501], "and the exchange stands where it stood");
    scene.adat(b"no message");
    scene.answer();
    assert_eq!(scene.codes(), [535]);
    scene.adat(b"too late");
    assert_eq!(scene.codes(), [503]);
}

#[test]
fn the_third_failed_exchange_ends_the_session() {
    let mut scene = Scene::greeted_with(offering());
    for expected in [&[535][..], &[535], &[535, 421]] {
        scene.client("AUTH X-SafeTP1\r\n");
        scene.take();
        scene.adat(b"no message");
        scene.answer();
        assert_eq!(scene.codes(), expected);
    }
    assert!(scene.session.is_closed());
}

#[test]
fn abandoned_exchanges_count_as_failed_ones() {
    let mut scene = Scene::greeted_with(offering());
    for _ in 0..3 {
        scene.client("AUTH X-SafeTP1\r\n");
        let (_, message) = client::begin(&scene.adat_said(334), &mut rng()).unwrap();
        scene.adat(&message);
        scene.answer();
        assert_eq!(scene.codes(), [335]);
    }
    scene.client("AUTH X-SafeTP1\r\n");
    assert_eq!(scene.codes(), [421]);
    assert!(scene.session.is_closed());
}

#[test]
fn without_an_address_or_a_key_it_is_431_and_unlisted_504() {
    let mut scene = Scene::with(offering(), None);
    scene.backend("220 ftpd\r\n200 peer\r\n");
    scene.take();
    scene.client("AUTH X-SafeTP1\r\n");
    assert_eq!(scene.codes(), [431]);
    let mut scene = Scene::greeted_with(Settings { safetp1: SafeTp1::NotReady, ..settings() });
    scene.client("AUTH X-SafeTP1\r\n");
    assert_eq!(scene.codes(), [431]);
    let mut scene = Scene::greeted();
    scene.client("AUTH X-SafeTP1\r\n");
    assert_eq!(scene.codes(), [504]);
}

#[test]
fn replies_name_auth_x_safetp1_where_tls_is_not_offered() {
    let mut scene = Scene::greeted_with(Settings { tls: Tls::NotOffered, ..offering() });
    scene.client("USER alice\r\n");
    assert!(scene.said().contains("AUTH X-SafeTP1 first"));
    scene.client("AUTH TLS\r\n");
    assert_eq!(scene.codes(), [504]);
    scene.client("FEAT\r\n");
    scene.backend("211-Features:\r\n SIZE\r\n211 End\r\n");
    let said = scene.said();
    assert!(said.contains(" AUTH X-SafeTP1\r\n") && !said.contains("AUTH TLS"), "{said}");
}

#[test]
fn a_transfer_is_numbered_by_the_command_that_opened_it() {
    let mut protected = Protected::logged_in(offering());
    let number = TransferNumber(protected.control.next_sealed() + 1);
    protected.begin("RETR a");
    protected.scene.backend("150 here it comes\r\n");
    let security = DataSecurity::Blocks { level: Level::Private, number, size: BlockSize::negotiate(1024).unwrap() };
    let transfer = Transfer { verb: TransferVerb::Retr, route: Route::Passive, security, convert: false };
    assert!(protected.scene.take().contains(&Output::StartTransfer(transfer)));
    assert!(protected.scene.session.data_keys().is_some());
}

#[test]
fn clear_port_under_x_safetp1_must_be_allowed_by_policy() {
    let port = "PORT 198,51,100,1,7,208";
    for (active_mode, expected) in
        [(ActiveMode::Off, "502"), (ActiveMode::On, "533"), (ActiveMode::OnInTheClear, "200")]
    {
        let demands = Demands { active_mode, ..settings().demands };
        let mut protected = Protected::logged_in(Settings { demands, ..offering() });
        assert_eq!(protected.code_in_the_clear(port), expected, "{active_mode:?}");
        assert_eq!(protected.code("NOOP"), "200", "the chain continues");
    }
}

#[test]
fn a_protected_command_may_be_as_long_as_a_clear_one() {
    let mut protected = Protected::logged_in(offering());
    let name = "x".repeat(4096 - 5);
    protected.send(&format!("SIZE {name}"));
    assert!(protected.scene.asked().contains(&name));
    protected.scene.backend("550 no\r\n");
    for longer in [1, 1000, 20_000] {
        let command = format!("SIZE {name}{}", "x".repeat(longer));
        assert_eq!(protected.code(&command), "500", "{longer} octets too long, and still an answer to this client");
    }
    assert_eq!(protected.code("NOOP"), "200");
}

#[test]
fn an_overlong_line_counts_as_sent_in_the_clear() {
    for (mut protected, limit) in [(Protected::new(), 8192), (Protected::logged_in(offering()), 32_768)] {
        assert_eq!(protected.code_in_the_clear(&format!("ENC {}", "A".repeat(limit - 3))), "500");
        assert_eq!(protected.code("NOOP"), "200");
        assert_eq!(protected.code(&format!("SIZE {}", "x".repeat(limit / 4 * 3 - 100))), "500", "under the limit");
    }
}
