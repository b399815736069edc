//! The user name and the password: from the URL, the environment, `~/.netrc`, or a person.

use std::{env, path::Path};

use zeroize::Zeroizing;

use crate::{
    failure::{LoginError, Result},
    netrc, terminal,
    url::Target,
};

const PASSWORD_VARIABLE: &str = "SAFETP_PASSWORD";

/// The user name, and the password if it is known without asking.
pub(crate) struct Credentials {
    pub(crate) user: String,
    password: Option<Zeroizing<String>>,
    /// Shown in the question for the password.
    host: String,
}

impl Credentials {
    /// Looks in all places without asking. `~/.netrc` is read only if something is missing.
    pub(crate) fn find(target: &Target, netrc: Option<&Path>) -> Result<Self> {
        let from_environment = env::var(PASSWORD_VARIABLE).ok().map(Zeroizing::new);
        let entry = match (&target.user, &from_environment) {
            (Some(_), Some(_)) => None,
            _ => netrc::read(netrc)?.and_then(|text| netrc::find(&text, &target.server.host, target.user.as_deref())),
        };
        let entry = entry.unwrap_or_default();
        Ok(Self {
            user: target.user.clone().or(entry.login).ok_or(LoginError::NoUser)?,
            password: from_environment.or(entry.password),
            host: target.server.to_string(),
        })
    }

    /// Returns the password, and asks for it if it is not known and there is a terminal.
    pub(crate) fn password(self) -> Result<Zeroizing<String>> {
        match self.password {
            Some(password) => Ok(password),
            None if terminal::is_attended() => {
                terminal::password(&format!("Password for {} on {}: ", self.user, self.host))
            }
            None => Err(LoginError::NoPassword { user: self.user }.into()),
        }
    }
}
