use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::StatefulSet;
use safetp_config::Digest;
use serde_json::{Value, json};

use super::*;
use crate::server::{
    decide::{
        address::find_address,
        certificate::decide_certificate,
        ports::plan_ports,
        signing_key::{SigningKeyFound, find_signing_key, tests::secret},
    },
    gather::Gathered,
    objects::Expected,
    validate::{tests::server, validate},
};

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// What a server with this spec says, before that `previous`, when its pods say so.
fn status(spec: Value, previous: &SafeTPServerStatus, pods: PodsVerdict, weak: Option<bool>) -> SafeTPServerStatus {
    status_seen(spec, previous, pods, Seen { weak, landlock: Some(Landlock::Full) })
}

fn status_seen(spec: Value, previous: &SafeTPServerStatus, pods: PodsVerdict, seen: Seen) -> SafeTPServerStatus {
    let server = validate(&server(spec)).unwrap();
    let mut gathered = Gathered::default();
    gathered.live.signing_key = Some(secret(include_str!("../../../testdata/dsa-2048-256.pem")));
    let addressing = find_address(&server, None, None);
    let signing = match find_signing_key(&server, &gathered) {
        SigningKeyFound::There(material) => Some(material),
        SigningKeyFound::Unlisted | SigningKeyFound::Missing => None,
    };
    let digest = || Digest::of([]);
    let facts = Facts {
        server: &server,
        applied: &Applied {
            stateful_set: StatefulSet::default(),
            expected: Expected { gateway: digest(), ftpd: digest() },
        },
        ports: plan_ports(&server.ports, None, &BTreeSet::new()).unwrap(),
        addressing: &addressing,
        material: &decide_certificate(&server, &gathered, &addressing, now()).unwrap(),
        signing: signing.as_ref(),
        seen,
    };
    let verdict = judge(&facts, None, None, pods);
    build_status(&facts, &verdict, previous, now())
}

fn said(status: &SafeTPServerStatus) -> Vec<(&str, &str, &str)> {
    let all = status.conditions.iter();
    all.map(|condition| (condition.type_.as_str(), condition.status.as_str(), condition.reason.as_str())).collect()
}

fn at_an_address(security: &Value) -> Value {
    json!({"exposure": {"address": "203.0.113.7"}, "security": security})
}

#[test]
fn a_server_that_shall_be_stopped_is_ready_once_its_pod_has_ended() {
    let stopped = |pods| status(json!({"replicas": 0}), &SafeTPServerStatus::default(), pods, None);
    assert_eq!(said(&stopped(PodsVerdict::InForce)), [("Ready", "True", "Stopped")]);
    let ending = stopped(PodsVerdict::Pending("a pod is there".into()));
    assert_eq!(said(&ending), [("Ready", "False", "Stopping"), ("Reconciling", "True", "Stopping")]);
}

#[test]
fn the_fingerprint_of_the_dsa_key_is_there_only_while_x_safetp1_is_listed() {
    let listed = at_an_address(&json!({"mechanisms": ["X-SafeTP1"]}));
    let with = status(listed, &SafeTPServerStatus::default(), PodsVerdict::InForce, None);
    let fingerprint = with.security.clone().unwrap().dsa_key_fingerprint.unwrap();
    assert!(fingerprint.starts_with("SHA256:"), "{fingerprint}");
    let without = status(at_an_address(&json!({})), &with, PodsVerdict::InForce, None);
    assert_eq!(without.security, None);
}

#[test]
fn weak_binding_is_said_beside_ready_and_stays_until_the_pods_deny_it() {
    let spec = || at_an_address(&json!({}));
    let serving = |previous: &SafeTPServerStatus, weak| status(spec(), previous, PodsVerdict::InForce, weak);
    let none = serving(&SafeTPServerStatus::default(), Some(false));
    assert_eq!(said(&none), [("Ready", "True", "Serving")]);
    let weak = serving(&none, Some(true));
    assert_eq!(said(&weak), [("Ready", "True", "Serving"), ("DataBinding", "False", "Weak")]);
    assert_eq!(serving(&weak, Some(true)).conditions, weak.conditions, "nothing to write");
    assert_eq!(serving(&weak, None).conditions, weak.conditions, "a pod that does not answer takes nothing back");
    assert_eq!(serving(&weak, Some(false)).conditions, none.conditions, "new pods begin anew");
}

#[test]
fn binding_cannot_be_weak_where_it_is_not_asked_for_or_cannot_be_left_out() {
    for binding in ["Never", "Required"] {
        let spec = at_an_address(&json!({"dataBinding": binding}));
        let status = status(spec, &SafeTPServerStatus::default(), PodsVerdict::InForce, Some(true));
        assert_eq!(said(&status), [("Ready", "True", "Serving")], "{binding}");
    }
}

#[test]
fn a_verdict_alone_leaves_what_is_known_of_the_binding() {
    let mut server = server(json!({}));
    server.status =
        Some(status(at_an_address(&json!({})), &SafeTPServerStatus::default(), PodsVerdict::InForce, Some(true)));
    let stopped = build_status_of_verdict(&server, &Verdict::stalled(Reason::InvalidSpec, "no"), now());
    let types: Vec<_> = said(&stopped).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(types, ["Ready", "Stalled", "DataBinding"]);
}

#[test]
fn what_the_kernel_lacks_of_landlock_is_said_beside_ready_until_every_pod_has_all_of_it() {
    let serving = |previous: &SafeTPServerStatus, landlock| {
        let seen = Seen { weak: Some(false), landlock };
        status_seen(at_an_address(&json!({})), previous, PodsVerdict::InForce, seen)
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
