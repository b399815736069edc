//! The client `safetp`: FTP that is protected by X-SafeTP1 or TLS, from a shell, at a prompt, or as a proxy for clients
//! that speak plain FTP.
//!
//! [`session`] is one protected session, `commands` is what people do with it, `shell` the prompt, `proxy` the proxy. A failure is a [`failure::Failure`]: a sentence, what to do next, and an exit code.

pub mod args;
pub mod certificate;
mod commands;
mod credentials;
pub mod failure;
pub mod known_servers;
mod log_in;
mod netrc;
mod progress;
mod proxy;
mod run;
pub mod session;
mod shell;
mod terminal;
pub mod text;
pub mod url;

use args::Args;

/// Does what the command line says. The number is the process's exit code; what there is to say has been said.
pub async fn run(args: Args) -> u8 {
    match run::run(args).await {
        Ok(()) => 0,
        Err(failure) => {
            terminal::tell_failure(&failure);
            failure.exit_code()
        }
    }
}
