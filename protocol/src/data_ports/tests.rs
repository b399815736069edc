//! Scenes in which sessions wait for data ports, with time as the test sets it.

use std::{net::Ipv4Addr, time::Duration};

use proptest::prelude::*;

use super::*;

mod proofs;

const SLOT_TIME: Duration = Duration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(3);

fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(198, 51, 100, last).into()
}

fn alone(peer: ExpectedPeer) -> Claim {
    Claim { peer, ticket: Ticket::Never, client: address(1), patience: PATIENCE }
}

fn by_ticket(peer: u8) -> Claim {
    let client = address(peer);
    Claim { peer: ExpectedPeer::Exactly(client), ticket: Ticket::WhenShared, client, patience: PATIENCE }
}

struct Scene {
    ports: DataPorts,
    now: Instant,
}

impl Scene {
    fn of_ports(count: u16) -> Self {
        Self { ports: DataPorts::new(28000..=27999 + count, RandomState::new()), now: Instant::now() }
    }

    fn request(&mut self, session: u64, peer: u8) -> Requested {
        self.claim(session, alone(ExpectedPeer::Exactly(address(peer))))
    }

    fn request_by_ticket(&mut self, session: u64, peer: u8) -> Requested {
        self.claim(session, by_ticket(peer))
    }

    /// Each session is another user's.
    fn claim(&mut self, session: u64, claim: Claim) -> Requested {
        self.claim_as(session, session, claim)
    }

    fn claim_as(&mut self, user: u64, session: u64, claim: Claim) -> Requested {
        let request = Request { session: SessionId(session), user: UserId(user), claim, slot_time: SLOT_TIME };
        self.ports.request(request, self.now)
    }

    fn granted(&mut self, session: u64, peer: u8) -> u16 {
        match self.request(session, peer) {
            Requested::Granted(port) => port,
            Requested::Queued => panic!("session {session} was queued"),
        }
    }

    fn connect(&mut self, port: u16, peer: u8) -> Option<SessionId> {
        match self.ports.handle_connection(port, address(peer), self.now) {
            Arrival::Of(session) => Some(session),
            Arrival::ToBeProven { .. } => panic!("this slot is shared"),
            Arrival::Stranger => None,
        }
    }

    fn connect_shared(&mut self, port: u16, peer: u8) -> Arrival {
        self.ports.handle_connection(port, address(peer), self.now)
    }

    fn prove(&mut self, port: u16, peer: u8, session: u64) -> bool {
        self.ports.handle_proof(port, address(peer), SessionId(session), self.now)
    }

    fn fail_to_prove(&mut self, port: u16, peer: u8, shown: Option<u64>) {
        let unproven = Unproven { peer: address(peer), shown: shown.map(SessionId) };
        self.ports.handle_unproven(port, unproven, self.now);
    }

    fn await_connection(&mut self, session: u64) {
        self.ports.handle_awaited(SessionId(session), self.now);
    }

    fn pass(&mut self, time: Duration) -> Vec<PortEvent> {
        self.now += time;
        self.ports.handle_timeout(self.now);
        self.events()
    }

    fn events(&mut self) -> Vec<PortEvent> {
        std::iter::from_fn(|| self.ports.poll_event()).collect()
    }
}

#[test]
fn sessions_of_different_peers_wait_on_one_port() {
    let mut scene = Scene::of_ports(1);
    let port = scene.granted(1, 1);
    assert_eq!(scene.granted(2, 2), port);
    assert_eq!(scene.connect(port, 2), Some(SessionId(2)));
    assert_eq!(scene.connect(port, 1), Some(SessionId(1)));
    assert_eq!(scene.connect(port, 1), None, "a slot is good for one connection");
}

#[test]
fn a_strangers_connection_is_dropped_and_the_slot_stays() {
    let mut scene = Scene::of_ports(1);
    let port = scene.granted(1, 1);
    assert_eq!(scene.connect(port, 9), None);
    assert_eq!(scene.connect(port + 1, 1), None);
    assert_eq!(scene.connect(port, 1), Some(SessionId(1)));
}

#[test]
fn an_accepted_connection_frees_its_port_for_the_first_in_the_queue() {
    let mut scene = Scene::of_ports(1);
    let port = scene.granted(1, 1);
    assert_eq!((scene.request(2, 1), scene.request(3, 1)), (Requested::Queued, Requested::Queued));
    scene.connect(port, 1);
    assert_eq!(scene.events(), [PortEvent::Granted(SessionId(2), port)]);
    scene.connect(port, 1);
    assert_eq!(scene.events(), [PortEvent::Granted(SessionId(3), port)]);
}

#[test]
fn a_request_that_must_wait_does_not_block_one_that_need_not() {
    let mut scene = Scene::of_ports(1);
    scene.granted(1, 1);
    assert_eq!(scene.request(2, 1), Requested::Queued);
    scene.granted(3, 2);
}

#[test]
fn a_request_without_a_port_for_five_seconds_is_refused() {
    let mut scene = Scene::of_ports(1);
    scene.granted(1, 1);
    scene.request(2, 1);
    assert_eq!(scene.ports.poll_timeout(), Some(scene.now + QUEUE_TIME));
    assert_eq!(scene.pass(Duration::from_millis(4999)), []);
    assert_eq!(scene.pass(Duration::from_millis(1)), [PortEvent::Refused(SessionId(2))]);
    assert_eq!(scene.ports.queued(), 0);
}

#[test]
fn a_slot_expires_and_serves_the_queue() {
    let mut scene = Scene::of_ports(1);
    let port = scene.granted(1, 1);
    scene.now += Duration::from_secs(59);
    scene.request(2, 1);
    let events = scene.pass(Duration::from_secs(1));
    assert_eq!(events, [PortEvent::Expired(SessionId(1)), PortEvent::Granted(SessionId(2), port)]);
    assert_eq!(scene.connect(port, 1), Some(SessionId(2)));
}

#[test]
fn a_new_request_replaces_the_sessions_old_slot() {
    let mut scene = Scene::of_ports(1);
    let port = scene.granted(1, 1);
    assert_eq!(scene.granted(1, 1), port);
    scene.ports.release(SessionId(1), scene.now);
    assert_eq!(scene.connect(port, 1), None);
}

#[test]
fn a_session_that_expects_any_peer_holds_its_port_alone() {
    let mut scene = Scene::of_ports(1);
    let anyone = scene.claim(1, alone(ExpectedPeer::Anyone));
    assert_eq!(anyone, Requested::Granted(28000));
    assert_eq!(scene.request(2, 2), Requested::Queued);
    assert_eq!(scene.connect(28000, 7), Some(SessionId(1)));
    assert_eq!(scene.events(), [PortEvent::Granted(SessionId(2), 28000)]);
}

#[test]
fn every_port_is_used_and_none_in_a_guessable_order() {
    let mut orders = std::collections::HashSet::new();
    for _ in 0..8 {
        let mut scene = Scene::of_ports(20);
        let order: Vec<u16> = (0..20).map(|session| scene.granted(session, 1)).collect();
        assert_eq!(scene.request(99, 1), Requested::Queued);
        orders.insert(order);
    }
    assert!(orders.len() > 1);
}

#[test]
fn sessions_of_one_peer_share_a_port_if_their_tickets_tell_them_apart() {
    let mut scene = Scene::of_ports(1);
    for session in 1..=100 {
        assert_eq!(scene.request_by_ticket(session, 1), Requested::Granted(28000));
    }
    assert_eq!(scene.connect_shared(28000, 1), Arrival::ToBeProven { from_client: true });
    assert!(scene.prove(28000, 1, 42));
    assert!(!scene.prove(28000, 1, 42), "a slot is good for one connection");
    assert!(!scene.prove(28000, 2, 7), "another address");
    assert!(scene.prove(28000, 1, 7));
}

#[test]
fn without_tickets_sessions_of_one_peer_share_no_port() {
    let mut scene = Scene::of_ports(1);
    scene.request_by_ticket(1, 1);
    assert_eq!(scene.request(2, 1), Requested::Queued);
    assert_eq!(scene.request(3, 3), Requested::Granted(28000), "another peer is told apart by its address");
    assert_eq!(scene.request_by_ticket(4, 3), Requested::Queued);
    assert!(!scene.prove(28000, 3, 3), "it did not ask to be told apart by a ticket");
}

#[test]
fn ports_are_shared_only_while_no_other_is_left() {
    let mut scene = Scene::of_ports(2);
    for session in 1..=3 {
        scene.request_by_ticket(session, 1);
    }
    let ports: Vec<usize> = scene.ports.slots.iter().map(Vec::len).collect();
    assert!(ports == [1, 2] || ports == [2, 1], "{ports:?}");
    let shared = if ports[0] == 2 { 28000 } else { 28001 };
    let last = scene.ports.slots[usize::from(shared - 28000)][1].session;
    assert_eq!(scene.connect_shared(shared, 1), Arrival::ToBeProven { from_client: true });
    assert!(scene.prove(shared, 1, scene.ports.slots[usize::from(shared - 28000)][0].session.0));
    assert_eq!(scene.connect(shared, 1), Some(last), "nobody else waits there, so its address is proof enough");
}

#[test]
fn a_newcomer_finds_a_port_however_many_share_the_others() {
    let mut scene = Scene::of_ports(20);
    for session in 1..=1000 {
        assert!(matches!(scene.request_by_ticket(session, 1), Requested::Granted(_)));
    }
    for newcomer in 2001..=2005 {
        scene.granted(newcomer, 1);
    }
    assert_eq!(scene.request(2006, 1), Requested::Queued);
}

#[test]
fn one_user_leaves_ports_of_its_address_to_others() {
    for claim in [alone(ExpectedPeer::Exactly(address(1))), alone(ExpectedPeer::Anyone), by_ticket(1)] {
        let mut scene = Scene::of_ports(20);
        for session in 0..100 {
            scene.claim_as(7, session, claim);
        }
        let taken = scene.ports.slots.iter().filter(|slots| !slots.is_empty()).count();
        assert_eq!(taken, 10, "{claim:?}");
        scene.granted(1000, 1);
    }
}

#[test]
fn a_user_at_its_limit_gets_another_port_when_one_of_its_own_is_free() {
    let mut scene = Scene::of_ports(4);
    let claim = alone(ExpectedPeer::Exactly(address(1)));
    assert!(matches!(scene.claim_as(7, 1, claim), Requested::Granted(_)));
    let Requested::Granted(port) = scene.claim_as(7, 2, claim) else { panic!("two of four are its part") };
    assert_eq!((scene.claim_as(7, 3, claim), scene.claim_as(7, 4, claim)), (Requested::Queued, Requested::Queued));
    assert_eq!(scene.connect(port, 1), Some(SessionId(2)));
    let events = scene.events();
    assert!(matches!(events[..], [PortEvent::Granted(SessionId(3), _)]), "{events:?}");
    scene.ports.release(SessionId(1), scene.now);
    let events = scene.events();
    assert!(matches!(events[..], [PortEvent::Granted(SessionId(4), _)]), "{events:?}");
}

#[test]
fn a_user_at_its_limit_does_not_block_others() {
    let mut scene = Scene::of_ports(2);
    let claim = alone(ExpectedPeer::Exactly(address(1)));
    let ports = [scene.claim_as(7, 1, claim), scene.claim_as(8, 2, claim)];
    assert_eq!((scene.claim_as(7, 3, claim), scene.claim_as(9, 4, claim)), (Requested::Queued, Requested::Queued));
    let [_, Requested::Granted(port)] = ports else { panic!("{ports:?}") };
    assert_eq!(scene.connect(port, 1), Some(SessionId(2)));
    assert_eq!(scene.events(), [PortEvent::Granted(SessionId(4), port)]);
}

/// A release looks at those whom the port can serve, not at all who wait: this would take minutes.
#[test]
fn a_release_stays_cheap_with_a_hundred_thousand_waiting() {
    let mut scene = Scene::of_ports(20);
    for session in 0..20 {
        scene.request(session, 1);
    }
    for session in 20..100_000 {
        assert_eq!(scene.request(session, 1), Requested::Queued);
    }
    let began = Instant::now();
    for session in 0..10_000 {
        scene.ports.release(SessionId(session), scene.now);
    }
    assert_eq!(scene.events().len(), 10_000);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[derive(Clone, Debug)]
enum Step {
    Request(u64, u8),
    /// One of two users who have all sessions of these steps.
    OfAUser(u64, u8, bool),
    Anyone(u64),
    ByTicket(u64, u8),
    Release(u64),
    Connect(u16, u8),
    Prove(u16, u8, u64),
    Unproven(u16, u8, u64),
    Awaited(u64),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u64..6, 0u8..3).prop_map(|(session, peer)| Step::Request(session, peer)),
        (0u64..6, 0u8..3, any::<bool>()).prop_map(|(session, peer, ticket)| Step::OfAUser(session, peer, ticket)),
        (0u64..6).prop_map(Step::Anyone),
        (0u64..6, 0u8..3).prop_map(|(session, peer)| Step::ByTicket(session, peer)),
        (0u64..6).prop_map(Step::Release),
        (28000u16..28003, 0u8..3).prop_map(|(port, peer)| Step::Connect(port, peer)),
        (28000u16..28003, 0u8..3, 0u64..6).prop_map(|(port, peer, session)| Step::Prove(port, peer, session)),
        (28000u16..28003, 0u8..3, 0u64..6).prop_map(|(port, peer, shown)| Step::Unproven(port, peer, shown)),
        (0u64..6).prop_map(Step::Awaited),
        (0u64..70).prop_map(Step::Pass),
    ]
}

impl Scene {
    fn take(&mut self, step: &Step) {
        match *step {
            Step::Request(session, peer) => {
                let _ = self.request(session, peer);
            }
            Step::OfAUser(session, peer, ticket) => {
                let claim = if ticket { by_ticket(peer) } else { alone(ExpectedPeer::Exactly(address(peer))) };
                let _ = self.claim_as(100 + session % 2, session, claim);
            }
            Step::Anyone(session) => {
                let _ = self.claim(session, alone(ExpectedPeer::Anyone));
            }
            Step::Release(session) => self.ports.release(SessionId(session), self.now),
            Step::ByTicket(session, peer) => {
                let _ = self.request_by_ticket(session, peer);
            }
            Step::Connect(port, peer) => {
                let _ = self.connect_shared(port, peer);
            }
            Step::Prove(port, peer, session) => {
                let _ = self.prove(port, peer, session);
            }
            Step::Unproven(port, peer, shown) => self.fail_to_prove(port, peer, Some(shown)),
            Step::Awaited(session) => self.await_connection(session),
            Step::Pass(seconds) => {
                let _ = self.pass(Duration::from_secs(seconds));
            }
        }
    }

    /// Invariants that hold after every event.
    fn check(&self) {
        for slots in &self.ports.slots {
            for (index, slot) in slots.iter().enumerate() {
                assert!(!slots[index + 1..].iter().any(|other| other.claim.conflicts(slot.claim)), "two of one peer");
            }
        }
        let slots = self.ports.slots.iter().flatten().count();
        assert_eq!(slots, self.ports.port_of.len(), "a slot without its session, or the other way round");
        assert_eq!(slots, self.ports.deadlines.len(), "a slot that never expires, or a deadline of none");
        for waiting in self.ports.queue.iter() {
            self.check_waiting(waiting);
        }
    }

    fn check_waiting(&self, waiting: &Waiting) {
        let Request { session, user, claim, .. } = waiting.request;
        assert!(!self.ports.port_of.contains_key(&session), "waits and has");
        if waiting.line == QueueLine::Bounded(user) {
            let of_user = |other: &Waiting| other.request.user == user && other.line != waiting.line;
            let has_slots = self.ports.slots.iter().flatten().any(|slot| slot.user == user);
            assert!(has_slots || self.ports.queue.iter().any(of_user), "waits for a turn that never comes");
            return;
        }
        let bounded = self.ports.has_its_part(user);
        let free = |slots: &Vec<Slot>| !slots.iter().any(|slot| slot.claim.conflicts(claim));
        assert!(bounded || !self.ports.slots.iter().any(free), "waits beside a free port");
    }
}

proptest! {
    #[test]
    fn no_slot_is_lost_or_given_twice(steps in proptest::collection::vec(step(), 0..60)) {
        let mut scene = Scene::of_ports(3);
        for step in &steps {
            scene.take(step);
            scene.check();
        }
    }
}
