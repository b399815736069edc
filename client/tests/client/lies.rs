//! Servers that lie, and networks that cut and change: nothing false is believed, nothing incomplete is called complete.

use std::{fs, path::Path};

use crate::support::{
    Program,
    liar::{By, CONTENT, Liar, Story},
};

/// A person's home and the run of the client in it.
struct Run {
    home: tempfile::TempDir,
    liar: Liar,
    by: By,
}

impl Run {
    fn new(story: Story, by: By) -> Self {
        Self { home: tempfile::tempdir().unwrap(), liar: Liar::start(story, by), by }
    }

    fn safetp(&self, args: &[&str]) -> Program {
        let mut program = Program::new(self.home.path(), args);
        program.arg("--ca").arg(self.liar.ca_file()).arg("--accept-new-key").env("SAFETP_PASSWORD", "secret");
        match self.by {
            By::Nothing => program.arg("--insecure-clear-text"),
            By::Tls => program.args(&["--mechanism", "tls"]),
            By::SafeTp1 => program.args(&["--mechanism", "x-safetp1", "--pbsz", "64"]),
        };
        program
    }

    fn url(&self) -> String {
        format!("safetp://alice@127.0.0.1:{}/file", self.liar.port)
    }

    fn get(&self) -> crate::support::Outcome {
        self.safetp(&["get", &self.url()]).run()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }
}

const ALL: [By; 3] = [By::Nothing, By::Tls, By::SafeTp1];
const PROTECTED: [By; 2] = [By::Tls, By::SafeTp1];

#[test]
fn without_a_lie_the_file_comes() {
    for by in ALL {
        let run = Run::new(Story::Honest, by);
        run.get().is_done();
        assert_eq!(fs::read(run.path("file")).unwrap(), CONTENT, "{by:?}");
    }
}

#[test]
fn a_download_that_is_cut_short_is_incomplete_and_has_no_name() {
    for by in ALL {
        let run = Run::new(Story::CutsData, by);
        run.get().is_failure(6, &["not complete", "--continue"]);
        assert!(!run.path("file").exists(), "{by:?}");
        assert!(run.path("file.part").exists(), "{by:?}");
    }
}

#[test]
fn what_the_server_does_not_call_whole_is_not_whole() {
    for story in [Story::SaysNotWhole, Story::SaysNothing] {
        for by in ALL {
            let run = Run::new(story, by);
            run.get().is_failure(6, &["the transfer is not"]);
            assert!(!run.path("file").exists(), "{story:?} {by:?}");
        }
    }
}

#[test]
fn an_upload_that_the_server_does_not_confirm_is_not_done() {
    for story in [Story::SaysNotWhole, Story::SaysNothing] {
        let run = Run::new(story, By::Nothing);
        fs::write(run.path("file"), CONTENT).unwrap();
        run.safetp(&["put", "file", &run.url()]).run().is_failure(6, &["the transfer is not"]);
    }
}

#[test]
fn data_that_was_changed_on_its_way_is_seen() {
    for by in PROTECTED {
        let run = Run::new(Story::FlipsData, by);
        run.get().is_failure(4, &["changed on its way"]);
        assert!(!run.path("file").exists(), "{by:?}");
    }
    let run = Run::new(Story::RepeatsData, By::SafeTp1);
    run.get().is_failure(4, &["behind the end of the file"]);
    assert!(!run.path("file").exists());
}

#[test]
fn replies_that_were_changed_or_are_in_the_clear_are_not_believed() {
    let run = Run::new(Story::RepliesInTheClear, By::SafeTp1);
    run.get().is_failure(4, &["in the clear"]);
    let run = Run::new(Story::FlipsReply, By::SafeTp1);
    run.get().is_failure(4, &["does not verify"]);
}

#[test]
fn a_reply_in_the_clear_behind_234_is_not_read_as_protected() {
    let run = Run::new(Story::InjectsBehind234, By::Tls);
    run.get().is_failure(4, &["in the clear behind AUTH TLS"]);
}

#[test]
fn a_refused_mechanism_is_not_replaced_and_nothing_goes_in_the_clear() {
    let run = Run::new(Story::RefusesTls, By::Tls);
    let outcome = Program::new(run.home.path(), &["get", &run.url()])
        .arg("--ca")
        .arg(run.liar.ca_file())
        .env("SAFETP_PASSWORD", "secret")
        .run();
    outcome.is_failure(4, &["does not offer TLS", "504"]);
    assert_eq!(run.liar.heard(), ["FEAT", "AUTH TLS"]);
}

#[test]
fn the_address_in_pasvs_reply_is_not_dialled() {
    let run = Run::new(Story::PointsElsewhere, By::Tls);
    run.get().is_done();
    assert_eq!(fs::read(run.path("file")).unwrap(), CONTENT);
}

#[test]
fn what_is_no_ftp_server_is_told_from_one_that_is_gone() {
    Run::new(Story::AnotherProtocol, By::Tls).get().is_failure(3, &["no reply of an FTP server", "Check the port"]);
}

#[test]
fn clear_text_is_spoken_where_it_was_asked_for_in_so_many_words() {
    let run = Run::new(Story::Honest, By::Nothing);
    run.get().is_done();
    assert!(run.liar.heard().iter().all(|line| !line.starts_with("AUTH")));
    assert!(Path::new(&run.path("file")).exists());
}
