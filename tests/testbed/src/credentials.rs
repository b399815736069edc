//! Credentials for the API server: tokens for the cluster's programs, and certificates where Kubernetes needs them.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    hosts::Host,
    layout::{Layout, state, write},
    network::API_SERVICE,
};

/// The API server's port on its host.
pub(crate) const API_PORT: u16 = 6443;

/// Tokens, each with its user and group. They are not secrets: the API server is reachable from this machine alone.
const TOKENS: [(&str, &str, &str); 6] = [
    ("admin", "admin", "system:masters"),
    ("controller-manager", "system:kube-controller-manager", ""),
    ("scheduler", "system:kube-scheduler", ""),
    ("kube-proxy", "system:kube-proxy", ""),
    ("node1", "system:node:node1", "system:nodes"),
    ("node2", "system:node:node2", "system:nodes"),
];

/// Creates all credentials in the state.
pub(crate) fn create(layout: &Layout, host_port: u16) -> Result<()> {
    let certificates = certificates().map_err(|error| Error::Failed {
        doing: "create the cluster's certificates".to_owned(),
        detail: error.to_string(),
    })?;
    for (file, pem) in certificates {
        write(&state(&format!("pki/{file}")), pem)?;
    }
    let rows = TOKENS.iter().map(|(token, user, group)| format!("{token},{user},{user},\"{group}\"\n"));
    write(&state("pki/tokens.csv"), rows.collect::<String>())?;
    let inside = format!("https://{}:{API_PORT}", Host::ControlPlane.address());
    for (token, _, _) in TOKENS {
        write(&state(&format!("pki/{token}.kubeconfig")), kubeconfig(&inside, token).to_string())?;
    }
    write(&layout.kubeconfig(), kubeconfig(&format!("https://127.0.0.1:{host_port}"), "admin").to_string())
}

fn kubeconfig(server: &str, token: &str) -> Value {
    let authority = std::fs::read(state("pki/ca.crt")).unwrap_or_default();
    let authority = String::from_utf8_lossy(&authority).into_owned();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "safetp-testbed",
        "contexts": [{ "name": "safetp-testbed", "context": { "cluster": "safetp-testbed", "user": token } }],
        "clusters": [{
            "name": "safetp-testbed",
            "cluster": { "server": server, "certificate-authority-data": base64(authority.as_bytes()) },
        }],
        "users": [{ "name": token, "user": { "token": token } }],
    })
}

/// Files of the certificates and keys, as PEM.
fn certificates() -> Result<[(&'static str, String); 7], rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name = name("safetp-testbed", None);
    let certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let server_key = KeyPair::generate()?;
    let control_plane = Host::ControlPlane.address().to_string();
    let names = [control_plane.as_str(), "127.0.0.1", API_SERVICE, "localhost", "kubernetes"];
    let mut server = CertificateParams::new(names.map(str::to_owned))?;
    server.distinguished_name = name("kube-apiserver", None);
    let server = server.signed_by(&server_key, &issuer)?;

    // The API server's own certificate at the kubelets, for logs and for commands in containers.
    let client_key = KeyPair::generate()?;
    let mut client = CertificateParams::new(Vec::new())?;
    client.distinguished_name = name("kube-apiserver-kubelet-client", Some("system:masters"));
    let client = client.signed_by(&client_key, &issuer)?;

    let accounts_key = KeyPair::generate()?;
    Ok([
        ("ca.crt", certificate.pem()),
        ("server.crt", server.pem()),
        ("server.key", server_key.serialize_pem()),
        ("kubelet-client.crt", client.pem()),
        ("kubelet-client.key", client_key.serialize_pem()),
        ("accounts.key", accounts_key.serialize_pem()),
        ("accounts.pub", accounts_key.public_key_pem()),
    ])
}

fn name(common: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}
