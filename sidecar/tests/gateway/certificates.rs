//! Certificates that change, and those that cannot be used.

use safetp_config::paths::{CERTIFICATE_FILE, PRIVATE_KEY_FILE};

use crate::support::{Pod, new_identity};

#[test]
fn a_new_certificate_serves_new_sessions_and_the_old_ones_continue() {
    let mut pod = Pod::new();
    let mut old = pod.login();
    let digest = pod.settings.borrow().digest.clone();
    pod.replace_identity(&new_identity());
    assert_ne!(pod.settings.borrow().digest, digest);
    // Both verify: the first client trusts only the old certificate, the second only the new one.
    old.store("STOR file", b"x");
    assert_eq!(pod.login().fetch("RETR file"), b"x");
}

#[test]
fn a_broken_certificate_leaves_the_old_one_in_force_and_is_reported() {
    let pod = Pod::new();
    let digest = pod.settings.borrow().digest.clone();
    pod.replace(&[(CERTIFICATE_FILE, b"no certificate".to_vec())], |in_force| in_force.problem.is_some());
    let in_force = pod.settings.borrow().clone();
    assert!(in_force.problem.as_deref().unwrap().contains("tls.crt"), "{:?}", in_force.problem);
    assert_eq!(in_force.digest, digest);
    pod.login().store("STOR file", b"x");
}

#[test]
fn a_key_that_does_not_fit_its_certificate_is_refused_until_both_fit() {
    let mut pod = Pod::new();
    let other = new_identity();
    let key = other.signing_key.serialize_pem().into_bytes();
    pod.replace(&[(PRIVATE_KEY_FILE, key)], |in_force| in_force.problem.is_some());
    let problem = pod.settings.borrow().problem.clone().unwrap();
    assert!(problem.contains("cannot be used together"), "{problem}");
    pod.login();
    pod.replace_identity(&other);
    pod.login();
}

#[test]
fn without_a_certificate_at_the_start_auth_is_431_until_there_is_one() {
    let mut pod = Pod::without_certificate();
    let mut client = pod.connect();
    client.ask("AUTH TLS", 431);
    client.ask("FEAT", 211);
    let (code, text) = pod.http("/readyz");
    assert!(code == 503 && text.contains("certificate"), "{code} {text}");
    pod.replace_identity(&new_identity());
    pod.login();
    assert_eq!(pod.http("/readyz").0, 200);
}

#[test]
fn limits_change_for_new_sessions_and_changed_ports_need_a_new_pod() {
    let pod = Pod::new();
    let mut config = pod.config.clone();
    config.limits.idle_seconds = 7;
    pod.replace_config(&config, |in_force| in_force.config.limits.idle_seconds == 7);
    config.listen_port = 2121;
    pod.replace_config(&config, |in_force| in_force.problem.is_some());
    assert!(pod.settings.borrow().problem.as_deref().unwrap().contains("new pod"));
}
