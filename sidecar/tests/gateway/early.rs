//! Handshakes on data connections that begin before the transfer's command, as some clients do.

use safetp_config::gateway::DataBinding;

use crate::support::Pod;

fn pods() -> [Pod; 2] {
    [Pod::new(), Pod::with(|config| config.security.data_binding = DataBinding::Required)]
}

#[test]
fn a_client_that_shakes_hands_before_its_command_is_served() {
    for pod in pods() {
        let mut client = pod.login();
        for _ in 0..3 {
            let port = client.epsv();
            let mut data = client.data(client.dial(port)).unwrap();
            client.ask("STOR file", 150);
            data.write_all(b"early").unwrap();
            data.finish();
            client.expect(226);
            let port = client.epsv();
            let data = client.data(client.dial(port)).unwrap();
            client.ask("RETR file", 150);
            assert_eq!(data.read_to_end().unwrap(), b"early");
            client.expect(226);
        }
    }
}

#[test]
fn a_handshake_that_fails_before_the_command_gives_it_522() {
    let pod = Pod::new();
    let mut client = pod.login();
    let port = client.epsv();
    client.offer(&["http/1.1"]);
    assert!(client.data(client.dial(port)).is_err());
    client.ask("STOR file", 150);
    client.expect(522);
    client.offer(&[]);
    client.store("STOR file", b"x");
}

#[test]
fn a_change_of_the_protection_drops_an_early_connection() {
    let pod = Pod::with(|config| config.security.data = safetp_config::gateway::Requirement::Optional);
    let mut client = pod.login();
    let port = client.epsv();
    let data = client.data(client.dial(port)).unwrap();
    client.ask("PROT C", 200);
    assert!(data.read_to_end().is_err());
    client.ask("STOR file", 425);
    client.protect_data(false);
    client.store("STOR file", b"x");
}
