//! The prompt, where lines come from a file.

use std::fs;

use crate::support::Stage;

#[test]
fn commands_are_taken_line_by_line() {
    let stage = Stage::new();
    fs::create_dir(stage.here("folder")).unwrap();
    fs::write(stage.here("folder/a b"), b"content").unwrap();
    let script = "
        # comments and empty lines are nothing
        mkdir incoming
        cd incoming
        pwd
        lcd folder
        put 'a b' stored
        ls
        mv stored renamed
        get renamed back
        rm renamed
        cd ..
        rmdir incoming
        quit
        mkdir never
    ";
    let outcome = stage.safetp(&["shell", &stage.url("")]).input(script.as_bytes()).run();
    assert_eq!(outcome.is_done().text(), "/incoming\nstored\n");
    assert_eq!(fs::read(stage.here("folder/back")).unwrap(), b"content");
    assert!(!stage.there("incoming").exists() && !stage.there("never").exists());
}

#[test]
fn the_first_command_that_fails_ends_the_run_with_its_exit_code() {
    let stage = Stage::new();
    let outcome = stage.safetp(&[&stage.url("")]).input(b"get nothing\nmkdir never\n").run();
    outcome.is_failure(1, &["refused RETR nothing"]);
    assert!(!stage.there("never").exists());
    stage.safetp(&[&stage.url("")]).input(b"fly\n").run().is_failure(2, &["unrecognized subcommand 'fly'"]);
}

#[test]
fn a_prompt_begins_in_the_directory_of_its_url() {
    let stage = Stage::new();
    fs::create_dir(stage.there("d")).unwrap();
    let outcome = stage.safetp(&[&stage.url("d")]).input(b"pwd").run();
    assert_eq!(outcome.is_done().text(), "/d\n");
}

#[test]
fn help_tells_the_commands() {
    let stage = Stage::new();
    let outcome = stage.safetp(&[&stage.url("")]).input(b"help\n").run();
    let text = outcome.is_done().text();
    for command in ["ls", "cd", "pwd", "lcd", "lpwd", "get", "put", "rm", "rmdir", "mkdir", "mv", "help", "quit"] {
        assert!(text.lines().any(|line| line.trim_start().starts_with(&format!("{command} "))), "{command}:\n{text}");
    }
}
