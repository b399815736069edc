//! The client `safetp`: FTP that is protected by X-SafeTP1 or TLS, from a shell, at a prompt, or as a proxy for clients
//! that speak plain FTP.
//!
//! `run` dispatches the command line to `commands`, to the prompt (`shell`) or to the proxy (`proxy`). Each of them
//! uses a protected session (`session`). A failure (`failure`) is a sentence, advice, and an exit code.

mod args;
mod certificate;
mod commands;
mod credentials;
mod failure;
mod known_servers;
mod log_in;
mod netrc;
mod progress;
mod proxy;
mod run;
mod session;
mod shell;
mod terminal;
mod text;
mod url;

pub use args::Args;

/// Runs the command line, reports a failure on stderr, and returns the exit code of the process.
pub async fn run(args: Args) -> u8 {
    match run::run(args).await {
        Ok(()) => 0,
        Err(failure) => {
            terminal::tell_failure(&failure);
            failure.exit_code()
        }
    }
}
