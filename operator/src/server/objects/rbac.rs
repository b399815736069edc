//! The gateway's `ServiceAccount`, and its right to read its own Service.

use k8s_openapi::api::{
    core::v1::ServiceAccount,
    rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject},
};
use kube::Resource as _;
use safetp_config::gateway::AddressSource;

use super::inputs::BuildInputs;

pub fn build_service_account(inputs: &BuildInputs<'_>) -> ServiceAccount {
    ServiceAccount {
        metadata: inputs.meta(inputs.server.names.gateway()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

/// The gateway may watch its own Service and nothing else; where it learns the address another way, not even that.
pub fn build_role(inputs: &BuildInputs<'_>) -> Option<Role> {
    let AddressSource::Service { name, .. } = &inputs.addressing.source else { return None };
    let rule = PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec!["services".to_owned()]),
        resource_names: Some(vec![name.clone()]),
        verbs: ["get", "list", "watch"].map(str::to_owned).to_vec(),
        ..PolicyRule::default()
    };
    Some(Role { metadata: inputs.meta(inputs.server.names.gateway()), rules: Some(vec![rule]) })
}

pub fn build_role_binding(inputs: &BuildInputs<'_>) -> Option<RoleBinding> {
    let role = build_role(inputs)?;
    let names = &inputs.server.names;
    Some(RoleBinding {
        metadata: inputs.meta(names.gateway()),
        role_ref: RoleRef {
            api_group: Some(Role::group(&()).into_owned()),
            kind: Role::kind(&()).into_owned(),
            name: role.metadata.name.unwrap_or_default(),
        },
        subjects: Some(vec![Subject {
            kind: ServiceAccount::kind(&()).into_owned(),
            name: names.gateway(),
            namespace: Some(names.namespace().to_string()),
            ..Subject::default()
        }]),
    })
}
