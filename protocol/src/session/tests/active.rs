//! PORT and EPRT: which addresses and ports are dialled, and when.

use std::net::SocketAddr;

use super::*;

fn scene(active_mode: ActiveMode) -> Scene {
    let demands = Demands { active_mode, clear_command_channel: true, ..settings().demands };
    Scene::logged_in_with(Settings { demands, ..settings() })
}

#[test]
fn the_clients_own_address_is_dialled_at_the_port_that_it_names() {
    let mut scene = scene(ActiveMode::On);
    for command in ["PORT 198,51,100,1,7,208", "EPRT |1|198.51.100.1|2000|"] {
        scene.client(&format!("{command}\r\nRETR a\r\n"));
        assert_eq!(scene.codes(), [200]);
        scene.backend("150 here it comes\r\n");
        let address: SocketAddr = "198.51.100.1:2000".parse().unwrap();
        let started = scene.take().into_iter().find_map(|output| match output {
            Output::StartTransfer(transfer) => Some(transfer),
            _ => None,
        });
        assert_eq!(started.map(|transfer| transfer.route), Some(Route::Active(address)));
        scene.session.handle_transfer_ended(Ok(()), scene.now);
        scene.backend("226 done\r\n");
        scene.take();
    }
    scene.client("RETR a\r\n");
    assert_eq!(scene.codes(), [425], "an address is good for one transfer");
}

#[test]
fn other_addresses_and_low_ports_are_not_dialled() {
    let mut scene = scene(ActiveMode::On);
    let commands = "PORT 192,0,2,9,7,208\r\nPORT 198,51,100,1,3,255\r\nEPRT |2|2001:db8::1|2000|\r\nEPRT |9|x|2000|\r\n\
                    PORT 1,2,3\r\n";
    scene.client(commands);
    assert_eq!(scene.codes(), [504, 504, 504, 522, 501]);
    scene.client("RETR a\r\n");
    assert_eq!(scene.codes(), [425]);
}

#[test]
fn active_and_passive_replace_each_other() {
    let mut scene = scene(ActiveMode::On);
    scene.client("EPSV\r\n");
    scene.session.handle_port(Some(28000), scene.now);
    scene.client("PORT 198,51,100,1,7,208\r\n");
    assert!(scene.take().contains(&Output::ReleasePort));
}

#[test]
fn after_ccc_commands_are_clear_and_port_must_be_allowed_by_policy() {
    for (active_mode, expected) in [(ActiveMode::On, 533), (ActiveMode::OnInTheClear, 200)] {
        let mut scene = scene(active_mode);
        scene.client("CCC\r\n");
        let outputs = scene.take();
        assert!(matches!(&outputs[..], [Output::ToClient(said), Output::StopTls] if said.starts_with(b"200 ")));
        assert!(!scene.session.wants_client_input(), "until TLS has ended");
        scene.session.handle_cleared(scene.now);
        scene.client("NOOP\r\nPORT 198,51,100,1,7,208\r\nCCC\r\nAUTH TLS\r\n");
        assert_eq!(scene.codes(), [200, expected, 503, 503]);
    }
}

#[test]
fn a_change_of_prot_gives_up_the_held_port() {
    let demands = Demands { data_protected: false, ..settings().demands };
    let mut scene = Scene::logged_in_with(Settings { demands, ..settings() });
    scene.client("EPSV\r\n");
    scene.session.handle_port(Some(28000), scene.now);
    scene.take();
    scene.client("PROT P\r\n");
    assert!(!scene.take().contains(&Output::ReleasePort));
    scene.client("PROT C\r\n");
    assert!(scene.take().contains(&Output::ReleasePort));
}
