//! Admission of strangers and users, by scenes and by random steps.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

struct Scene {
    places: Places,
    limits: Limits,
    now: Instant,
}

impl Scene {
    fn of(most_strangers: usize, sessions: u32) -> Self {
        let limits = Limits { sessions, sessions_per_peer: 0, idle_seconds: 600, login_seconds: 60, data_seconds: 120 };
        Self { places: Places::new(most_strangers), limits, now: Instant::now() }
    }

    /// Connects a second after whatever came before.
    fn connect(&mut self, session: u64, peer: &str) -> Result<Option<u64>, Refused> {
        self.now += SECOND;
        let displaced = self.places.admit(SessionId(session), peer.parse().unwrap(), &self.limits, self.now)?;
        Ok(displaced.map(|session| session.0))
    }

    fn note(&mut self, session: u64, progress: Progress) {
        self.now += SECOND;
        self.places.note(SessionId(session), progress, self.now);
    }

    fn log_in(&mut self, session: u64, peer: &str) -> Result<(), Refused> {
        self.places.promote(SessionId(session), peer.parse().unwrap(), &self.limits)
    }
}

fn peer(number: u64) -> String {
    format!("198.51.100.{number}")
}

#[test]
fn strangers_take_no_place_from_users() {
    let mut scene = Scene::of(8, 2);
    for session in 0..8 {
        scene.connect(session, &peer(session)).unwrap();
    }
    for session in 0..2 {
        scene.log_in(session, &peer(session)).unwrap();
    }
    assert_eq!(scene.log_in(2, &peer(2)), Err(Refused::Full));
    assert_eq!(scene.connect(9, &peer(9)), Err(Refused::Full), "sooner than after a login");
    scene.places.remove_user(peer(0).parse().unwrap());
    assert_eq!(scene.log_in(2, &peer(2)), Ok(()));
}

#[test]
fn sessions_of_one_address_can_be_limited() {
    let mut scene = Scene::of(8, 9);
    scene.limits.sessions_per_peer = 1;
    scene.connect(1, &peer(1)).unwrap();
    scene.connect(2, &peer(1)).unwrap();
    scene.log_in(1, &peer(1)).unwrap();
    assert_eq!(scene.log_in(2, &peer(1)), Err(Refused::PeerFull));
    assert_eq!(scene.connect(3, &peer(1)), Err(Refused::PeerFull));
    scene.connect(3, &peer(2)).unwrap();
}

#[test]
fn the_oldest_silent_stranger_goes_before_any_who_spoke() {
    let mut scene = Scene::of(4, 9);
    for session in 0..4 {
        scene.connect(session, &peer(session)).unwrap();
    }
    scene.note(0, Progress::Speaking);
    assert_eq!(scene.connect(4, &peer(4)), Ok(Some(1)));
    for session in [2, 3, 4] {
        scene.note(session, Progress::Speaking);
    }
    scene.note(0, Progress::Protected);
    assert_eq!(scene.connect(5, &peer(5)), Ok(Some(2)), "without progress for the longest time");
    assert_eq!(scene.log_in(2, &peer(2)), Err(Refused::Displaced));
}

#[test]
fn a_stranger_whose_password_is_being_checked_is_not_displaced() {
    let mut scene = Scene::of(4, 9);
    for session in 0..4 {
        scene.connect(session, &peer(session)).unwrap();
        scene.note(session, Progress::LoggingIn);
    }
    assert_eq!(scene.connect(4, &peer(4)), Err(Refused::Strangers));
    scene.note(3, Progress::Protected);
    assert_eq!(scene.connect(4, &peer(4)), Ok(Some(3)), "a wrong password");
}

#[test]
fn strangers_of_one_ipv6_64_displace_only_each_other() {
    let mut scene = Scene::of(8, 9);
    scene.connect(0, "2001:db8::1").unwrap();
    scene.connect(1, "2001:db8:0:1::1").unwrap();
    scene.connect(2, "2001:db8:0:1::2").unwrap();
    assert_eq!(scene.connect(3, "2001:db8:0:1:ffff::3"), Ok(Some(1)));
    assert_eq!(scene.connect(4, "2001:db8::2"), Ok(None));
    assert!(scene.places.is_stranger(SessionId(0)) && !scene.places.is_stranger(SessionId(1)));
}

#[test]
fn an_ipv4_address_is_the_same_on_a_socket_of_both_families() {
    let mut scene = Scene::of(4, 9);
    scene.connect(1, "198.51.100.1").unwrap();
    assert_eq!(scene.connect(2, "::ffff:198.51.100.1"), Ok(Some(1)));
}

#[derive(Clone, Debug)]
enum Action {
    Connect(u64),
    Note(u64, Progress),
    LogIn(u64),
    Leave(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let progress = prop_oneof![Just(Progress::Speaking), Just(Progress::Protected), Just(Progress::LoggingIn)];
    prop_oneof![
        4 => (0u64..40).prop_map(Action::Connect),
        2 => (0u64..40, progress).prop_map(|(session, progress)| Action::Note(session, progress)),
        1 => (0u64..40).prop_map(Action::LogIn),
        1 => (0u64..40).prop_map(Action::Leave),
    ]
}

proptest! {
    #[test]
    fn no_budget_is_ever_exceeded_and_no_session_is_lost(actions in proptest::collection::vec(action(), 0..200)) {
        const MOST: usize = 8;
        let mut scene = Scene::of(MOST, 3);
        let (mut strangers, mut users) = (BTreeSet::new(), BTreeSet::new());
        for action in actions {
            match action {
                Action::Connect(session) if strangers.contains(&session) || users.contains(&session) => {}
                Action::Connect(session) => {
                    if let Ok(displaced) = scene.connect(session, &peer(session % 5)) {
                        strangers.insert(session);
                        if let Some(displaced) = displaced {
                            prop_assert!(strangers.remove(&displaced), "a user was sent away");
                        }
                    }
                }
                Action::Note(session, progress) => scene.note(session, progress),
                Action::LogIn(session) => {
                    if scene.log_in(session, &peer(session % 5)).is_ok() {
                        prop_assert!(strangers.remove(&session));
                        users.insert(session);
                    }
                }
                Action::Leave(session) if users.remove(&session) => {
                    scene.places.remove_user(peer(session % 5).parse().unwrap());
                }
                Action::Leave(session) => {
                    scene.places.remove_stranger(SessionId(session));
                    strangers.remove(&session);
                }
            }
            prop_assert!(users.len() <= 3 && strangers.len() <= MOST);
            prop_assert!((0..40).all(|id| scene.places.is_stranger(SessionId(id)) == strangers.contains(&id)));
            prop_assert!(scene.places.strangers.by_origin.values().all(|of_origin| of_origin.len() <= MOST / 4));
        }
    }
}
