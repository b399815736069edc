//! Questions and messages to the person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};

use zeroize::Zeroizing;

use crate::failure::{Failure, LocalError, Result};

/// Returns whether a person can be asked: questions go to stderr, answers come from the terminal.
pub(crate) fn is_attended() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks until the answer is yes or no; the end of the input is no.
pub(crate) fn is_confirmed(question: &str) -> Result<bool> {
    loop {
        let mut answer = String::new();
        write!(io::stderr(), "{question}").map_err(LocalError::terminal("ask"))?;
        let count = io::stdin().read_line(&mut answer).map_err(LocalError::terminal("read the answer"))?;
        match answer.trim() {
            "yes" => return Ok(true),
            "no" => return Ok(false),
            _ if count == 0 => return Ok(false),
            _ => {}
        }
    }
}

/// Asks for a password without an echo.
pub(crate) fn password(question: &str) -> Result<Zeroizing<String>> {
    let password = rpassword::prompt_password(question);
    Ok(Zeroizing::new(password.map_err(LocalError::terminal("read the password"))?))
}

/// Prints one line on stderr.
pub(crate) fn tell(line: &str) {
    // Where stderr is closed there is no other place to report it.
    let _ = writeln!(io::stderr(), "safetp: {line}");
}

/// Prints a failure and the advice on it.
pub(crate) fn tell_failure(failure: &Failure) {
    tell(&failure.to_string());
    if let Some(advice) = failure.advice() {
        let _ = writeln!(io::stderr(), "  {advice}");
    }
}
