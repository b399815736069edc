//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args as ClapArgs, Parser, Subcommand};
use safetp_protocol::security::safetp1::BlockSize;

use crate::{
    failure::{Failure, Result},
    known_servers::KnownServers,
    session::{DataLevel, Dialogue, Mechanism, Options, TlsVersion},
    url::{Scheme, Target},
};

const EXIT_CODES: &str = "\
URLs: safetp://[user@]host[:port]/path, where the path begins in the login directory (with a second slash: at the \
root), %20 is a space, and a slash at its end means: into that directory. ftpes:// and ftp:// mean TLS.
A password comes from SAFETP_PASSWORD, from ~/.netrc, or is asked for.

Exit codes:
  0  done
  1  the server refused
  2  the command line cannot be meant
  3  the server was not reached, or was lost
  4  a security check failed: certificate, known server, redirection, tampering
  5  the user was not let in
  6  the transfer is not complete
  7  a local file could not be read or written";

/// FTP that is protected by X-SafeTP1 or TLS.
#[derive(Clone, Debug, Parser)]
#[command(name = "safetp", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Opens a prompt at this URL.
    pub(crate) url: Option<Target>,
    /// How to connect.
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// In a session of its own.
    #[command(flatten)]
    Remote(RemoteCommand),
    /// Open a prompt. Where the standard input is no terminal, its lines are the commands.
    Shell {
        /// Where.
        url: Target,
    },
    /// Let plain FTP clients of this machine use a protected server.
    Proxy {
        /// Where they connect to: an address of the loopback interface; port 0 takes a free one and prints it.
        #[arg(long, default_value = "127.0.0.1:2121")]
        listen: SocketAddr,
        /// The server.
        url: Target,
    },
}

/// A command that has a session of its own.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RemoteCommand {
    /// List a directory.
    Ls {
        /// With kind, size and time (UTC).
        #[arg(short)]
        long: bool,
        /// Which one.
        url: Target,
    },
    /// Fetch a file. Until it is whole it is called LOCAL.part.
    Get {
        /// Which one.
        url: Target,
        /// Where to; - is the standard output. Without it: its name, here.
        local: Option<PathBuf>,
        /// Resume from LOCAL.part.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Store a file.
    Put {
        /// Which one; - is the standard input.
        local: PathBuf,
        /// Where to.
        url: Target,
        /// Resume after what the server has.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Remove a file, or, with a slash at the end, an empty directory.
    Rm {
        /// Which one.
        url: Target,
    },
    /// Give a file or a directory another name.
    Mv {
        /// Which one.
        url: Target,
        /// Its new name: a URL of the same server, or a path.
        to: String,
    },
    /// Make a directory.
    Mkdir {
        /// Which one.
        url: Target,
    },
}

/// How to connect.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// What protects the session. Without it: TLS; X-SafeTP1 only where no TLS is listed and its key is known.
    #[arg(long, global = true, value_enum)]
    pub(crate) mechanism: Option<Mechanism>,
    /// How data connections are protected: clear, safe (integrity; X-SafeTP1 only), private.
    #[arg(long, global = true, value_enum, default_value = "p", ignore_case = true)]
    pub(crate) protection: DataLevel,
    /// The largest protected block in octets, under X-SafeTP1.
    #[arg(long, global = true, default_value = "65536", value_parser = block_size)]
    pub(crate) pbsz: BlockSize,
    /// Trust the certificates in this PEM file, of CAs and of servers, and no others.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Speak this version of TLS only.
    #[arg(long, global = true, value_enum)]
    pub(crate) tls_version: Option<TlsVersion>,
    /// The file of known servers. Without it: `~/.config/safetp/known_servers`.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) known_servers: Option<PathBuf>,
    /// Store an unknown server's X-SafeTP1 key without a question. Never accepts a changed key, nor a certificate.
    #[arg(long, global = true)]
    pub(crate) accept_new_key: bool,
    /// Take names and passwords from this file in place of ~/.netrc.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) netrc: Option<PathBuf>,
    /// Let the server connect to this machine for data (PORT, EPRT).
    #[arg(long, global = true)]
    pub(crate) active: bool,
    /// How long any one step may take, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Speak plain FTP: everybody in the line reads the password and the files, and can change them.
    #[arg(long, global = true, conflicts_with = "mechanism")]
    pub(crate) insecure_clear_text: bool,
    /// Show the dialogue, without passwords.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Show the messages of AUTH and ADAT in full.
    #[arg(short = 'a', long, global = true)]
    pub(crate) adats: bool,
    /// No progress bar and no remarks.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

impl Connection {
    /// As a session needs it. `scheme` speaks where `--mechanism` does not.
    pub(crate) fn options(&self, scheme: Scheme) -> Result<Options> {
        let by_scheme = || (scheme == Scheme::Ftpes).then_some(Mechanism::Tls);
        let file = self.known_servers.clone().or_else(KnownServers::default_file);
        let no_home = || Failure::Usage("there is no home directory: name a file with --known-servers".into());
        if self.insecure_clear_text && self.protection != DataLevel::P {
            return Err(Failure::Usage("--insecure-clear-text has no --protection".into()));
        }
        Ok(Options {
            mechanism: self.mechanism.or_else(by_scheme),
            insecure_clear_text: self.insecure_clear_text,
            level: self.protection,
            block_size: self.pbsz,
            active: self.active,
            timeout: Duration::from_secs(self.timeout.into()),
            ca: self.ca.clone(),
            tls_version: self.tls_version,
            known_servers: KnownServers::new(file.ok_or_else(no_home)?),
            accept_new_key: self.accept_new_key,
            dialogue: Dialogue { all: self.verbose, adats: self.adats },
        })
    }
}

fn block_size(text: &str) -> std::result::Result<BlockSize, String> {
    let size = text.parse().ok().and_then(BlockSize::negotiate);
    size.filter(|size| size.get().to_string() == text).ok_or_else(|| "a number from 64 to 65536 is wanted".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn args(line: &str) -> Args {
        Args::try_parse_from(line.split(' ')).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn options_may_stand_behind_the_command() {
        let args = args("safetp put a safetp://alice@h:2121/b --mechanism x-safetp1 --protection S --pbsz 1024");
        assert_eq!(args.connection.mechanism, Some(Mechanism::SafeTp1));
        assert_eq!(args.connection.protection, DataLevel::S);
        assert_eq!(args.connection.pbsz.get(), 1024);
    }

    #[test]
    fn options_may_stand_before_the_command() {
        for line in [
            "safetp -q --mechanism x-safetp1 put a safetp://h/b",
            "safetp -q --mechanism=x-safetp1 put a safetp://h/b",
            "safetp -v put --mechanism x-safetp1 a safetp://h/b",
        ] {
            let args = args(line);
            assert_eq!(args.connection.mechanism, Some(Mechanism::SafeTp1), "{line}");
            assert!(args.connection.quiet != args.connection.verbose, "{line}");
            assert!(
                matches!(args.command, Some(Command::Remote(RemoteCommand::Put { .. }))) && args.url.is_none(),
                "{line}"
            );
        }
    }

    #[test]
    fn resuming_has_the_letter_that_the_page_says() {
        for line in ["safetp get -c safetp://h/b", "safetp put a -c safetp://h/b", "safetp get --continue safetp://h/b"]
        {
            let resumes = matches!(
                args(line).command,
                Some(Command::Remote(
                    RemoteCommand::Get { resume: true, .. } | RemoteCommand::Put { resume: true, .. }
                ))
            );
            assert!(resumes, "{line}");
        }
    }

    #[test]
    fn a_url_alone_opens_a_prompt() {
        let args = args("safetp safetp://alice@h/ --ca ca.pem");
        assert!(args.command.is_none() && args.url.is_some());
    }

    #[test]
    fn ftp_means_tls() {
        let connection = args("safetp ls ftp://h/ --known-servers k").connection;
        assert_eq!(connection.options(Scheme::Ftpes).unwrap().mechanism, Some(Mechanism::Tls));
        assert_eq!(connection.options(Scheme::SafeTp).unwrap().mechanism, None);
    }

    #[test]
    fn clear_text_must_be_said_in_so_many_words() {
        for line in ["safetp ls ftp://h/ --insecure", "safetp ls ftp://h/ --insecure-clear-text --mechanism tls"] {
            assert!(Args::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
        assert!(args("safetp ls ftp://h/ --insecure-clear-text").connection.insecure_clear_text);
    }

    #[test]
    fn block_sizes_outside_of_the_protocol_are_refused() {
        for size in ["63", "65537", "+64", "x", "4294967296"] {
            assert!(block_size(size).is_err(), "{size}");
        }
    }
}
