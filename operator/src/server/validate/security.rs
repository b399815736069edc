//! The checks of what protects connections: mechanisms, certificate, DSA key, and the limits of active mode.

use safetp_config::gateway;
use safetp_crds::{
    SafeTPServerSpec,
    server::{DataBinding, ExposureType, Mechanism, Permission, Requirement, Security, TrafficPolicy},
};

use super::server::{CertificateSource, KeySource};

pub fn security(security: &Security) -> Result<gateway::Security, String> {
    let mechanisms = &security.mechanisms;
    if mechanisms.is_empty() {
        return Err("security.mechanisms is empty; set for example mechanisms: [TLS]".to_owned());
    }
    if mechanisms.iter().enumerate().any(|(at, mechanism)| mechanisms.iter().take(at).any(|other| other == mechanism)) {
        return Err(
            "security.mechanisms lists a mechanism twice; set for example mechanisms: [TLS, X-SafeTP1]".to_owned()
        );
    }
    let requirement = |requirement| match requirement {
        Requirement::Required => gateway::Requirement::Required,
        Requirement::Optional => gateway::Requirement::Optional,
    };
    let mechanisms = mechanisms.iter().map(|mechanism| match mechanism {
        Mechanism::Tls => gateway::Mechanism::Tls,
        Mechanism::SafeTp1 => gateway::Mechanism::SafeTp1,
    });
    Ok(gateway::Security {
        mechanisms: mechanisms.collect(),
        control: requirement(security.minimum.control),
        data: requirement(security.minimum.data),
        data_binding: match security.data_binding {
            DataBinding::Required => gateway::DataBinding::Required,
            DataBinding::WhenOffered => gateway::DataBinding::WhenOffered,
            DataBinding::Never => gateway::DataBinding::Never,
        },
        clear_command_channel: security.clear_command_channel == Permission::Allowed,
    })
}

pub fn certificate(security: &Security) -> Result<CertificateSource, String> {
    let certificate = &security.certificate;
    match (&certificate.secret_ref, &certificate.self_signed) {
        (Some(_), Some(_)) => {
            Err("security.certificate has both secretRef and selfSigned; keep one of them".to_owned())
        }
        (Some(secret), None) => Ok(CertificateSource::Secret(secret.name.clone())),
        (None, _) => Ok(CertificateSource::SelfSigned),
    }
}

/// The source of the DSA key; `None` where X-SafeTP1 is not listed.
pub fn signing_key(security: &Security) -> Result<Option<KeySource>, String> {
    let listed = security.mechanisms.contains(&Mechanism::SafeTp1);
    match (&security.x_safetp1.key_secret_ref, listed) {
        (Some(_), false) => {
            Err("security.xSafetp1.keySecretRef is a key for X-SafeTP1, which security.mechanisms does not list; set \
             mechanisms: [TLS, X-SafeTP1], or leave keySecretRef out"
                .to_owned())
        }
        (Some(secret), true) => Ok(Some(KeySource::Secret(secret.name.clone()))),
        (None, true) => Ok(Some(KeySource::Generated)),
        (None, false) => Ok(None),
    }
}

/// Active mode is accepted only where the pod's connections leave by the address that clients connect to: clients and
/// their firewalls compare the two.
pub fn active_mode(spec: &SafeTPServerSpec) -> Result<Option<gateway::ActiveMode>, String> {
    let wanted = &spec.active_mode;
    let clear_port = wanted.clear_port == Permission::Allowed;
    let exposure = &spec.exposure;
    match exposure.kind {
        _ if !wanted.enabled && clear_port => {
            Err("activeMode.clearPort: Allowed needs active mode; set activeMode.enabled: true".to_owned())
        }
        _ if !wanted.enabled => Ok(None),
        ExposureType::LoadBalancer if !wanted.egress_by_service_address => Err(
            "activeMode needs the pod's connections to leave by the address that clients connect to, and behind a load \
             balancer they leave by a node's address; if an egress gateway sends them from the load balancer's \
             address, set activeMode.egressByServiceAddress: true, else set exposure.type: NodePort, or leave \
             activeMode out"
                .to_owned(),
        ),
        ExposureType::NodePort if exposure.external_traffic_policy != TrafficPolicy::Local => {
            Err("activeMode with exposure.type: NodePort works only on the pod's own node; set \
                 exposure.externalTrafficPolicy: Local"
                .to_owned())
        }
        _ if clear_port && !has_way_to_clear_port(&spec.security) => {
            Err("activeMode.clearPort: Allowed has no effect under TLS without CCC; set \
                 security.clearCommandChannel: Allowed"
                .to_owned())
        }
        ExposureType::LoadBalancer | ExposureType::NodePort => Ok(Some(gateway::ActiveMode { clear_port })),
    }
}

fn has_way_to_clear_port(security: &Security) -> bool {
    security.clear_command_channel == Permission::Allowed || security.mechanisms.contains(&Mechanism::SafeTp1)
}
