//! Hundreds of cases of tampering, all from fixed seeds, on several pods at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use safetp_tampering::{
    case::{self, Case, Protection, Scenario, Task},
    lane::{Lane, Profiles},
    operation::{Operation, Tampering},
    verdict::Judgement,
};

/// Lanes at once: more than processors, since most cases wait for a timeout.
const LANES: usize = 20;
const PROGRESS: usize = 50;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn no_tampering_deceives_the_client_or_the_gateway() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // A thread of the gateway, the ftpd or the proxy; threads of tests have names of their own.
        if std::thread::current().name() == Some("tokio-rt-worker") {
            PANICS.fetch_add(1, Ordering::Relaxed);
        }
        usual(panic);
    }));
    let cases = chosen(case::all());
    let report = run(&cases);
    report.print();
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "the gateway or the ftpd has panicked");
    let failures = report.failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

#[test]
fn without_data_protection_the_judge_finds_the_deception() {
    let profiles = Profiles::default();
    let mut lane = lane(&profiles);
    // A download that is too short would be detected even so, by SIZE.
    let deceits = [
        (Task::Put, Operation::FlipBody),
        (Task::Put, Operation::Drop),
        (Task::Put, Operation::Duplicate),
        (Task::Get, Operation::FlipBody),
    ];
    for (task, operation) in deceits {
        let scenario = Scenario { protection: Protection::Clear, task, is_second: false };
        let tampering = Tampering { stream: scenario.file_stream(), index: 0, operation, seed: 0 };
        let error = lane.run_tampering(scenario, &tampering).unwrap_err();
        assert!(error.contains("neither the old one nor the new one"), "{error}");
    }
}

#[test]
fn there_are_hundreds_of_cases_and_each_has_its_seed() {
    let cases = case::all();
    assert!(cases.len() >= 400, "{}", cases.len());
    assert!(cases.iter().enumerate().all(|(index, case)| case.seed == index as u64));
}

#[derive(Default)]
struct Report {
    done: AtomicUsize,
    judgements: Mutex<BTreeMap<String, usize>>,
    failures: Mutex<Vec<String>>,
}

impl Report {
    fn note(&self, case: &Case, result: Result<Judgement, String>) {
        match result {
            Ok(judgement) => *self.judgements.lock().unwrap().entry(format!("{judgement:?}")).or_default() += 1,
            Err(error) => {
                let text = format!("TAMPER_SEED={} {:?}: {error}", case.seed, case.scenario);
                println!("{text}");
                self.failures.lock().unwrap().push(text);
            }
        }
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(PROGRESS) {
            println!("{done} cases");
        }
    }

    fn print(&self) {
        for (judgement, count) in &*self.judgements.lock().unwrap() {
            println!("{count:5} {judgement}");
        }
    }
}

/// All, or the one that `TAMPER_SEED` names.
fn chosen(cases: Vec<Case>) -> Vec<Case> {
    match std::env::var("TAMPER_SEED") {
        Ok(seed) => cases.into_iter().filter(|case| case.seed.to_string() == seed).collect(),
        Err(_) => longest_first(cases),
    }
}

/// Cases that withhold something take until a timeout, in a TLS handshake 30 s.
fn longest_first(mut cases: Vec<Case>) -> Vec<Case> {
    cases.sort_by_key(|case| (case.operation != Operation::Stall, case.seed));
    cases
}

fn run(cases: &[Case]) -> Report {
    let begun = Instant::now();
    let report = Report::default();
    let next = AtomicUsize::new(0);
    let profiles = Profiles::default();
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(cases.len()) {
            scope.spawn(|| {
                let mut lane = lane(&profiles);
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    report.note(case, lane.run(case));
                }
            });
        }
    });
    println!("{} cases in {:.1} s", cases.len(), begun.elapsed().as_secs_f32());
    report
}

fn lane(profiles: &Profiles) -> Lane<'_> {
    Lane::new(Path::new(env!("CARGO_BIN_EXE_client-under-test")), profiles)
}
