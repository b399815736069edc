//! The login of one session.

/// The user's name as the client gave it, and whether the backend let it in.
#[derive(Debug, Default)]
pub(super) struct Login {
    user: Option<String>,
    is_done: bool,
}

impl Login {
    /// The client has named a user.
    pub(super) fn begin(&mut self, user: String) {
        self.user = Some(user);
    }

    /// The user is let in.
    pub(super) fn finish(&mut self) {
        self.is_done = true;
    }

    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The name, let in or not.
    pub(super) fn claimed(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The name of a user who is let in.
    pub(super) fn user(&self) -> Option<&str> {
        self.claimed().filter(|_| self.is_done)
    }
}
