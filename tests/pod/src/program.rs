//! Runs of programs against a pod: with nothing of whoever runs the tests, and to their end.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Takes the environment from a program but for the way to other programs. This directory is where it runs, and its
/// home.
pub fn isolate(command: &mut Command, directory: &Path) {
    command.current_dir(directory).env_clear().env("HOME", directory);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
}

/// Runs a program to its end, with these octets as its standard input.
pub fn run_with_input(command: &mut Command, input: Vec<u8>) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that ends before it has read everything is not the test's failure.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}
