//! Quantities as people write them. The schema allows `cpu: 1` beside `cpu: "1"`, as everywhere in Kubernetes, but the
//! types accept text only.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

/// The fields whose values are quantities by name.
const MAPS: [&str; 2] = ["limits", "requests"];

/// A quantity, as a number or as text.
pub(super) fn single<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let mut value = Value::deserialize(deserializer)?;
    spell_out(&mut value);
    serde_json::from_value(value).map_err(D::Error::custom)
}

/// A value that contains `limits` and `requests` at any depth.
pub(super) fn within<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let mut value = Value::deserialize(deserializer)?;
    spell_out_within(&mut value);
    serde_json::from_value(value).map_err(D::Error::custom)
}

fn spell_out_within(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    for (name, field) in fields {
        match field {
            Value::Object(quantities) if MAPS.contains(&name.as_str()) => quantities.values_mut().for_each(spell_out),
            _ => spell_out_within(field),
        }
    }
}

fn spell_out(quantity: &mut Value) {
    if let Value::Number(number) = quantity {
        *quantity = Value::String(number.to_string());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{SafeTPServerSpec, server::EmptyDir};

    #[test]
    fn a_quantity_may_be_a_number_wherever_the_schema_says_so() {
        let spec: SafeTPServerSpec = serde_json::from_value(json!({
            "pod": {"resources": {"limits": {"cpu": 1, "memory": "64Mi"}, "requests": {"cpu": 0.5}}},
            "backend": {"embedded": {"volumeClaim": {"resources": {"requests": {"storage": 1_073_741_824}}}}}
        }))
        .unwrap();
        let resources = serde_json::to_value(spec.pod.resources).unwrap();
        let written = json!({"limits": {"cpu": "1", "memory": "64Mi"}, "requests": {"cpu": "0.5"}});
        assert_eq!(resources, written);
        let claim = serde_json::to_value(spec.backend.embedded.volume_claim).unwrap();
        assert_eq!(claim["resources"]["requests"]["storage"], "1073741824");
        let volume: EmptyDir = serde_json::from_value(json!({"sizeLimit": 1_000_000})).unwrap();
        assert_eq!(volume.size_limit.unwrap().0, "1000000");
    }

    #[test]
    fn a_value_that_is_not_a_quantity_is_still_refused() {
        let refused = json!({"pod": {"resources": {"limits": {"cpu": [1]}}}});
        assert!(serde_json::from_value::<SafeTPServerSpec>(refused).is_err());
    }
}
