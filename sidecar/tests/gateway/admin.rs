//! The admin port: answers to the kubelet, the operator and Prometheus.

use std::{collections::BTreeSet, fs};

use safetp_config::{
    Digest,
    paths::{CERTIFICATE_FILE, FTPD_FILE, GATEWAY_FILE, USERS_FILE},
    status::GatewayStatus,
};

use crate::support::{ADDRESS, Pod};

fn digest(pod: &Pod, directory: &str, names: [&'static str; 2]) -> Digest {
    let contents = names.map(|name| fs::read(pod.path(directory).join(name)).unwrap());
    Digest::of(names.into_iter().zip(contents.iter().map(Vec::as_slice)))
}

#[test]
fn status_reports_the_digests_of_both_containers() {
    let pod = Pod::new();
    let _client = pod.connect();
    let (code, text) = pod.http("/status");
    assert_eq!(code, 200);
    let status: GatewayStatus = serde_json::from_str(&text).unwrap();
    let expected = GatewayStatus {
        address: Some(ADDRESS.into()),
        gateway_digest: Some(digest(&pod, "gateway", [GATEWAY_FILE, CERTIFICATE_FILE])),
        ftpd_digest: Some(digest(&pod, "ftpd", [FTPD_FILE, USERS_FILE])),
        problem: None,
        sessions: 1,
        weak_bindings: 0,
        unclosed_uploads: BTreeSet::new(),
        // How much it is depends on the kernel of this machine, which is the same for both.
        gateway_landlock: status.ftpd_landlock,
        ftpd_landlock: Some(status.gateway_landlock.unwrap()),
    };
    assert_eq!(status, expected);
}

#[test]
fn readiness_follows_the_ftpd_and_not_the_address() {
    let pod = Pod::new();
    pod.address.send_replace(None);
    assert_eq!(pod.http("/readyz").0, 200);
    fs::remove_file(pod.path("run").join("ftpd.sock")).unwrap();
    let (code, text) = pod.http("/readyz");
    assert!(code == 503 && text.contains("ftpd"), "{code} {text}");
    assert_eq!(pod.http("/healthz").0, 200);
    let (_, text) = pod.http("/status");
    let status: GatewayStatus = serde_json::from_str(&text).unwrap();
    assert!(status.problem.unwrap().contains("ftpd"));
    assert_eq!(status.address, None);
}

#[test]
fn metrics_are_text_for_prometheus() {
    let pod = Pod::new();
    pod.login().store("STOR file", b"hello");
    let (code, text) = pod.http("/metrics");
    assert_eq!(code, 200);
    for line in ["safetp_gateway_received_bytes_total 5", "safetp_gateway_logins_total{result=\"ok\"} 1", "# EOF"] {
        assert!(text.lines().any(|other| other == line), "{line} is missing:\n{text}");
    }
}
