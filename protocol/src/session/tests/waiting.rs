//! Commands that wait for their turn, and how many octets of them may.

use super::*;

/// Read at once, as the gateway does.
const READ: usize = 2048;

impl Scene {
    /// Sends as much of this as is read, and returns how much that was.
    fn pour(&mut self, octets: &str) -> usize {
        let mut read = 0;
        for piece in octets.as_bytes().chunks(READ) {
            if !self.session.wants_client_input() {
                break;
            }
            self.session.handle_client_bytes(piece, self.now);
            read += piece.len();
        }
        self.gather();
        read
    }

    fn waiting(&self) -> usize {
        self.session.channel.waiting()
    }
}

#[test]
fn a_flood_of_commands_is_not_read_further() {
    let mut scene = Scene::logged_in();
    let read = scene.pour(&"PWD\r\n".repeat(100_000));
    assert!((60_000..70_000).contains(&read), "{read}");
    let commands = read / "PWD\r\n".len();
    for _ in 0..commands {
        scene.backend("257 \"/\"\r\n");
    }
    assert!(scene.session.wants_client_input());
    assert_eq!(scene.codes(), vec![257; commands]);
}

#[test]
fn before_login_few_octets_may_wait_line_ends_included() {
    for flood in ["\n".repeat(100_000), "PASS x\r\n".repeat(10_000)] {
        let mut scene = Scene::protected();
        scene.client("USER alice\r\n");
        scene.pour(&flood);
        assert!(scene.waiting() < 8 * 1024 + READ, "{} octets wait", scene.waiting());
    }
}

#[test]
fn a_command_that_is_longer_than_what_may_wait_is_read_to_its_end() {
    let settings = Settings { max_line: 32 * 1024, ..settings() };
    let mut scene = Scene::greeted_with(settings);
    let line = format!("NOOP {}\r\n", "x".repeat(30_000));
    assert_eq!(scene.pour(&line), line.len());
    assert_ne!(scene.said(), "");
}

#[test]
fn empty_lines_during_a_transfer_are_not_free_and_abor_among_them_is_heard() {
    let mut scene = Scene::logged_in();
    scene.client("EPSV\r\n");
    scene.session.handle_port(Some(28000), scene.now);
    scene.client("RETR file\r\n");
    scene.backend("150 here\r\n");
    scene.take();
    scene.pour("\n\nABOR\r\n");
    assert!(scene.take().contains(&Output::AbortTransfer));
    scene.pour(&"\n".repeat(100_000));
    assert!(scene.waiting() < 64 * 1024 + READ, "{} octets wait", scene.waiting());
    assert!(scene.waiting() >= 60 * 1024 + READ, "at most one read of them waits as it came");
}

#[test]
fn commands_that_came_protected_after_ccc_stay_so_and_are_bounded() {
    let demands = Demands { clear_command_channel: true, ..settings().demands };
    let mut scene = Scene::logged_in_with(Settings { demands, ..settings() });
    scene.client("CCC\r\nNOOP\r\nCCC\r\n");
    scene.take();
    scene.session.handle_cleared(scene.now);
    assert_eq!(scene.codes(), [200, 200], "CCC in the clear would be 503");
    scene.session.handle_client_bytes("\n".repeat(60_000).as_bytes(), scene.now);
    scene.session.handle_cleared(scene.now);
    assert_eq!(scene.codes(), [421]);
}
