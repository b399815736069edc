//! Statuses by spec and by what the pods report.

use jiff::Timestamp;
use safetp_config::status::Landlock;
use serde_json::{Value, json};

use super::*;
use crate::{
    images::Images,
    server::{
        apply::Applied,
        decide::{signing_key::tests::secret, tests::decided},
        gather::Gathered,
        objects::build,
        observe::{PodConditions, Rollout},
        validate::{tests::server, validate},
    },
    users::logins::Accounts,
};

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// What a server with this spec says, before that `previous`, when its pods say so.
fn status(spec: Value, previous: &SafeTPServerStatus, rollout: &Rollout, weak: Option<bool>) -> SafeTPServerStatus {
    status_seen(spec, previous, rollout, PodConditions { weak, landlock: Some(Landlock::Full) })
}

fn status_seen(
    spec: Value,
    previous: &SafeTPServerStatus,
    rollout: &Rollout,
    reported: PodConditions,
) -> SafeTPServerStatus {
    let server = validate(&server(spec)).unwrap();
    let mut gathered = Gathered::default();
    gathered.live.signing_key = Some(secret(include_str!("../../../testdata/dsa-2048-256.pem")));
    let decided = decided(&server, &gathered, Accounts::default(), || panic!("a key was gathered"));
    let images = Images { gateway_image: "g".into(), ftpd_image: "f".into(), image_pull_policy: "IfNotPresent".into() };
    let applied = Applied::of(&build(&decided, &gathered.live, &images).unwrap());
    let verdict = judge(&decided, &gathered, rollout);
    build_status(&StatusInputs { decided: &decided, applied: &applied, reported }, &verdict, previous, now())
}

fn said(status: &SafeTPServerStatus) -> Vec<(&str, &str, &str)> {
    let all = status.conditions.iter();
    all.map(|condition| (condition.type_.as_str(), condition.status.as_str(), condition.reason.as_str())).collect()
}

fn at_an_address(security: &Value) -> Value {
    json!({"exposure": {"address": "203.0.113.7"}, "security": security})
}

#[test]
fn a_stopped_server_is_ready_once_its_pod_has_ended() {
    let stopped = |pods| status(json!({"replicas": 0}), &SafeTPServerStatus::default(), pods, None);
    assert_eq!(said(&stopped(&Rollout::InForce)), [("Ready", "True", "Stopped")]);
    let ending = stopped(&Rollout::Pending("a pod is there".into()));
    assert_eq!(said(&ending), [("Ready", "False", "Stopping"), ("Reconciling", "True", "Stopping")]);
}

#[test]
fn the_fingerprint_of_the_dsa_key_is_there_only_while_x_safetp1_is_listed() {
    let listed = at_an_address(&json!({"mechanisms": ["X-SafeTP1"]}));
    let with = status(listed, &SafeTPServerStatus::default(), &Rollout::InForce, None);
    let fingerprint = with.security.clone().unwrap().dsa_key_fingerprint.unwrap();
    assert!(fingerprint.starts_with("SHA256:"), "{fingerprint}");
    let without = status(at_an_address(&json!({})), &with, &Rollout::InForce, None);
    assert_eq!(without.security, None);
}

#[test]
fn weak_binding_is_reported_beside_ready_until_the_pods_deny_it() {
    let spec = || at_an_address(&json!({}));
    let serving = |previous: &SafeTPServerStatus, weak| status(spec(), previous, &Rollout::InForce, weak);
    let none = serving(&SafeTPServerStatus::default(), Some(false));
    assert_eq!(said(&none), [("Ready", "True", "Serving")]);
    let weak = serving(&none, Some(true));
    assert_eq!(said(&weak), [("Ready", "True", "Serving"), ("DataBinding", "False", "Weak")]);
    assert_eq!(serving(&weak, Some(true)).conditions, weak.conditions, "nothing to write");
    assert_eq!(serving(&weak, None).conditions, weak.conditions, "a pod that does not answer takes nothing back");
    assert_eq!(serving(&weak, Some(false)).conditions, none.conditions, "new pods begin anew");
}

#[test]
fn binding_is_never_weak_where_it_is_not_offered_or_is_required() {
    for binding in ["Never", "Required"] {
        let spec = at_an_address(&json!({"dataBinding": binding}));
        let status = status(spec, &SafeTPServerStatus::default(), &Rollout::InForce, Some(true));
        assert_eq!(said(&status), [("Ready", "True", "Serving")], "{binding}");
    }
}

#[test]
fn a_verdict_alone_keeps_the_standing_notices() {
    let mut server = server(json!({}));
    server.status =
        Some(status(at_an_address(&json!({})), &SafeTPServerStatus::default(), &Rollout::InForce, Some(true)));
    let stopped = build_status_of_verdict(&server, &Verdict::stalled(Reason::InvalidSpec, "no"), now());
    let types: Vec<_> = said(&stopped).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(types, ["Ready", "Stalled", "DataBinding"]);
}

#[test]
fn missing_landlock_is_reported_beside_ready_until_every_pod_has_all_of_it() {
    let serving = |previous: &SafeTPServerStatus, landlock| {
        let reported = PodConditions { weak: Some(false), landlock };
        status_seen(at_an_address(&json!({})), previous, &Rollout::InForce, reported)
    };
    let full = serving(&SafeTPServerStatus::default(), Some(Landlock::Full));
    assert_eq!(said(&full), [("Ready", "True", "Serving")]);
    let partial = serving(&full, Some(Landlock::Partial));
    assert_eq!(said(&partial), [("Ready", "True", "Serving"), ("Confinement", "False", "LandlockPartial")]);
    let missing = serving(&partial, Some(Landlock::Missing));
    assert_eq!(said(&missing)[1], ("Confinement", "False", "LandlockMissing"));
    assert_eq!(serving(&missing, None).conditions, missing.conditions, "a pod that does not answer takes nothing back");
    assert_eq!(serving(&missing, Some(Landlock::Full)).conditions, full.conditions, "another node");
}
