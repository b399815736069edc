//! Transfers: their replies, their order, and what breaks them off.

use super::*;

fn retr() -> Transfer {
    Transfer { verb: TransferVerb::Retr, route: Route::Passive, security: DataSecurity::Tls, convert: false }
}

impl Scene {
    /// With a data port, so that transfers may come.
    fn passive() -> Self {
        let mut scene = Self::logged_in();
        scene.granted();
        scene
    }

    fn granted(&mut self) {
        self.client("EPSV\r\n");
        self.session.handle_port(Some(28000), self.now);
        self.take();
    }

    /// Octets are moving.
    fn running() -> Self {
        let mut scene = Self::passive();
        scene.client("RETR a\r\n");
        scene.backend("150 here it comes\r\n");
        assert!(scene.take().contains(&Output::StartTransfer(retr())));
        scene
    }

    fn ended(&mut self, outcome: Result<(), Failure>) {
        self.session.handle_transfer_ended(outcome, self.now);
        self.gather();
    }
}

#[test]
fn a_transfer_runs_from_150_to_the_backends_226() {
    let mut scene = Scene::passive();
    scene.client("RETR a b\r\n");
    assert_eq!(scene.asked(), "RETR a b\r\n");
    scene.backend("150 here it comes\r\n");
    let outputs = scene.take();
    assert_eq!(outputs, [Output::ToClient(b"150 here it comes\r\n".to_vec()), Output::StartTransfer(retr())]);
    scene.ended(Ok(()));
    assert_eq!(scene.asked(), "XCOMPLETE\r\n");
    scene.backend("226 stored\r\n");
    assert_eq!(scene.said(), "226 stored\r\n");
}

#[test]
fn a_failed_finish_of_the_backend_is_the_transfers_reply() {
    let mut scene = Scene::running();
    scene.ended(Ok(()));
    scene.take();
    scene.backend("552 over quota\r\n");
    assert_eq!(scene.said(), "552 over quota\r\n");
}

#[test]
fn a_broken_transfer_is_reported_to_client_and_backend() {
    let mut scene = Scene::running();
    scene.ended(Err(Failure::Truncated));
    assert_eq!(scene.asked(), "XFAILED other\r\n");
    scene.backend("451 part kept\r\n");
    let said = scene.said();
    assert!(said.starts_with("426 ") && said.contains("close_notify"), "{said}");
}

#[test]
fn the_backend_learns_which_failures_leave_nothing_to_continue() {
    for (failure, cause) in [
        (Failure::StorageFull, "storage_full"),
        (Failure::FileWrite, "file_write"),
        (Failure::Aborted, "other"),
        (Failure::FileRead, "other"),
    ] {
        let mut scene = Scene::running();
        scene.ended(Err(failure));
        assert_eq!(scene.asked(), format!("XFAILED {cause}\r\n"));
    }
}

#[test]
fn a_backend_that_repeats_150_while_finishing_is_waited_for() {
    let mut scene = Scene::running();
    scene.ended(Ok(()));
    scene.take();
    for _ in 0..3 {
        scene.now += Duration::from_mins(4);
        scene.session.handle_timeout(scene.now);
        scene.backend("150 still writing\r\n");
    }
    assert_eq!(scene.said(), "", "a second 150 would confuse clients");
    scene.backend("226 stored\r\n");
    assert_eq!(scene.said(), "226 stored\r\n");
}

#[test]
fn a_transfer_without_a_port_is_425_and_names_pasv() {
    let mut scene = Scene::logged_in();
    scene.client("LIST\r\n");
    assert!(scene.said().contains("PASV or EPSV first"));
    scene.granted();
    scene.session.handle_port_expired();
    scene.client("LIST\r\n");
    assert_eq!(scene.codes(), [425]);
}

#[test]
fn a_port_is_good_for_one_transfer() {
    let mut scene = Scene::running();
    scene.ended(Ok(()));
    scene.backend("226 done\r\n");
    scene.client("RETR b\r\n");
    assert_eq!(scene.codes(), [226, 425]);
}

#[test]
fn a_refused_command_gives_the_port_up() {
    let mut scene = Scene::passive();
    scene.client("RETR missing\r\n");
    scene.take();
    scene.backend("550 no such file\r\n");
    let outputs = scene.take();
    assert_eq!(outputs, [Output::ReleasePort, Output::ToClient(b"550 no such file\r\n".to_vec())]);
    scene.client("RETR missing\r\n");
    assert_eq!(scene.codes(), [425]);
}

#[test]
fn abor_breaks_a_running_transfer_off_426_then_226() {
    let mut scene = Scene::running();
    scene.client("ABOR\r\n");
    assert_eq!(scene.take(), [Output::AbortTransfer]);
    scene.ended(Err(Failure::Aborted));
    assert_eq!(scene.asked(), "XFAILED other\r\n");
    scene.backend("426 failed\r\n");
    assert_eq!(scene.codes(), [426, 226]);
}

#[test]
fn abor_before_the_150_moves_no_octet() {
    let mut scene = Scene::passive();
    scene.client("RETR a\r\nABOR\r\n");
    scene.take();
    scene.backend("150 here it comes\r\n");
    let outputs = scene.take();
    let expected = [Output::ReleasePort, Output::DropDescriptor, Output::ToBackend(b"XFAILED other\r\n".to_vec())];
    assert_eq!(outputs, expected);
    scene.backend("426 failed\r\n");
    assert_eq!(scene.codes(), [426, 226]);
}

#[test]
fn abor_after_the_last_octet_changes_nothing_and_is_answered() {
    let mut scene = Scene::running();
    scene.ended(Ok(()));
    scene.client("ABOR\r\n");
    assert_eq!(scene.asked(), "XCOMPLETE\r\n");
    scene.backend("226 stored\r\n");
    assert_eq!(scene.codes(), [226, 226]);
}

#[test]
fn abor_without_a_transfer_is_226() {
    let mut scene = Scene::passive();
    scene.client("ABOR\r\nLIST\r\n");
    assert_eq!(scene.codes(), [226, 425]);
}

#[test]
fn during_a_transfer_stat_answers_and_the_rest_waits() {
    let mut scene = Scene::running();
    scene.client("NOOP\r\nSTAT\r\nQUIT\r\n");
    assert_eq!(scene.codes(), [211]);
    scene.ended(Ok(()));
    scene.backend("226 done\r\n");
    assert_eq!(scene.codes(), [226, 200, 221]);
    assert!(scene.session.is_closed());
}

#[test]
fn a_drain_lets_a_transfer_finish_and_a_shutdown_breaks_it_off() {
    let mut drained = Scene::running();
    drained.session.handle_drain(drained.now);
    assert_eq!(drained.take(), []);
    drained.ended(Ok(()));
    drained.backend("226 done\r\n");
    assert_eq!(drained.codes(), [226, 421]);
    let mut shut_down = Scene::running();
    shut_down.session.handle_shutdown(shut_down.now);
    assert_eq!(shut_down.take(), [Output::AbortTransfer]);
    shut_down.ended(Err(Failure::Aborted));
    shut_down.backend("426 failed\r\n");
    let said = shut_down.said();
    assert!(said.starts_with("426 The server is shutting down") && said.contains("421 "), "{said}");
}

#[test]
fn neither_idle_time_nor_login_time_runs_during_a_transfer() {
    let mut scene = Scene::running();
    assert_eq!(scene.session.poll_timeout(), None);
    scene.pass(IDLE_TIME * 3);
    scene.ended(Ok(()));
    scene.backend("226 done\r\n");
    assert_eq!(scene.codes(), [226]);
}

#[test]
fn a_backend_that_never_finishes_is_421_and_named() {
    let mut scene = Scene::running();
    scene.ended(Ok(()));
    scene.take();
    scene.pass(Duration::from_mins(5));
    assert!(scene.said().starts_with("421 The file server"));
}

#[test]
fn type_a_converts_files_and_leaves_listings_as_they_are() {
    for (command, convert) in [("RETR a", true), ("STOR a", true), ("LIST", false)] {
        let mut scene = Scene::logged_in();
        scene.client("TYPE A\r\n");
        scene.backend("200 ok\r\n");
        scene.granted();
        scene.client(&format!("{command}\r\n"));
        scene.backend("150 ok\r\n");
        let started = scene.take().into_iter().find_map(|output| match output {
            Output::StartTransfer(transfer) => Some(transfer.convert),
            _ => None,
        });
        assert_eq!(started, Some(convert), "{command}");
    }
}

#[test]
fn rest_is_refused_for_files_in_type_a_and_spent_by_one_transfer() {
    let mut scene = Scene::passive();
    scene.client("REST 5\r\n");
    scene.backend("350 ok\r\n");
    scene.client("TYPE A\r\n");
    scene.backend("200 ok\r\n");
    scene.client("RETR a\r\n");
    assert_eq!(scene.codes().last(), Some(&504));
    scene.client("TYPE I\r\n");
    scene.backend("200 ok\r\n");
    scene.client("RETR a\r\n");
    assert_eq!(scene.asked(), "TYPE I\r\nRETR a\r\n");
    assert_eq!(scene.session.parameters.rest, 0);
}

#[test]
fn a_client_that_vanishes_takes_its_transfer_along() {
    let mut scene = Scene::running();
    scene.session.handle_client_closed();
    assert_eq!(scene.take(), []);
    assert!(scene.session.is_closed());
}
