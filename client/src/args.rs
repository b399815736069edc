//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args as ClapArgs, Parser, Subcommand, value_parser};
use safetp_protocol::security::safetp1::BlockSize;

use crate::{
    failure::{Failure, Result},
    known_servers::KnownServers,
    session::{DataLevel, Dialogue, Mechanism, Options, TlsVersion},
    url::{Scheme, Target},
};

const AFTER_HELP: &str = "\
URLs: safetp://[user@]host[:port]/path. The path starts in the login directory, after a second slash (//path) at the \
root. %20 is a space. A slash at the end means \"into this directory\". ftpes:// and ftp:// select TLS.
The password is read from SAFETP_PASSWORD or ~/.netrc; otherwise it is asked for.

Exit codes:
  0  done
  1  the server refused the command, or its file does not match the local one
  2  invalid command line
  3  the server could not be reached, or the connection was lost
  4  a security check failed: certificate, known server, redirection, tampering, protection not offered
  5  login failed
  6  the transfer is incomplete
  7  a local file could not be read or written";

/// FTP that is protected by X-SafeTP1 or TLS.
#[derive(Clone, Debug, Parser)]
#[command(name = "safetp", version, after_help = AFTER_HELP, arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Server and directory to open a prompt at.
    pub(crate) url: Option<Target>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Remote(RemoteCommand),
    /// Open a prompt; if the standard input is not a terminal, read commands from it.
    Shell {
        /// Server, and the directory to start in.
        url: Target,
    },
    /// Let plain FTP clients on this machine use a protected server.
    Proxy {
        /// Loopback address and port to listen on; port 0 selects a free port, which is printed.
        #[arg(long, default_value = "127.0.0.1:2121")]
        listen: SocketAddr,
        /// Server, without user and path.
        url: Target,
    },
}

/// One command in a session of its own.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum RemoteCommand {
    /// List a directory.
    Ls {
        /// Show kind, size and time (UTC).
        #[arg(short)]
        long: bool,
        /// Directory or file to list.
        url: Target,
    },
    /// Fetch a file. It is named LOCAL.part until it is complete.
    Get {
        /// File to fetch.
        url: Target,
        /// Local file or directory; - is the standard output. Default: the file's name, in the current directory.
        local: Option<PathBuf>,
        /// Resume from LOCAL.part.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Store a file.
    Put {
        /// File to store; - is the standard input.
        local: PathBuf,
        /// Remote file, or directory with a slash at the end.
        url: Target,
        /// Resume after what the server already has.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Remove a file, or an empty directory if the URL ends in a slash.
    Rm {
        /// File or directory to remove.
        url: Target,
    },
    /// Rename or move a file or a directory.
    Mv {
        /// File or directory to move.
        url: Target,
        /// New name: a path, or a URL on the same server.
        to: String,
    },
    /// Create a directory.
    Mkdir {
        /// Directory to create.
        url: Target,
    },
}

/// Options of the connection, which every command takes.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Mechanism that protects the session. Default: TLS; X-SafeTP1 only if no TLS is listed and its key is known.
    #[arg(long, global = true, value_enum)]
    pub(crate) mechanism: Option<Mechanism>,
    /// Protection of data connections: clear, safe (integrity; X-SafeTP1 only), private.
    #[arg(long, global = true, value_enum, default_value = "p", ignore_case = true)]
    pub(crate) protection: DataLevel,
    /// Largest protected block in octets (X-SafeTP1 only).
    #[arg(long, global = true, default_value = "65536", value_parser = block_size)]
    pub(crate) pbsz: BlockSize,
    /// Trust only the certificates in this PEM file, of CAs and of servers.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Use only this version of TLS.
    #[arg(long, global = true, value_enum)]
    pub(crate) tls_version: Option<TlsVersion>,
    /// File of known servers. Default: `~/.config/safetp/known_servers`.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) known_servers: Option<PathBuf>,
    /// Store an unknown server's X-SafeTP1 key without asking. Never accepts a changed key or a certificate.
    #[arg(long, global = true)]
    pub(crate) accept_new_key: bool,
    /// Read user names and passwords from this file instead of ~/.netrc.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) netrc: Option<PathBuf>,
    /// Active mode: the server connects to this machine for data (PORT, EPRT).
    #[arg(long, global = true)]
    pub(crate) active: bool,
    /// Time limit for each step, in seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60")]
    #[arg(value_parser = value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Use plain FTP: anyone on the network path can read and change the password and the files.
    #[arg(long, global = true, conflicts_with = "mechanism")]
    pub(crate) insecure_clear_text: bool,
    /// Show commands and replies, without passwords.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Show the messages of AUTH and ADAT in full.
    #[arg(short = 'a', long, global = true)]
    pub(crate) adats: bool,
    /// Show no progress bar.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

impl ConnectionArgs {
    /// The options of a session. The URL's scheme decides on TLS where `--mechanism` is not given.
    pub(crate) fn options(&self, scheme: Scheme) -> Result<Options> {
        let by_scheme = || (scheme == Scheme::Ftpes).then_some(Mechanism::Tls);
        let file = self.known_servers.clone().or_else(KnownServers::default_file);
        let no_home = || Failure::Usage("no home directory: give the file with --known-servers FILE".into());
        if self.insecure_clear_text && self.protection != DataLevel::P {
            return Err(Failure::Usage("--insecure-clear-text cannot be combined with --protection".into()));
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
    size.filter(|size| size.get().to_string() == text).ok_or_else(|| "expected a number from 64 to 65536".into())
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
    fn options_may_follow_the_command() {
        let args = args("safetp put a safetp://alice@h:2121/b --mechanism x-safetp1 --protection S --pbsz 1024");
        assert_eq!(args.connection.mechanism, Some(Mechanism::SafeTp1));
        assert_eq!(args.connection.protection, DataLevel::S);
        assert_eq!(args.connection.pbsz.get(), 1024);
    }

    #[test]
    fn options_may_precede_the_command() {
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
    fn get_and_put_resume_with_c_or_continue() {
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
    fn the_page_has_every_exit_code_and_every_command() {
        let page = include_str!("../../docs/client.md");
        let (_, codes) = AFTER_HELP.split_once("Exit codes:\n").unwrap();
        for line in codes.lines() {
            let (code, meaning) = line.trim().split_once("  ").unwrap();
            assert!(page.contains(&format!("| {code} | {meaning} |")), "{line}");
        }
        for command in Args::command().get_subcommands().map(clap::Command::get_name) {
            assert!(page.contains(&format!("| `{command} ")), "{command}");
        }
    }

    #[test]
    fn a_url_alone_opens_a_prompt() {
        let args = args("safetp safetp://alice@h/ --ca ca.pem");
        assert!(args.command.is_none() && args.url.is_some());
    }

    #[test]
    fn the_scheme_ftp_selects_tls() {
        let connection = args("safetp ls ftp://h/ --known-servers k").connection;
        assert_eq!(connection.options(Scheme::Ftpes).unwrap().mechanism, Some(Mechanism::Tls));
        assert_eq!(connection.options(Scheme::SafeTp).unwrap().mechanism, None);
    }

    #[test]
    fn clear_text_needs_its_full_option_and_no_mechanism() {
        for line in ["safetp ls ftp://h/ --insecure", "safetp ls ftp://h/ --insecure-clear-text --mechanism tls"] {
            assert!(Args::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
        assert!(args("safetp ls ftp://h/ --insecure-clear-text").connection.insecure_clear_text);
    }

    #[test]
    fn block_sizes_outside_64_to_65536_are_refused() {
        for size in ["63", "65537", "+64", "x", "4294967296"] {
            assert!(block_size(size).is_err(), "{size}");
        }
    }
}
