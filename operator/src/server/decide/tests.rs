//! The stage as a whole; [`decided`] gives the tests of the later stages what they start from.

use serde_json::json;

use super::{signing_key::SigningKeyFound, *};
use crate::{
    conditions::Reason,
    server::validate::{tests::server, validate},
    signing_keys::NewKey,
};

/// What is decided about a server whose accounts, and whose DSA key if none was gathered, are these.
pub fn decided<'a>(
    server: &'a ValidatedServer,
    gathered: &'a Gathered,
    accounts: Accounts,
    made: impl FnOnce() -> NewKey,
) -> Decided<'a> {
    let signing_key = match signing_key::find_signing_key(server, gathered) {
        SigningKeyFound::NotListed => None,
        SigningKeyFound::Present(key) => Some(key),
        SigningKeyFound::Missing => Some(ServerSigningKey::new(server, made())),
    };
    let resolved = Resolved { accounts, ..Resolved::default() };
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    match complete(server, gathered, resolved, signing_key, now).unwrap() {
        Decision::Proceed(decided) => *decided,
        Decision::Stop { verdict, .. } => panic!("{}", verdict.message),
    }
}

fn on_nodes() -> ValidatedServer {
    validate(&server(json!({"exposure": {"type": "NodePort"}}))).unwrap()
}

fn no_key() -> NewKey {
    panic!("X-SafeTP1 is not listed")
}

#[test]
fn a_rejected_block_is_followed_by_one_without_the_taken_port() {
    let (server, gathered) = (on_nodes(), Gathered::default());
    let mut decided = decided(&server, &gathered, Accounts::default(), no_key);
    assert_eq!(decided.ports().control, 30_000);
    decided.choose_other_ports(30_007).unwrap();
    assert_eq!(decided.ports().control, 30_008);
    decided.choose_other_ports(30_010).unwrap();
    assert_eq!(decided.ports().control, 30_011);
}

#[test]
fn two_hundred_rejected_blocks_are_reported_as_exhausted_ports() {
    let (server, gathered) = (on_nodes(), Gathered::default());
    let mut decided = decided(&server, &gathered, Accounts::default(), no_key);
    let rejections = (0..MAX_BLOCKS).map(|_| decided.choose_other_ports(decided.ports().control));
    let results: Vec<_> = rejections.collect();
    let (last, earlier) = results.split_last().unwrap();
    assert!(earlier.iter().all(Result::is_ok));
    assert_eq!(last.clone().unwrap_err().verdict().reason, Reason::PortsExhausted);
}

#[tokio::test]
async fn a_conflict_ends_the_stage_before_anything_else_is_decided() {
    let server = validate(&server(json!({}))).unwrap();
    let mut gathered = Gathered::default();
    gathered.live.service = Some(serde_json::from_value(json!({"metadata": {"name": "files"}})).unwrap());
    let (registry, _users) = Registry::new();
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    match decide(&server, &gathered, &registry, &KeyGenerator::default(), now).await.unwrap() {
        Decision::Stop { verdict, resolved: None } => assert_eq!(verdict.reason, Reason::NameConflict),
        Decision::Stop { .. } | Decision::Proceed(_) => panic!("the name belongs to another owner"),
    }
}
