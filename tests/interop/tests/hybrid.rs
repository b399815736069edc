//! The hybrid key exchange X25519MLKEM768, with the clients that support it.

use safetp_config::gateway::{DataBinding, Mechanism};

use crate::{
    case::{Case, End, Passive, Protection},
    clients::{go, safetp},
    stage::{Stage, TRANSFERS},
};

const HYBRID: &str = "safetp_gateway_tls_handshakes_total{group=\"X25519MLKEM768\"}";

#[test]
fn go_and_safetp_agree_on_the_hybrid_group_and_everything_is_transferred() {
    for client in [go::CLIENT, safetp::CLIENT] {
        for (protection, hybrid) in [(Protection::Tls13, 1), (Protection::Tls12, 0)] {
            let stage = Stage::new(Mechanism::Tls, DataBinding::WhenOffered);
            let case = Case { protection, reuse: true, passive: Passive::Epsv };
            let outcome = stage.outcome(&client.run_once(&stage, case));
            assert_eq!((outcome.end, outcome.transfers), (End::Done, TRANSFERS), "{protection}");
            assert_eq!(stage.pod.metric(HYBRID), hybrid, "{protection}");
        }
    }
}
