//! Connections that prove whose they are, or do not.

use super::*;

/// As where a ticket counts and an address does not.
fn always_by_ticket(client: u8) -> Claim {
    Claim { peer: ExpectedPeer::Anyone, ticket: Ticket::Always, client: address(client), patience: PATIENCE }
}

#[test]
fn a_required_ticket_must_be_shown_even_on_an_unshared_port() {
    let mut scene = Scene::of_ports(1);
    scene.claim(1, always_by_ticket(1));
    assert_eq!(scene.connect_shared(28000, 9), Arrival::ToBeProven { from_client: false });
    assert_eq!(scene.connect_shared(28000, 1), Arrival::ToBeProven { from_client: true });
    assert!(scene.prove(28000, 9, 1), "from any address");
}

#[test]
fn a_connection_that_proves_nothing_costs_no_slot_but_shortens_the_wait() {
    let mut scene = Scene::of_ports(1);
    scene.request_by_ticket(1, 1);
    scene.request_by_ticket(2, 1);
    scene.await_connection(1);
    scene.await_connection(2);
    scene.fail_to_prove(28000, 1, None);
    assert!(scene.prove(28000, 1, 1), "the true one comes after it");
    assert_eq!(scene.pass(PATIENCE), [PortEvent::Unproven(SessionId(2))]);
}

#[test]
fn the_wait_is_shortened_from_the_transfers_command_on() {
    let mut scene = Scene::of_ports(1);
    scene.claim(1, always_by_ticket(1));
    scene.fail_to_prove(28000, 1, None);
    assert_eq!(scene.pass(PATIENCE * 5), [], "the client owes nothing yet");
    scene.await_connection(1);
    assert_eq!(scene.pass(PATIENCE / 2), []);
    assert_eq!(scene.pass(PATIENCE / 2), [PortEvent::Unproven(SessionId(1))]);
}

#[test]
fn only_the_clients_own_address_or_ticket_shortens_the_wait() {
    let mut scene = Scene::of_ports(1);
    for client in 1..=3 {
        scene.claim(client.into(), always_by_ticket(client));
        scene.await_connection(client.into());
    }
    scene.fail_to_prove(28000, 9, None);
    assert_eq!(scene.pass(PATIENCE), []);
    scene.fail_to_prove(28000, 9, Some(2));
    assert_eq!(scene.pass(PATIENCE), [PortEvent::Unproven(SessionId(2))]);
    scene.fail_to_prove(28000, 3, Some(7));
    assert_eq!(scene.pass(PATIENCE), [PortEvent::Unproven(SessionId(3))]);
    assert!(scene.prove(28000, 1, 1));
}
