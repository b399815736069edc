use crate::support::{PASSWORD, World};

#[test]
fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let world = World::new();
    let mut gateway = world.connect();
    gateway.ask("USER alice", 331);
    let wrong = gateway.ask("PASS wrong", 530);
    gateway.ask("USER nobody", 331);
    assert_eq!(gateway.ask(&format!("PASS {PASSWORD}"), 530), wrong);
    gateway.ask("LIST", 530);
    gateway.ask("USER alice", 331);
    gateway.ask(&format!("PASS {PASSWORD}"), 230);
}
