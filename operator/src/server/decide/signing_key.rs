//! The DSA key that authenticates a server under X-SafeTP1. Pure but for [`obtain_signing_key`], which has a missing
//! key generated in the background, since that takes seconds.

use k8s_openapi::api::core::v1::Secret;
use safetp_config::paths::DSA_KEY_FILE;

use crate::{
    conditions::{Reason, Verdict},
    identity::Namespace,
    server::{
        gather::Gathered,
        validate::{KeySource, ValidatedServer},
    },
    signing_keys::{KeyGenerator, KeyProblem, NewKey, inspect},
};

/// The DSA key of a server.
#[derive(Clone)]
pub struct ServerSigningKey {
    /// The Secret that the gateway mounts.
    pub secret: String,
    /// The fingerprint of its public key, if it can be used.
    pub fingerprint: Option<String>,
    /// The key itself, if it has just been generated and is in no Secret yet.
    pub made: Option<NewKey>,
    /// Reason why it cannot be used.
    pub problem: Option<Verdict>,
}

/// The key that the cluster holds, if it does.
pub enum SigningKeyFound {
    /// X-SafeTP1 is not listed.
    NotListed,
    /// The key must be generated.
    Missing,
    /// A key, or what is wrong with it.
    Present(ServerSigningKey),
}

/// Finds the key. A key that is present is kept, whatever is wrong with it: clients remember it, and only people know
/// whether clients can be told of a new one.
pub fn find_signing_key(server: &ValidatedServer, gathered: &Gathered) -> SigningKeyFound {
    let namespace = server.names.namespace();
    match &server.signing_key {
        None => SigningKeyFound::NotListed,
        Some(KeySource::Generated) => {
            let Some(secret) = &gathered.live.signing_key else { return SigningKeyFound::Missing };
            let name = server.names.dsa();
            SigningKeyFound::Present(checked(name.clone(), read(secret), |problem| {
                format!(
                    "Secret {namespace}/{name}, by which clients know the server, cannot be used: {problem}; put the \
                     old key back, or delete the Secret to get a new one, which every client then has to accept"
                )
            }))
        }
        Some(KeySource::Secret(name)) => SigningKeyFound::Present(user_owned(namespace, name, gathered)),
    }
}

impl ServerSigningKey {
    /// A key that has just been generated.
    pub fn new(server: &ValidatedServer, made: NewKey) -> Self {
        let fingerprint = Some(made.fingerprint.clone());
        Self { secret: server.names.dsa(), fingerprint, made: Some(made), problem: None }
    }
}

/// The DSA key, if the server needs one; the verdict while it is being generated.
pub fn obtain_signing_key(
    server: &ValidatedServer,
    gathered: &Gathered,
    generator: &KeyGenerator,
) -> Result<Option<ServerSigningKey>, Verdict> {
    let key = &server.names.server;
    let present = match find_signing_key(server, gathered) {
        SigningKeyFound::NotListed => None,
        SigningKeyFound::Present(present) => Some(present),
        SigningKeyFound::Missing => {
            let made = generator.ask(key, &server.uid).ok_or_else(being_generated)?;
            return Ok(Some(ServerSigningKey::new(server, made)));
        }
    };
    generator.forget(key);
    Ok(present)
}

fn being_generated() -> Verdict {
    Verdict::reconciling(Reason::KeyPending, "generating the DSA key of X-SafeTP1, which takes some seconds")
}

fn user_owned(namespace: &Namespace, name: &str, gathered: &Gathered) -> ServerSigningKey {
    let Some(secret) = &gathered.signing_key else {
        let message = format!(
            "Secret {namespace}/{name}, named by security.xSafetp1.keySecretRef, does not exist; create it with the \
             key {DSA_KEY_FILE}, or leave keySecretRef out to have a key generated"
        );
        return ServerSigningKey {
            secret: name.to_owned(),
            fingerprint: None,
            made: None,
            problem: Some(invalid(message)),
        };
    };
    checked(name.to_owned(), read(secret), |problem| {
        format!("Secret {namespace}/{name} cannot be used: {problem}; running pods keep the key that they have loaded")
    })
}

fn checked(
    secret: String,
    read: Result<String, KeyProblem>,
    explain: impl FnOnce(KeyProblem) -> String,
) -> ServerSigningKey {
    let (fingerprint, problem) = match read {
        Ok(fingerprint) => (Some(fingerprint), None),
        Err(problem) => (None, Some(invalid(explain(problem)))),
    };
    ServerSigningKey { secret, fingerprint, made: None, problem }
}

fn read(secret: &Secret) -> Result<String, KeyProblem> {
    inspect(secret.data.as_ref().and_then(|data| data.get(DSA_KEY_FILE)).map(|value| value.0.as_slice()))
}

fn invalid(message: String) -> Verdict {
    Verdict::stalled(Reason::SigningKeyInvalid, message)
}

#[cfg(test)]
pub mod tests {
    use k8s_openapi::ByteString;
    use serde_json::json;

    use super::*;
    use crate::server::validate::{tests::server, validate};

    /// A key that OpenSSL made.
    pub const PEM: &str = include_str!("../../../testdata/dsa-2048-256.pem");

    /// A Secret with this `dsa.key`.
    pub fn secret(pem: &str) -> Secret {
        let data = [(DSA_KEY_FILE.to_owned(), ByteString(pem.as_bytes().to_vec()))];
        Secret { data: Some(data.into()), ..Secret::default() }
    }

    fn listed(own: &serde_json::Value) -> ValidatedServer {
        let spec = json!({"security": {"mechanisms": ["TLS", "X-SafeTP1"], "xSafetp1": own}});
        validate(&server(spec)).unwrap()
    }

    fn present(found: SigningKeyFound) -> ServerSigningKey {
        match found {
            SigningKeyFound::Present(key) => key,
            SigningKeyFound::NotListed | SigningKeyFound::Missing => panic!("no key"),
        }
    }

    #[test]
    fn a_key_is_missing_only_where_x_safetp1_is_listed_and_no_secret_has_one() {
        let mut gathered = Gathered::default();
        let unlisted = validate(&server(json!({}))).unwrap();
        assert!(matches!(find_signing_key(&unlisted, &gathered), SigningKeyFound::NotListed));
        assert!(matches!(find_signing_key(&listed(&json!({})), &gathered), SigningKeyFound::Missing));
        gathered.live.signing_key = Some(secret(PEM));
        let kept = present(find_signing_key(&listed(&json!({})), &gathered));
        assert_eq!(kept.secret, "files-dsa");
        assert!(kept.made.is_none() && kept.problem.is_none() && kept.fingerprint.is_some());
    }

    #[test]
    fn a_damaged_key_is_reported_and_not_replaced() {
        let mut gathered = Gathered::default();
        gathered.live.signing_key = Some(secret("rubbish"));
        let damaged = present(find_signing_key(&listed(&json!({})), &gathered));
        let problem = damaged.problem.unwrap();
        assert_eq!(problem.reason, Reason::SigningKeyInvalid);
        assert!(problem.message.contains("put the old key back, or delete the Secret"), "{}", problem.message);
        assert!(damaged.made.is_none() && damaged.fingerprint.is_none());
    }

    #[test]
    fn a_user_s_key_is_checked_and_named() {
        let server = listed(&json!({"keySecretRef": {"name": "mine"}}));
        let mut gathered = Gathered::default();
        let missing = present(find_signing_key(&server, &gathered)).problem.unwrap();
        assert!(missing.message.contains("Secret ftp/mine"), "{}", missing.message);
        gathered.signing_key = Some(Secret::default());
        let empty = present(find_signing_key(&server, &gathered)).problem.unwrap();
        assert!(empty.message.contains("it has no key dsa.key"), "{}", empty.message);
        gathered.signing_key = Some(secret(PEM));
        let good = present(find_signing_key(&server, &gathered));
        assert_eq!(good.secret, "mine");
        assert!(good.problem.is_none());
    }
}
