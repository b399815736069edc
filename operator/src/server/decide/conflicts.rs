//! Objects of the right name that belong to another owner: they are never taken over. Pure.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::{Resource, ResourceExt as _};

use crate::{
    conditions::{Reason, Verdict},
    names::SERVER_LABEL,
    owned::{Ownership, ownership},
    server::{
        gather::Live,
        validate::{Storage, ValidatedServer},
    },
};

/// Returns what Ready reports if an object of another owner has a name that the server needs.
pub fn find_conflict(server: &ValidatedServer, live: &Live) -> Option<Verdict> {
    let Live {
        service,
        stateful_set,
        service_account,
        role,
        role_binding,
        config_map,
        tls,
        ca,
        ca_key,
        signing_key,
        users,
        claim,
    } = live;
    let all = [
        check(server, service.as_ref()),
        check(server, stateful_set.as_ref()),
        check(server, service_account.as_ref()),
        check(server, role.as_ref()),
        check(server, role_binding.as_ref()),
        check(server, config_map.as_ref()),
        check(server, tls.as_ref()),
        check(server, ca.as_ref()),
        check(server, ca_key.as_ref()),
        check(server, signing_key.as_ref()),
        check(server, users.as_ref()),
        check_claim(server, claim.as_ref()),
    ];
    all.into_iter().flatten().next()
}

fn check<K: Resource<DynamicType = ()>>(server: &ValidatedServer, object: Option<&K>) -> Option<Verdict> {
    let object = object?;
    let what = format!("{} {}/{}", K::kind(&()), server.names.namespace(), object.name_any());
    match ownership(object.meta(), &server.names.server.name, &server.uid) {
        Ownership::Ours => None,
        Ownership::Earlier => Some(Verdict::reconciling(
            Reason::Replacing,
            format!("waiting for {what} of an earlier server of this name to be deleted"),
        )),
        Ownership::Foreign(owner) => Some(Verdict::stalled(
            Reason::NameConflict,
            format!(
                "{what} exists and belongs to {owner}; give this server another name, or delete the {}",
                K::kind(&())
            ),
        )),
    }
}

/// A claim may outlive its server, so its label identifies it and not an owner.
fn check_claim(server: &ValidatedServer, claim: Option<&PersistentVolumeClaim>) -> Option<Verdict> {
    let claim = claim.filter(|_| matches!(server.storage, Storage::Claim(_)))?;
    let what = format!("PersistentVolumeClaim {}/{}", server.names.namespace(), claim.name_any());
    if claim.metadata.deletion_timestamp.is_some() {
        let message = format!("waiting for {what} to be deleted");
        return Some(Verdict::reconciling(Reason::Replacing, message));
    }
    if claim.labels().get(SERVER_LABEL).is_some_and(|label| label == server.names.server.name.as_str()) {
        return None;
    }
    let message = format!(
        "{what} exists and was not created for this server; to use its files set backend.embedded.existingClaim: {}, \
         else rename the server or delete the claim",
        claim.name_any()
    );
    Some(Verdict::stalled(Reason::NameConflict, message))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Service;
    use serde_json::json;

    use super::*;
    use crate::{
        identity::{ServerName, Uid},
        owned::owner,
        server::validate::{tests::server, validate},
    };

    fn service(owners: &serde_json::Value) -> Live {
        let service: Service =
            serde_json::from_value(json!({"metadata": {"name": "files", "ownerReferences": owners}})).unwrap();
        Live { service: Some(service), ..Live::default() }
    }

    #[test]
    fn a_service_of_another_owner_is_named_and_left_alone() {
        let valid = validate(&server(json!({}))).unwrap();
        let verdict = find_conflict(&valid, &service(&json!([]))).unwrap();
        assert_eq!(verdict.reason, Reason::NameConflict);
        assert!(
            verdict.message.contains("Service ftp/files exists and belongs to no controller"),
            "{}",
            verdict.message
        );
        let ours = serde_json::to_value([owner(&ServerName::from("files"), &Uid::from("uid-1"))]).unwrap();
        assert_eq!(find_conflict(&valid, &service(&ours)), None);
        let earlier = serde_json::to_value([owner(&ServerName::from("files"), &Uid::from("uid-0"))]).unwrap();
        assert_eq!(find_conflict(&valid, &service(&earlier)).unwrap().reason, Reason::Replacing);
    }

    #[test]
    fn a_claim_of_an_earlier_server_is_adopted_by_its_label_and_any_other_is_not() {
        let valid = validate(&server(json!({}))).unwrap();
        let claim = |labels: serde_json::Value| {
            let claim = serde_json::from_value(json!({"metadata": {"name": "files-data", "labels": labels}})).unwrap();
            Live { claim: Some(claim), ..Live::default() }
        };
        assert_eq!(find_conflict(&valid, &claim(json!({"safetp.io/server": "files"}))), None);
        assert_eq!(find_conflict(&valid, &claim(json!({}))).unwrap().reason, Reason::NameConflict);
    }
}
