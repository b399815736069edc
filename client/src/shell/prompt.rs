//! The source of lines: a person at a terminal, with an editor and a history, or a file or pipe.

use std::{
    env, fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use rustyline::{DefaultEditor, error::ReadlineError};

use crate::{
    failure::{LocalError, Result},
    url::Server,
};

/// The source of lines.
pub(super) enum Prompt {
    Person(Box<Editor>),
    Input,
}

/// The line editor at a terminal.
pub(super) struct Editor {
    lines: DefaultEditor,
    text: String,
    /// `None` without a home directory.
    history: Option<PathBuf>,
}

impl Prompt {
    pub(super) fn open(server: &Server) -> Result<Self> {
        if !io::stdin().is_terminal() {
            return Ok(Self::Input);
        }
        let mut editor = DefaultEditor::new().map_err(failed)?;
        let history = history_file();
        if let Some(file) = &history {
            // There is none the first time.
            let _ = editor.load_history(file);
        }
        Ok(Self::Person(Box::new(Editor { lines: editor, text: format!("safetp {server}> "), history })))
    }

    /// Returns whether a person reads the messages.
    pub(super) fn is_attended(&self) -> bool {
        matches!(self, Self::Person(_))
    }

    /// The next line; `None` at the end of the input.
    pub(super) fn next_line(&mut self) -> Result<Option<String>> {
        match self {
            Self::Person(editor) => editor.next_line(),
            Self::Input => {
                let mut line = String::new();
                let count = io::stdin().read_line(&mut line).map_err(LocalError::terminal("read the commands"))?;
                Ok((count > 0).then_some(line))
            }
        }
    }
}

impl Editor {
    fn next_line(&mut self) -> Result<Option<String>> {
        loop {
            match self.lines.readline(&self.text) {
                Ok(line) => {
                    self.remember(&line);
                    return Ok(Some(line));
                }
                // Ctrl-C discards the line, Ctrl-D ends the session.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(None),
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Adds a line to the history. A failure is ignored: the command matters more.
    fn remember(&mut self, line: &str) {
        let is_new = self.lines.add_history_entry(line).unwrap_or(false);
        if let Some(file) = self.history.as_deref().filter(|_| is_new) {
            let _ = fs::create_dir_all(file.parent().unwrap_or(Path::new(".")));
            let _ = self.lines.append_history(file);
        }
    }
}

/// Prints one line on the standard output.
pub(super) fn print(text: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}").map_err(LocalError::terminal("write"))?)
}

fn history_file() -> Option<PathBuf> {
    let configured = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = configured.or_else(|| Some(env::home_dir()?.join(".local/state")))?;
    Some(state.join("safetp/history"))
}

fn failed(error: ReadlineError) -> crate::failure::Failure {
    LocalError::terminal("read the commands")(io::Error::other(error)).into()
}
