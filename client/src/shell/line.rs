//! Lines to commands.

use std::path::PathBuf;

use clap::{Parser, Subcommand, error::ErrorKind};

use super::prompt;
use crate::failure::{Failure, Result};

#[derive(Debug, Parser)]
#[command(multicall = true, subcommand_required = true)]
struct Line {
    #[command(subcommand)]
    command: ShellCommand,
}

/// One command.
#[derive(Debug, PartialEq, Eq, Subcommand)]
#[command(disable_help_flag = true)]
pub(super) enum ShellCommand {
    /// List a directory of the server.
    Ls {
        /// With kind, size and time (UTC).
        #[arg(short)]
        long: bool,
        /// Which one; this one if none is named.
        path: Option<PathBuf>,
    },
    /// Go to a directory of the server.
    Cd {
        /// Which one.
        path: PathBuf,
    },
    /// Tell the directory of the server.
    Pwd,
    /// Go to a directory of this machine.
    Lcd {
        /// Which one.
        path: PathBuf,
    },
    /// Tell the directory of this machine.
    Lpwd,
    /// Fetch a file.
    Get {
        /// Which one.
        path: PathBuf,
        /// Where to.
        local: Option<PathBuf>,
        /// Resume from LOCAL.part.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Store a file.
    Put {
        /// Which one.
        local: PathBuf,
        /// Where to.
        path: Option<PathBuf>,
        /// Resume after what the server has.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Remove a file.
    Rm {
        /// Which one.
        path: PathBuf,
    },
    /// Remove an empty directory.
    Rmdir {
        /// Which one.
        path: PathBuf,
    },
    /// Make a directory.
    Mkdir {
        /// Which one.
        path: PathBuf,
    },
    /// Give a file or a directory another name.
    Mv {
        /// Which one.
        from: PathBuf,
        /// Its new name.
        to: PathBuf,
    },
    /// Leave.
    #[command(aliases = ["exit", "bye"])]
    Quit,
}

impl ShellCommand {
    /// `None`: an empty line, a comment, or help, which has been given. Words are quoted as in a shell.
    pub(super) fn parse(line: &str) -> Result<Option<Self>> {
        let words = shlex::split(line).ok_or_else(|| Failure::Usage("a quotation mark is missing".into()))?;
        if words.is_empty() {
            return Ok(None);
        }
        match Line::try_parse_from(words) {
            Ok(line) => Ok(Some(line.command)),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                prompt::print(error.to_string().trim_end())?;
                Ok(None)
            }
            Err(error) => Err(Failure::Usage(sentence(&error.to_string()))),
        }
    }
}

/// The first line of clap's, without its headline.
fn sentence(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn words_are_quoted_as_in_a_shell() {
        let command = ShellCommand::parse(r#"mv "a b" c\ d"#).unwrap();
        assert_eq!(command, Some(ShellCommand::Mv { from: "a b".into(), to: "c d".into() }));
    }

    #[test]
    fn an_empty_line_and_a_comment_are_no_commands() {
        for line in ["", "   ", "# get nothing"] {
            assert_eq!(ShellCommand::parse(line).unwrap(), None, "{line}");
        }
    }

    #[test]
    fn what_is_no_command_is_a_failure_with_a_sentence() {
        for line in ["fly", "get", "get \"a", "pwd x"] {
            let failure = ShellCommand::parse(line).unwrap_err();
            assert_eq!(failure.exit_code(), 2, "{line}: {failure}");
            assert!(!failure.to_string().contains('\n'));
        }
    }

    #[test]
    fn all_words_for_leaving_are_one() {
        for line in ["quit", "exit", "bye"] {
            assert_eq!(ShellCommand::parse(line).unwrap(), Some(ShellCommand::Quit), "{line}");
        }
    }
}
