//! The parser of lines at the prompt.

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
    /// List a remote directory.
    Ls {
        /// Show kind, size and time (UTC).
        #[arg(short)]
        long: bool,
        /// Directory or file to list. Default: the current directory.
        path: Option<PathBuf>,
    },
    /// Change the remote directory.
    Cd {
        /// Directory to change to.
        path: PathBuf,
    },
    /// Show the remote directory.
    Pwd,
    /// Change the local directory.
    Lcd {
        /// Directory to change to.
        path: PathBuf,
    },
    /// Show the local directory.
    Lpwd,
    /// Fetch a file.
    Get {
        /// File to fetch.
        path: PathBuf,
        /// Local file or directory.
        local: Option<PathBuf>,
        /// Resume from LOCAL.part.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Store a file.
    Put {
        /// File to store.
        local: PathBuf,
        /// Remote file, or directory with a slash at the end.
        path: Option<PathBuf>,
        /// Resume after what the server already has.
        #[arg(short = 'c', long = "continue")]
        resume: bool,
    },
    /// Remove a file.
    Rm {
        /// File to remove.
        path: PathBuf,
    },
    /// Remove an empty directory.
    Rmdir {
        /// Directory to remove.
        path: PathBuf,
    },
    /// Create a directory.
    Mkdir {
        /// Directory to create.
        path: PathBuf,
    },
    /// Rename or move a file or a directory.
    Mv {
        /// File or directory to move.
        from: PathBuf,
        /// New path.
        to: PathBuf,
    },
    /// End the session.
    #[command(aliases = ["exit", "bye"])]
    Quit,
}

impl ShellCommand {
    /// Parses a line, with quotation as in a shell. `None`: an empty line, a comment, or help, which has been printed.
    pub(super) fn parse(line: &str) -> Result<Option<Self>> {
        let words = shlex::split(line).ok_or_else(|| Failure::Usage("a closing quotation mark is missing".into()))?;
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

/// The first line of a message of clap, without its prefix.
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
    fn empty_lines_and_comments_are_ignored() {
        for line in ["", "   ", "# get nothing"] {
            assert_eq!(ShellCommand::parse(line).unwrap(), None, "{line}");
        }
    }

    #[test]
    fn an_invalid_line_is_exit_code_2_with_one_sentence() {
        for line in ["fly", "get", "get \"a", "pwd x"] {
            let failure = ShellCommand::parse(line).unwrap_err();
            assert_eq!(failure.exit_code(), 2, "{line}: {failure}");
            assert!(!failure.to_string().contains('\n'));
        }
    }

    #[test]
    fn exit_and_bye_are_quit() {
        for line in ["quit", "exit", "bye"] {
            assert_eq!(ShellCommand::parse(line).unwrap(), Some(ShellCommand::Quit), "{line}");
        }
    }
}
