//! Programs that tests run to their end, without the environment of the tests.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Output, Stdio},
};

/// Longer than any run takes, so that a hang is a failure and not a hang; in seconds.
const TIME_LIMIT: &str = "100";
/// The exit code of `timeout` for a program that it had to end.
const OUT_OF_TIME: i32 = 124;

/// A program that is about to run.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Vec<u8>,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Completed {
    /// Its exit code; none after a signal.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: Vec<u8>,
    /// Its standard error.
    pub err: String,
}

/// A program while it runs. It is killed on drop.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Program {
    /// A program that runs in this directory, which is also its home, and that is ended after 100 s.
    pub fn new(name: impl AsRef<OsStr>, directory: &Path) -> Self {
        let mut program = Self::without_limit("timeout", directory);
        program.args([TIME_LIMIT.as_ref(), name.as_ref()]);
        program
    }

    /// As [`Program::new`], for a program that the test ends.
    pub fn without_limit(name: impl AsRef<OsStr>, directory: &Path) -> Self {
        let mut command = Command::new(name);
        command.current_dir(directory).env_clear().env("HOME", directory);
        // The way to other programs is all that it takes over.
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Self { command, input: Vec::new() }
    }

    /// Adds one argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = S>) -> &mut Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    /// Removes an environment variable that was set.
    pub fn without_env(&mut self, name: &str) -> &mut Self {
        self.command.env_remove(name);
        self
    }

    /// Sets the standard input.
    pub fn input(&mut self, octets: impl AsRef<[u8]>) -> &mut Self {
        self.input = octets.as_ref().to_vec();
        self
    }

    /// Starts it and leaves it to the test.
    pub fn start(&mut self) -> Running {
        let piped = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        Running { child: piped.spawn().unwrap() }
    }

    /// Runs it to its end.
    pub fn run(&mut self) -> Completed {
        let input = std::mem::take(&mut self.input);
        let piped = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that ends before it has read everything is not the test's failure.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert_ne!(status.code(), Some(OUT_OF_TIME), "no end after {TIME_LIMIT} s: {:?}", self.command);
        Completed { code: status.code(), out: stdout, err: String::from_utf8_lossy(&stderr).into_owned() }
    }
}

impl Completed {
    /// Whether it reports success.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// Its standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Must be a success.
    #[track_caller]
    pub fn is_done(&self) -> &Self {
        assert!(self.is_success(), "exit code {:?}\n{}\n{}", self.code, self.text(), self.err);
        self
    }

    /// Must be a failure with this exit code and these words on its standard error.
    #[track_caller]
    pub fn is_failure(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word} is missing:\n{}", self.err);
        }
    }
}

impl Running {
    /// Its standard input.
    pub fn input(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().unwrap()
    }

    /// Its standard output, line by line.
    pub fn lines(&mut self) -> impl Iterator<Item = std::io::Result<String>> + use<> {
        BufReader::new(self.child.stdout.take().unwrap()).lines()
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
