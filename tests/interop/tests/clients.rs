//! Clients that people have, in every case that each can be configured for: ten data connections in one session.

use safetp_config::gateway::{DataBinding, Mechanism};
use safetp_pod::{Completed, Program, USER};

use crate::{
    case::{BINDINGS, Case, End, Outcome, Passive, Protection},
    page,
    stage::{Stage, TRANSFERS},
};

mod curl;
mod ftplib;
pub(crate) mod go;
mod java;
mod lftp;
mod node;
mod perl;
mod ruby;
pub(crate) mod safetp;
pub(crate) mod safetp1;

/// A client, and how it is configured for a case.
pub(crate) struct Client {
    /// As in the page.
    name: &'static str,
    protections: &'static [Protection],
    /// Whether data connections can resume the control connection's TLS session, as far as it can be configured.
    reuses: &'static [bool],
    passives: &'static [Passive],
    /// Whether uploads always end with `close_notify`. Those of one that does not are excused from it.
    closes_uploads: bool,
    /// A run that verifies the certificate, writes its replies to standard error and its listings to standard output.
    program: fn(&Stage, Case) -> Program,
    /// The remark on the page.
    remark: fn(Protection, bool) -> &'static str,
}

const TLS: &[Protection] = &[Protection::Tls12, Protection::Tls13];
const BOTH_PASSIVES: &[Passive] = &[Passive::Epsv, Passive::Pasv];

#[test]
fn curl_does_what_the_page_says() {
    curl::CLIENT.check();
}

#[test]
fn lftp_does_what_the_page_says() {
    lftp::CLIENT.check();
}

#[test]
fn pythons_ftplib_does_what_the_page_says() {
    ftplib::CLIENT.check();
}

#[test]
fn apache_commons_net_does_what_the_page_says() {
    java::CLIENT.check();
}

#[test]
fn jlaffaye_ftp_does_what_the_page_says() {
    go::CLIENT.check();
}

#[test]
fn basic_ftp_does_what_the_page_says() {
    node::CLIENT.check();
}

#[test]
fn perls_net_ftp_does_what_the_page_says() {
    perl::CLIENT.check();
}

#[test]
fn rubys_net_ftp_does_what_the_page_says() {
    ruby::CLIENT.check();
}

#[test]
fn our_own_client_does_what_the_page_says() {
    safetp::CLIENT.check();
}

#[test]
fn the_second_implementation_of_x_safetp1_does_what_the_page_says() {
    safetp1::CLIENT.check();
}

#[test]
fn no_client_logs_in_where_the_certificate_is_not_the_one_it_trusts() {
    let case = Case { protection: Protection::Tls13, reuse: true, passive: Passive::Pasv };
    let others = [curl::CLIENT, lftp::CLIENT, ftplib::CLIENT, java::CLIENT, go::CLIENT];
    for client in others.into_iter().chain([node::CLIENT, perl::CLIENT, ruby::CLIENT, safetp::CLIENT]) {
        let stage = Stage::new(Mechanism::Tls, DataBinding::WhenOffered);
        let other = Stage::new(Mechanism::Tls, DataBinding::WhenOffered);
        std::fs::copy(other.pod.ca_file(), stage.pod.ca_file()).unwrap();
        let run = (client.program)(&stage, case).run();
        assert!(!run.is_success(), "{}\n{}", client.name, run.err);
        assert_eq!(stage.logins(), 0, "{}\n{}", client.name, run.err);
        assert_eq!(stage.pod.metric("safetp_gateway_logins_total{result=\"refused\"}"), 0, "{}", client.name);
    }
}

impl Client {
    /// One run, whatever its outcome.
    pub(crate) fn run_once(&self, stage: &Stage, case: Case) -> Completed {
        (self.program)(stage, case).run()
    }

    fn check(&self) {
        page::SESSIONS.check(self.name, &self.rows());
    }

    /// All cases at once: most of their time is the client's waiting.
    fn rows(&self) -> Vec<String> {
        std::thread::scope(|scope| {
            let cases =
                self.protections.iter().flat_map(|protection| self.reuses.iter().map(move |reuse| (protection, reuse)));
            let rows: Vec<_> = cases.map(|(protection, reuse)| scope.spawn(|| self.row(*protection, *reuse))).collect();
            rows.into_iter().map(|row| row.join().unwrap()).collect()
        })
    }

    fn row(&self, protection: Protection, reuse: bool) -> String {
        let [offered, required] = std::thread::scope(|scope| {
            let outcomes = BINDINGS.map(|binding| scope.spawn(move || self.outcome(binding, protection, reuse)));
            outcomes.map(|outcome| outcome.join().unwrap())
        });
        assert_eq!(offered.end, End::Done, "{} {protection}: WhenOffered must work for every client", self.name);
        let reused = match (protection, self.reuses) {
            (Protection::SafeTp1, _) => "-",
            (_, [_]) => "always",
            _ if reuse => "yes",
            _ => "no",
        };
        let passives: Vec<_> = self.passives.iter().map(ToString::to_string).collect();
        let (name, passives, remark) = (self.name, passives.join(", "), (self.remark)(protection, reuse));
        format!("| {name} | {protection} | {reused} | {passives} | {offered} | {required} | {remark} |")
            .replace("  |", " |")
    }

    /// The outcome, which must be the same for PASV and EPSV.
    fn outcome(&self, binding: DataBinding, protection: Protection, reuse: bool) -> Outcome {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let cases = self.passives.iter().map(|&passive| Case { protection, reuse, passive });
            let runs: Vec<_> = cases.map(|case| scope.spawn(move || self.run(binding, case))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert!(outcomes.iter().all(|other| *other == outcomes[0]), "{protection} {reuse} {binding:?}: {outcomes:?}");
        outcomes[0]
    }

    fn run(&self, binding: DataBinding, case: Case) -> Outcome {
        let stage = Stage::with(|config| {
            config.security.mechanisms = vec![case.protection.mechanism()];
            config.security.data_binding = binding;
            config.uploads.logins = [(USER.to_owned(), self.closes_uploads)].into();
        });
        let run = self.run_once(&stage, case);
        let outcome = stage.outcome(&run);
        stage.assert_nothing_cut(&run);
        if outcome.end == End::Done {
            stage.assert_whole(case, &run);
            assert_eq!(outcome.transfers, TRANSFERS, "{case:?}\n{}", run.err);
        } else {
            assert!(!run.is_success(), "a refusal that the client did not report: {case:?}\n{}", run.err);
        }
        outcome
    }
}

fn no_remark(_: Protection, _: bool) -> &'static str {
    ""
}
