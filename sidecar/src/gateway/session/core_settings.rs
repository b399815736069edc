//! The settings of the protocol's state machine, from those of the gateway.

use std::{sync::Arc, time::Duration};

use safetp_config::gateway::{GatewayConfig, Mechanism, Requirement};
use safetp_protocol::{
    line::MAX_LINE,
    policy::{ActiveMode, Demands},
    session::{SafeTp1, Settings, Tls},
};

use crate::settings::ActiveSettings;

pub(crate) fn from_active(active: &ActiveSettings) -> Settings {
    let GatewayConfig { security, limits, active_mode, .. } = &active.config;
    let tls = match (security.mechanisms.contains(&Mechanism::Tls), &active.identity) {
        (false, _) => Tls::NotOffered,
        (true, None) => Tls::NotReady,
        (true, Some(_)) => Tls::Ready,
    };
    let safetp1 = match (security.mechanisms.contains(&Mechanism::SafeTp1), &active.signing_key) {
        (false, _) => SafeTp1::NotOffered,
        (true, None) => SafeTp1::NotReady,
        (true, Some(key)) => SafeTp1::Ready(Arc::clone(key)),
    };
    Settings {
        demands: Demands {
            control_protected: security.control == Requirement::Required,
            data_protected: security.data == Requirement::Required,
            clear_command_channel: security.clear_command_channel,
            active_mode: match active_mode {
                None => ActiveMode::Off,
                Some(mode) if mode.clear_port => ActiveMode::OnInTheClear,
                Some(_) => ActiveMode::On,
            },
        },
        tls,
        safetp1,
        max_line: MAX_LINE,
        login_time: Duration::from_secs(limits.login_seconds.into()),
        idle_time: Duration::from_secs(limits.idle_seconds.into()),
    }
}
