//! Plans the logins of a server from its users, their Secrets and the accounts that it already has. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use safetp_config::ftpd::{PasswordHash, User, Users};
use safetp_crds::SafeTPUserSpec;
use serde::{Deserialize, Serialize};

use super::hash::{self, HASH_PREFIX};
use crate::{
    conditions::Reason,
    identity::{LoginName, ServerName, Uid, UserName},
};

/// A SafeTPUser that names this server.
#[derive(Clone, Debug)]
pub struct UserRecord {
    pub name: UserName,
    pub login: LoginName,
    pub uid: Uid,
    pub generation: Option<i64>,
    /// Time of creation: of two users that claim one login, the older gets it.
    pub created: Option<Timestamp>,
    pub spec: SafeTPUserSpec,
}

/// A Secret that a user refers to.
#[derive(Clone, Debug)]
pub struct SecretValue {
    pub uid: Uid,
    pub resource_version: String,
    pub data: BTreeMap<String, Vec<u8>>,
}

/// Origin of a login's hash. As long as it is unchanged the hash is kept, because a new one would have a new salt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// UID of the Secret.
    pub secret: Uid,
    /// Resource version of the Secret.
    pub version: String,
    /// Key in the Secret.
    pub key: String,
}

/// The sources of all hashes, kept in the users' Secret beside the hashes.
pub type Sources = BTreeMap<LoginName, Source>;

/// The accounts that the server has now.
#[derive(Clone, Debug, Default)]
pub struct Previous {
    pub users: Users,
    pub sources: Sources,
}

/// Reason why a user cannot log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The problem, as the user's condition reports it.
    pub reason: Reason,
    /// A sentence for people, with advice.
    pub message: String,
}

/// The plan for one user.
#[derive(Clone, Debug)]
pub struct Planned {
    pub user: UserRecord,
    pub outcome: Result<Account, Rejection>,
}

/// An account whose hash may still have to be computed.
#[derive(Clone, Debug)]
pub struct Account {
    /// Home directory, relative to the volume.
    pub home: String,
    pub source: Source,
    pub password: Password,
}

/// A password, hashed or still to be hashed.
#[derive(Clone)]
pub enum Password {
    Hashed(PasswordHash),
    Plain(Vec<u8>),
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Decides for every user; the oldest comes first.
pub fn plan(
    mut users: Vec<UserRecord>,
    secrets: &BTreeMap<String, SecretValue>,
    previous: &Previous,
    server: &ServerName,
) -> Vec<Planned> {
    users.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
    let mut taken: BTreeMap<LoginName, UserName> = BTreeMap::new();
    let decide = |user: UserRecord| {
        let outcome = match taken.get(&user.login) {
            Some(owner) => Err(conflict(&user, owner, server)),
            None => account(&user, secrets, previous),
        };
        // A login belongs to its oldest claimant even while that user is rejected: it must not pass to another person
        // because a Secret is missing for a moment.
        taken.entry(user.login.clone()).or_insert_with(|| user.name.clone());
        Planned { user, outcome }
    };
    users.into_iter().map(decide).collect()
}

fn conflict(user: &UserRecord, owner: &UserName, server: &ServerName) -> Rejection {
    let login = &user.login;
    let message = format!(
        "the login {login} on SafeTPServer {server} already belongs to the older SafeTPUser {owner}; set another \
         spec.username, or delete one of the two"
    );
    Rejection { reason: Reason::NameConflict, message }
}

fn account(
    user: &UserRecord,
    secrets: &BTreeMap<String, SecretValue>,
    previous: &Previous,
) -> Result<Account, Rejection> {
    check_login(user.login.as_str())?;
    let home = home(user.spec.home.as_deref().unwrap_or_else(|| user.login.as_str()))?;
    let reference = &user.spec.password_secret_ref;
    let secret = secrets.get(&reference.name).ok_or_else(|| missing_secret(&reference.name))?;
    let value = secret.data.get(&reference.key).ok_or_else(|| missing_key(&reference.name, &reference.key, secret))?;
    let source =
        Source { secret: secret.uid.clone(), version: secret.resource_version.clone(), key: reference.key.clone() };
    let kept = kept_hash(&user.login, &source, previous);
    let password = kept.map_or_else(|| password(value, &reference.name, &reference.key), Ok)?;
    Ok(Account { home, source, password })
}

fn kept_hash(login: &LoginName, source: &Source, previous: &Previous) -> Option<Password> {
    let same = previous.sources.get(login) == Some(source);
    let account = previous.users.get(login.as_str()).filter(|_| same)?;
    Some(Password::Hashed(account.password.clone()))
}

fn password(value: &[u8], secret: &str, key: &str) -> Result<Password, Rejection> {
    // `kubectl create secret --from-file` and editors end a file with a newline that is not typed at a prompt.
    let value = value.strip_suffix(b"\n").map_or(value, |value| value.strip_suffix(b"\r").unwrap_or(value));
    if value.is_empty() {
        let message = format!("the password is empty: set key {key} of Secret {secret} to a password");
        return Err(Rejection { reason: Reason::PasswordInvalid, message });
    }
    if !value.starts_with(HASH_PREFIX.as_bytes()) {
        return Ok(Password::Plain(value.to_vec()));
    }
    hash::parse(value).map(Password::Hashed).map_err(|problem| Rejection {
        reason: Reason::PasswordInvalid,
        message: format!(
            "key {key} of Secret {secret} begins with {HASH_PREFIX} but is not a valid hash: {problem}; set it to a \
             password or to a hash in PHC format"
        ),
    })
}

fn missing_secret(name: &str) -> Rejection {
    let message = format!("Secret {name} does not exist in this namespace; create it or fix spec.passwordSecretRef");
    Rejection { reason: Reason::SecretMissing, message }
}

fn missing_key(name: &str, key: &str, secret: &SecretValue) -> Rejection {
    let keys = secret.data.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let keys = if keys.is_empty() { "no keys".to_owned() } else { format!("the keys {keys}") };
    let message = format!("Secret {name} has no key {key} (it has {keys}); add it or fix spec.passwordSecretRef.key");
    Rejection { reason: Reason::SecretMissing, message }
}

fn check_login(login: &str) -> Result<(), Rejection> {
    let allowed = |c: char| !c.is_control() && c != '/';
    let good = (1..=128).contains(&login.chars().count()) && login.chars().all(allowed);
    if good && login != "." && login != ".." && login.trim() == login {
        return Ok(());
    }
    let message = format!(
        "{login:?} is not a valid login name: it must have 1 to 128 characters, without /, control characters and \
         spaces at either end, and must not be . or ..; set spec.username"
    );
    Err(Rejection { reason: Reason::InvalidSpec, message })
}

fn home(home: &str) -> Result<String, Rejection> {
    let parts: Vec<_> = home.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") || home.chars().any(char::is_control) {
        let message = "spec.home must be a path below the server's volume, without .. and control characters; set for \
                       example home: team/alice";
        return Err(Rejection { reason: Reason::InvalidSpec, message: message.to_owned() });
    }
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// The accounts of a server.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// Content of the ftpd's `users.json`.
    pub users: Users,
    pub sources: Sources,
    /// Logins that override whether their uploads must end with `close_notify`, as in the gateway's configuration.
    pub close_notify: BTreeMap<String, bool>,
}

impl Accounts {
    /// Adds one account whose hash is known.
    pub fn insert(&mut self, user: &UserRecord, account: Account, password: PasswordHash) {
        let login = user.login.clone();
        let name_encoding = user.spec.files.name_encoding.map(|encoding| encoding.label().to_owned());
        let entry = User { password, home: account.home, read_only: user.spec.read_only, name_encoding };
        self.users.users.insert(login.to_string(), entry);
        self.close_notify.extend(user.spec.uploads.require_close_notify.map(|required| (login.to_string(), required)));
        self.sources.insert(login, account.source);
    }
}

#[cfg(test)]
mod tests {
    use safetp_crds::{NameEncoding, UserFiles, UserUploads, user::SecretKey};

    use super::*;

    fn user(name: &str, created: i64) -> UserRecord {
        UserRecord {
            name: UserName::from(name),
            login: LoginName::from(name),
            uid: Uid::from(format!("uid-{name}").as_str()),
            generation: Some(1),
            created: Timestamp::from_second(created).ok(),
            spec: SafeTPUserSpec {
                servers: vec!["files".into()],
                username: None,
                password_secret_ref: SecretKey { name: "pw".into(), key: "password".into() },
                home: None,
                read_only: false,
                files: UserFiles::default(),
                uploads: UserUploads::default(),
            },
        }
    }

    fn secrets(version: &str, password: &str) -> BTreeMap<String, SecretValue> {
        let data = BTreeMap::from([("password".to_owned(), password.as_bytes().to_vec())]);
        let secret = SecretValue { uid: Uid::from("s"), resource_version: version.into(), data };
        BTreeMap::from([("pw".to_owned(), secret)])
    }

    fn previous(version: &str) -> Previous {
        let mut accounts = Accounts::default();
        let source = Source { secret: Uid::from("s"), version: version.into(), key: "password".into() };
        let account = Account { home: "alice".into(), source, password: Password::Plain(Vec::new()) };
        accounts.insert(&user("alice", 1), account, PasswordHash("$argon2id$kept".into()));
        Previous { users: accounts.users, sources: accounts.sources }
    }

    fn only(mut planned: Vec<Planned>) -> Result<Account, Rejection> {
        assert_eq!(planned.len(), 1);
        planned.remove(0).outcome
    }

    fn rejection(user: UserRecord, secrets: &BTreeMap<String, SecretValue>) -> Rejection {
        only(plan(vec![user], secrets, &Previous::default(), &ServerName::from("files"))).unwrap_err()
    }

    #[test]
    fn a_hash_is_kept_until_its_source_changes() {
        let kept = only(plan(vec![user("alice", 1)], &secrets("7", "pw"), &previous("7"), &ServerName::from("files")))
            .unwrap();
        assert!(matches!(kept.password, Password::Hashed(hash) if hash.0 == "$argon2id$kept"));
        let changed =
            only(plan(vec![user("alice", 1)], &secrets("8", "pw"), &previous("7"), &ServerName::from("files")))
                .unwrap();
        assert!(matches!(changed.password, Password::Plain(plain) if plain == b"pw"));
    }

    #[test]
    fn the_older_of_two_users_with_one_login_gets_it_whatever_their_names() {
        let mut young = user("a", 20);
        young.login = LoginName::from("alice");
        let planned =
            plan(vec![young, user("alice", 10)], &secrets("1", "pw"), &Previous::default(), &ServerName::from("files"));
        assert_eq!(planned[0].user.name, UserName::from("alice"));
        assert!(planned[0].outcome.is_ok());
        let rejection = planned[1].outcome.clone().unwrap_err();
        assert_eq!(rejection.reason, Reason::NameConflict);
        assert!(rejection.message.contains("older SafeTPUser alice"), "{}", rejection.message);
    }

    #[test]
    fn a_login_does_not_pass_to_another_user_while_its_owner_is_rejected() {
        let mut young = user("b", 20);
        young.login = LoginName::from("alice");
        young.spec.password_secret_ref.name = "pw".into();
        let mut old = user("alice", 10);
        old.spec.password_secret_ref.name = "gone".into();
        let planned = plan(vec![young, old], &secrets("1", "pw"), &Previous::default(), &ServerName::from("files"));
        assert_eq!(planned[0].outcome.clone().unwrap_err().reason, Reason::SecretMissing);
        assert_eq!(planned[1].outcome.clone().unwrap_err().reason, Reason::NameConflict);
    }

    #[test]
    fn missing_secret_or_key_is_named_in_the_message() {
        let gone = rejection(user("alice", 1), &BTreeMap::new());
        assert!(gone.message.contains("Secret pw does not exist"), "{}", gone.message);
        let mut other_key = user("alice", 1);
        other_key.spec.password_secret_ref.key = "pass".into();
        let no_key = rejection(other_key, &secrets("1", "pw"));
        assert!(no_key.message.contains("has no key pass (it has the keys password)"), "{}", no_key.message);
        let empty = rejection(user("alice", 1), &secrets("1", "\n"));
        assert!(empty.message.contains("the password is empty"), "{}", empty.message);
    }

    #[test]
    fn a_newline_at_the_end_of_a_secret_is_not_a_part_of_the_password() {
        let account = only(plan(
            vec![user("alice", 1)],
            &secrets("1", "pw\r\n"),
            &Previous::default(),
            &ServerName::from("files"),
        ))
        .unwrap();
        assert!(matches!(account.password, Password::Plain(plain) if plain == b"pw"));
    }

    #[test]
    fn a_home_outside_the_volume_is_rejected() {
        for home in ["../etc", "a/../../b", "..", "a\nb"] {
            let mut user = user("alice", 1);
            user.spec.home = Some(home.into());
            assert_eq!(rejection(user, &secrets("1", "pw")).reason, Reason::InvalidSpec, "{home}");
        }
        let mut root = user("alice", 1);
        root.spec.home = Some("/team//alice/".into());
        let account =
            only(plan(vec![root], &secrets("1", "pw"), &Previous::default(), &ServerName::from("files"))).unwrap();
        assert_eq!(account.home, "team/alice");
    }

    #[test]
    fn settings_of_a_user_for_names_and_uploads_follow_its_login() {
        let mut device = user("scanner", 1);
        device.login = LoginName::from("device");
        device.spec.files.name_encoding = Some(NameEncoding::Windows1252);
        device.spec.uploads.require_close_notify = Some(false);
        let mut accounts = Accounts::default();
        for user in [device, user("alice", 2)] {
            let account =
                only(plan(vec![user.clone()], &secrets("1", "pw"), &Previous::default(), &ServerName::from("files")))
                    .unwrap();
            accounts.insert(&user, account, PasswordHash(String::new()));
        }
        let encodings = accounts.users.users.values().map(|user| user.name_encoding.as_deref());
        assert_eq!(encodings.collect::<Vec<_>>(), [None, Some("windows-1252")]);
        assert_eq!(accounts.close_notify, BTreeMap::from([("device".to_owned(), false)]));
    }

    #[test]
    fn a_login_that_is_a_path_or_blank_is_rejected() {
        for login in ["a/b", "..", " a", "", "a\u{7}"] {
            let mut user = user("alice", 1);
            user.login = LoginName::from(login);
            assert_eq!(rejection(user, &secrets("1", "pw")).reason, Reason::InvalidSpec, "{login:?}");
        }
    }
}
