//! The `PersistentVolumeClaim` of the files: created with the documented defaults, and only ever grown.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements},
    apimachinery::pkg::api::resource::Quantity,
};
use safetp_crds::server::Retain;

use super::inputs::BuildInputs;
use crate::server::validate::{Storage, ValidatedServer};

const STORAGE: &str = "storage";
const DEFAULT_SIZE: &str = "10Gi";

/// The claim that the operator creates. The server owns it only where the spec asks that it be deleted with the server.
pub fn build_claim(inputs: &BuildInputs<'_>) -> Option<PersistentVolumeClaim> {
    let Storage::Claim(wanted) = &inputs.server.storage else { return None };
    let mut metadata = inputs.meta(inputs.server.names.claim());
    if inputs.server.retain == Retain::Retain {
        metadata.owner_references = None;
    }
    let spec = match inputs.claim.and_then(|claim| claim.spec.as_ref()) {
        Some(live) => merge(wanted, live),
        None => with_defaults(wanted),
    };
    Some(PersistentVolumeClaim { metadata, spec: Some(spec), ..PersistentVolumeClaim::default() })
}

fn with_defaults(wanted: &PersistentVolumeClaimSpec) -> PersistentVolumeClaimSpec {
    let mut spec = wanted.clone();
    spec.access_modes =
        spec.access_modes.filter(|modes| !modes.is_empty()).or_else(|| Some(vec!["ReadWriteOnce".into()]));
    let resources = spec.resources.get_or_insert_with(VolumeResourceRequirements::default);
    let requests = resources.requests.get_or_insert_with(BTreeMap::new);
    requests.entry(STORAGE.to_owned()).or_insert_with(|| Quantity(DEFAULT_SIZE.to_owned()));
    spec
}

/// Of an existing claim only the size can change, and only grow. All other fields are applied again as they are, or
/// server-side apply would remove them.
fn merge(wanted: &PersistentVolumeClaimSpec, live: &PersistentVolumeClaimSpec) -> PersistentVolumeClaimSpec {
    let wanted = with_defaults(wanted);
    let mut spec = live.clone();
    // The binder sets it.
    spec.volume_name.clone_from(&wanted.volume_name);
    if size(&wanted) > size(live) {
        spec.resources = wanted.resources;
    }
    spec
}

fn size(spec: &PersistentVolumeClaimSpec) -> Option<u128> {
    let quantity = spec.resources.as_ref()?.requests.as_ref()?.get(STORAGE)?;
    octets(&quantity.0)
}

/// A quantity in octets; `None` for text that is not a quantity.
fn octets(quantity: &str) -> Option<u128> {
    const UNITS: [(&str, u128); 12] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("Pi", 1 << 50),
        ("Ei", 1 << 60),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("P", 1_000_000_000_000_000),
        ("E", 1_000_000_000_000_000_000),
    ];
    let unit = UNITS.iter().find_map(|(suffix, factor)| Some((quantity.strip_suffix(suffix)?, *factor)));
    let (number, factor) = unit.unwrap_or((quantity, 1));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = u32::try_from(fraction.len()).ok()?;
    let all: u128 = format!("{whole}{fraction}").parse().ok()?;
    Some(all.checked_mul(factor)? / 10u128.checked_pow(digits)?)
}

/// Describes for the status where the files are, and what stays when the server is deleted.
pub fn describe_storage(server: &ValidatedServer) -> String {
    match (&server.storage, server.retain) {
        (Storage::Claim(_), Retain::Retain) => format!(
            "PersistentVolumeClaim {} stays when the server is deleted; a new server of this name adopts it",
            server.names.claim()
        ),
        (Storage::Claim(_), Retain::Delete) => {
            format!("PersistentVolumeClaim {} is deleted with the server", server.names.claim())
        }
        (Storage::Existing(name), _) => {
            format!("PersistentVolumeClaim {name} is yours: the operator neither creates nor deletes it")
        }
        (Storage::EmptyDir(_), _) => "emptyDir: the files are lost when the pod ends".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(json: serde_json::Value) -> PersistentVolumeClaimSpec {
        serde_json::from_value(json).unwrap()
    }

    fn sized(size: &str) -> PersistentVolumeClaimSpec {
        let resources = json!({"requests": {"storage": size}});
        spec(json!({"accessModes": ["ReadWriteMany"], "storageClassName": "fast", "resources": resources}))
    }

    #[test]
    fn quantities_are_compared_in_octets() {
        assert_eq!(octets("10Gi"), Some(10 << 30));
        assert_eq!(octets("1.5Gi"), Some(3 << 29));
        assert!(octets("10Gi") > octets("10G"));
        assert_eq!(octets("2"), Some(2));
        assert_eq!(octets("x"), None);
    }

    #[test]
    fn a_claim_only_grows_and_keeps_every_other_field() {
        let grown = merge(&sized("20Gi"), &sized("10Gi"));
        assert_eq!(size(&grown), Some(20 << 30));
        let kept = merge(&spec(json!({"storageClassName": "slow"})), &sized("20Gi"));
        assert_eq!(kept, sized("20Gi"));
    }

    #[test]
    fn fields_left_out_get_the_documented_defaults() {
        let spec = with_defaults(&PersistentVolumeClaimSpec::default());
        assert_eq!(spec.access_modes, Some(vec!["ReadWriteOnce".to_owned()]));
        assert_eq!(size(&spec), Some(10 << 30));
        assert_eq!(spec.storage_class_name, None);
    }
}
