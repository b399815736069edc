//! Servers that lie, and networks that cut and change: nothing false is believed, nothing incomplete is called
//! complete.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::support::{
    liar::{By, CONTENT, Liar, Story},
    program,
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

    fn safetp(&self, args: &[&str]) -> safetp_pod::Program {
        let mut program = program::safetp(self.home.path(), args);
        program.arg("--ca").arg(self.liar.ca_file()).arg("--accept-new-key").env("SAFETP_PASSWORD", "secret");
        match self.by {
            By::Nothing => program.arg("--insecure-clear-text"),
            By::Tls => program.args(["--mechanism", "tls"]),
            By::SafeTp1 => program.args(["--mechanism", "x-safetp1", "--pbsz", "64"]),
        };
        program
    }

    fn url(&self) -> String {
        format!("safetp://alice@127.0.0.1:{}/file", self.liar.port)
    }

    fn get(&self) -> safetp_pod::Completed {
        self.safetp(&["get", &self.url()]).run()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }
}

const ALL: [By; 3] = [By::Nothing, By::Tls, By::SafeTp1];
const PROTECTED: [By; 2] = [By::Tls, By::SafeTp1];

#[test]
fn an_honest_server_delivers_the_file() {
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
fn a_download_without_226_is_incomplete() {
    for story in [Story::SaysNotWhole, Story::SaysNothing] {
        for by in ALL {
            let run = Run::new(story, by);
            run.get().is_failure(6, &["the transfer is not"]);
            assert!(!run.path("file").exists(), "{story:?} {by:?}");
        }
    }
}

#[test]
fn an_upload_without_226_is_incomplete() {
    for story in [Story::SaysNotWhole, Story::SaysNothing] {
        let run = Run::new(story, By::Nothing);
        fs::write(run.path("file"), CONTENT).unwrap();
        run.safetp(&["put", "file", &run.url()]).run().is_failure(6, &["the transfer is not"]);
    }
}

#[test]
fn changed_data_is_detected() {
    for by in PROTECTED {
        let run = Run::new(Story::FlipsData, by);
        run.get().is_failure(4, &["changed in transit"]);
        assert!(!run.path("file").exists(), "{by:?}");
    }
    let run = Run::new(Story::RepeatsData, By::SafeTp1);
    run.get().is_failure(4, &["after the end of the file"]);
    assert!(!run.path("file").exists());
}

#[test]
fn a_reset_or_silence_after_the_verified_end_changes_nothing() {
    for story in [Story::ResetsAfterEnd, Story::SilentAfterEnd] {
        let run = Run::new(story, By::SafeTp1);
        let begun = Instant::now();
        run.safetp(&["get", &run.url(), "--timeout", "30"]).run().is_done();
        assert_eq!(fs::read(run.path("file")).unwrap(), CONTENT, "{story:?}");
        let listing = run.safetp(&["ls", &run.url(), "--timeout", "30"]).run();
        assert_eq!(listing.is_done().out.trim_ascii_end(), CONTENT, "{story:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{story:?}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_server_that_makes_blocks_larger_than_asked_gets_no_file() {
    let run = Run::new(Story::GrowsBlocks, By::SafeTp1);
    for size in ["64", "1000", "65536"] {
        let mut safetp = program::safetp(run.home.path(), &["get", &run.url(), "--pbsz", size, "--accept-new-key"]);
        let outcome = safetp.args(["--mechanism", "x-safetp1"]).env("SAFETP_PASSWORD", "secret").run();
        outcome.is_failure(4, &["does not protect data as requested", "PBSZ="]);
    }
    assert!(!run.liar.heard().iter().any(|line| line.starts_with("PROT")), "{:?}", run.liar.heard());
}

#[test]
fn an_endless_reply_is_an_error() {
    let run = Run::new(Story::NeverEnds, By::Nothing);
    run.get().is_failure(3, &["does not end"]);
}

#[test]
fn a_path_from_the_server_is_escaped_at_the_prompt() {
    let run = Run::new(Story::PaintsPath, By::Nothing);
    let outcome = run.safetp(&["shell", &format!("safetp://alice@127.0.0.1:{}/", run.liar.port)]).input(b"pwd\n").run();
    assert_eq!(outcome.is_done().text(), "/\\u{1b}[2Ja\\u{202e}b\n");
}

#[test]
fn get_does_not_resume_a_part_of_another_version() {
    let run = Run::new(Story::Honest, By::Nothing);
    let resume = |note: Option<String>| {
        fs::write(run.path("file.part"), &CONTENT[..10]).unwrap();
        let _ = fs::remove_file(run.path("file.part.source"));
        if let Some(note) = note {
            fs::write(run.path("file.part.source"), note).unwrap();
        }
        run.safetp(&["get", "-c", &run.url()]).run()
    };
    resume(None).is_failure(1, &["of which version", "without --continue"]);
    resume(Some(format!("{} -\n", CONTENT.len() + 1))).is_failure(1, &["has changed since"]);
    resume(Some(format!("{} 2026-01-01T00:00:00Z\n", CONTENT.len()))).is_failure(1, &["has changed since"]);
    let outcome = resume(Some(format!("{} -\n", CONTENT.len())));
    outcome.is_done();
    assert!(outcome.err.contains("cannot verify"), "{}", outcome.err);
    assert_eq!(fs::read(run.path("file")).unwrap(), CONTENT);
    assert!(!run.path("file.part.source").exists());
}

#[test]
fn get_compares_the_hash_where_the_server_has_one() {
    let run = Run::new(Story::Hashes, By::Nothing);
    fs::write(run.path("file.part"), b"something else").unwrap();
    run.safetp(&["get", "-c", &run.url()]).run().is_failure(1, &["begins with other octets"]);
    fs::write(run.path("file.part"), &CONTENT[..10]).unwrap();
    run.safetp(&["get", "-c", &run.url()]).run().is_done();
    assert_eq!(fs::read(run.path("file")).unwrap(), CONTENT);
    assert!(run.liar.heard().contains(&"REST 10".into()), "{:?}", run.liar.heard());
}

#[test]
fn put_resumes_only_after_the_beginning_of_the_same_file() {
    let same = [CONTENT, b" and a new end"].concat();
    let other = [b"another beginning", CONTENT].concat();
    for (story, content, remark, rest) in [
        (Story::Hashes, &same, None, true),
        (Story::Hashes, &other, Some("begins with other octets"), false),
        (Story::Honest, &same, Some("cannot verify"), true),
    ] {
        let run = Run::new(story, By::Nothing);
        fs::write(run.path("file"), content).unwrap();
        let outcome = run.safetp(&["put", "-c", "file", &run.url()]).run();
        assert_eq!(outcome.is_done().err.contains(remark.unwrap_or("safetp:")), remark.is_some(), "{}", outcome.err);
        let rest_is_sent = run.liar.heard().contains(&format!("REST {}", CONTENT.len()));
        assert_eq!(rest_is_sent, rest, "{story:?}: {:?}", run.liar.heard());
    }
}

#[test]
fn changed_replies_and_clear_replies_are_refused_under_x_safetp1() {
    let run = Run::new(Story::RepliesInTheClear, By::SafeTp1);
    run.get().is_failure(4, &["in the clear"]);
    let run = Run::new(Story::FlipsReply, By::SafeTp1);
    run.get().is_failure(4, &["does not verify"]);
}

#[test]
fn a_clear_reply_injected_after_234_is_refused() {
    let run = Run::new(Story::InjectsAfter234, By::Tls);
    run.get().is_failure(4, &["in the clear after AUTH TLS"]);
}

/// A run without `--mechanism`, in which new keys are accepted.
fn unasked(run: &Run) -> safetp_pod::Program {
    let mut program = program::safetp(run.home.path(), &["get", &run.url(), "--accept-new-key"]);
    program.arg("--ca").arg(run.liar.ca_file()).env("SAFETP_PASSWORD", "secret");
    program
}

/// Writes the file of known servers: these lines, with the server's name in front.
fn know(run: &Run, lines: &[&str]) {
    fs::create_dir_all(run.path(".config/safetp")).unwrap();
    let lines: Vec<_> = lines.iter().map(|line| format!("127.0.0.1:{} {line}\n", run.liar.port)).collect();
    fs::write(run.path(".config/safetp/known_servers"), lines.concat()).unwrap();
}

fn key() -> String {
    format!("x-safetp1 {}", safetp_pod::dsa_key().public_key().fingerprint())
}

#[test]
fn a_refused_mechanism_is_not_replaced_and_nothing_goes_in_the_clear() {
    let run = Run::new(Story::RefusesTls, By::Tls);
    unasked(&run).run().is_failure(4, &["does not offer TLS", "504", "--mechanism x-safetp1"]);
    assert_eq!(run.liar.heard(), ["AUTH TLS"]);
}

#[test]
fn a_feat_without_tls_causes_no_downgrade_to_x_safetp1() {
    let run = Run::new(Story::HidesTls, By::Tls);
    unasked(&run).run().is_done();
    assert!(!run.liar.heard().contains(&"AUTH X-SafeTP1".into()), "{:?}", run.liar.heard());
    // Even where a key is known: with this server it was TLS, and so it is.
    know(&run, &[&key(), "tls"]);
    unasked(&run).run().is_done();
    assert!(!run.liar.heard().contains(&"AUTH X-SafeTP1".into()), "{:?}", run.liar.heard());
}

#[test]
fn tls_that_was_taken_out_of_the_list_ends_the_session_before_a_name_is_sent() {
    let run = Run::new(Story::HidesTls, By::SafeTp1);
    know(&run, &[&key()]);
    unasked(&run).run().is_failure(4, &["its list in the clear had no TLS", "may be a man in the middle"]);
    assert!(!run.liar.heard().iter().any(|line| line.starts_with("USER")), "{:?}", run.liar.heard());
}

#[test]
fn a_server_that_used_tls_is_not_used_without_it() {
    let run = Run::new(Story::RefusesTls, By::SafeTp1);
    know(&run, &[&key(), "tls"]);
    unasked(&run).run().is_failure(4, &["used TLS before", "tls line"]);
    assert_eq!(run.liar.heard(), ["AUTH TLS"]);
}

#[test]
fn a_certificate_given_with_ca_is_trusted_for_its_names() {
    for story in [Story::IsItsOwnCa, Story::HasCommonName] {
        let run = Run::new(story, By::Tls);
        run.get().is_done();
        assert_eq!(fs::read(run.path("file")).unwrap(), CONTENT, "{story:?}");
    }
    Run::new(Story::HasAnotherName, By::Tls).get().is_failure(4, &["for another name"]);
}

#[test]
fn a_certificate_of_an_unknown_issuer_is_shown_but_not_stored_without_a_terminal() {
    for story in [Story::Honest, Story::IsItsOwnCa] {
        let run = Run::new(story, By::Tls);
        let another = Liar::start(Story::Honest, By::Tls);
        let mut safetp = program::safetp(run.home.path(), &["get", &run.url(), "--accept-new-key"]);
        safetp
            .env("SAFETP_PASSWORD", "secret")
            .env("SSL_CERT_FILE", another.ca_file())
            .env("SSL_CERT_DIR", run.path(""));
        let outcome = safetp.run();
        outcome.is_failure(4, &["no trusted CA has signed it", "it is for", "127.0.0.1", "SHA-256 ", "--ca FILE"]);
        assert!(!outcome.err.contains("Other"), "{}", outcome.err);
        assert_eq!(run.liar.heard(), ["AUTH TLS"]);
        assert!(!run.path(".config/safetp/known_servers").exists());
        // With other certificates given by --ca, no question is asked either.
        let mut safetp = program::safetp(run.home.path(), &["get", &run.url()]);
        let outcome = safetp.arg("--ca").arg(another.ca_file()).env("SAFETP_PASSWORD", "secret").run();
        assert_eq!(outcome.code, Some(4), "{}", outcome.err);
        assert!(!outcome.err.contains("Other("), "{}", outcome.err);
    }
}

#[test]
fn the_address_in_pasvs_reply_is_not_dialled() {
    let run = Run::new(Story::PointsElsewhere, By::Tls);
    run.get().is_done();
    assert_eq!(fs::read(run.path("file")).unwrap(), CONTENT);
}

#[test]
fn a_server_of_another_protocol_is_reported_as_such() {
    Run::new(Story::AnotherProtocol, By::Tls).get().is_failure(3, &["not a reply of an FTP server", "Check the port"]);
}

#[test]
fn clear_text_is_used_with_its_option() {
    let run = Run::new(Story::Honest, By::Nothing);
    run.get().is_done();
    assert!(run.liar.heard().iter().all(|line| !line.starts_with("AUTH")));
    assert!(Path::new(&run.path("file")).exists());
}
