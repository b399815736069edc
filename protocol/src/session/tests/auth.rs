//! AUTH (RFC 2228, RFC 4217): what it begins, and what it refuses.

use super::*;

#[test]
fn auth_starts_the_handshake_and_nothing_is_read_meanwhile() {
    let mut scene = Scene::greeted();
    scene.client("AUTH TLS\r\n");
    assert!(!scene.session.wants_client_input());
    let outputs = scene.take();
    assert!(matches!(&outputs[..], [Output::ToClient(_), Output::StartTls]), "{outputs:?}");
    scene.session.handle_protected(scene.now);
    assert!(scene.session.wants_client_input());
}

#[test]
fn auth_ssl_and_tls_p_make_data_connections_private_without_pbsz_and_prot() {
    let level_after = |mechanism: &str| {
        let mut scene = Scene::greeted();
        scene.client(&format!("AUTH {mechanism}\r\n"));
        assert_eq!(scene.codes(), [234], "{mechanism}");
        scene.session.handle_protected(scene.now);
        scene.session.protection.data()
    };
    assert_eq!(["TLS", "TLS-C"].map(level_after), [DataProtection::Clear; 2]);
    assert_eq!(["SSL", "TLS-P", "ssl"].map(level_after), [DataProtection::Private; 3]);
}

#[test]
fn after_auth_ssl_prot_needs_no_pbsz_and_policy_still_counts() {
    let mut scene = Scene::greeted();
    scene.client("AUTH SSL\r\n");
    scene.session.handle_protected(scene.now);
    scene.take();
    scene.client("PROT C\r\nPROT P\r\nPBSZ 0\r\n");
    assert_eq!(scene.codes(), [534, 200, 200]);
    assert!(scene.session.data_connection_can_resume());
}

#[test]
fn octets_pipelined_after_auth_end_the_session_even_half_a_line() {
    for injected in ["USER mallory\r\n", "U", "\r\n"] {
        let mut scene = Scene::greeted();
        scene.client(&format!("AUTH TLS\r\n{injected}"));
        assert_eq!(scene.codes(), [421], "{injected:?}");
        assert!(scene.session.is_closed());
    }
}

#[test]
fn auth_without_a_certificate_is_431_and_an_unknown_mechanism_504() {
    let mut scene = Scene::with(Settings { tls: Tls::NotReady, ..settings() }, None);
    scene.backend("220 ftpd\r\n200 peer\r\n");
    scene.client("AUTH TLS\r\nAUTH KERBEROS_V4\r\n");
    assert_eq!(scene.codes(), [220, 431, 504]);
}
