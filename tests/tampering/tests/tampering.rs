//! Hundreds of cases of tampering, all from fixed seeds, on several pods at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

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
    case::{self, Case},
    lane::Lane,
    verdict::Judgement,
};

/// Most cases wait for somebody's patience to end, so that there can be more of them at once than processors.
const LANES: usize = 8;
const PROGRESS: usize = 50;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn whatever_is_tampered_with_nobody_is_deceived() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
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
        if done % PROGRESS == 0 {
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
        Err(_) => cases,
    }
}

fn run(cases: &[Case]) -> Report {
    let begun = Instant::now();
    let report = Report::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(cases.len()) {
            scope.spawn(|| {
                let mut lane = Lane::new(Path::new(env!("CARGO_BIN_EXE_client-under-test")));
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    report.note(case, lane.run(case));
                }
            });
        }
    });
    println!("{} cases in {:.1} s", cases.len(), begun.elapsed().as_secs_f32());
    report
}
