//! The desk: logins wait here for their turn, which takes a thread and a token.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, oneshot};

use super::{
    budget::{Ahead, Budget, Paid},
    lines::{Line, Lines, Position},
    origin::Who,
    throttle::Throttle,
    verifier::{Check, Question, THREADS},
};

/// Why a password was not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("Too many logins are waiting; try again in a few seconds.")]
    Busy,
    #[error("Too many failed logins from your address or with this name; try again in {} s.", .0.as_secs() + 1)]
    Guesses(Duration),
}

#[derive(Debug)]
pub(super) struct Desk {
    throttle: Throttle,
    state: Mutex<State>,
    threads: Sender<Started>,
    /// Told when logins wait for nothing but tokens.
    out_of_tokens: Notify,
}

#[derive(Debug)]
struct State {
    budget: Budget,
    lines: Lines<Job>,
    free_threads: usize,
}

#[derive(Debug)]
struct Job {
    question: Question,
    answer: oneshot::Sender<bool>,
}

impl Desk {
    pub(super) fn new(throttle: Throttle, threads: Sender<Started>) -> Self {
        let state = State { budget: Budget::new(throttle), lines: Lines::default(), free_threads: THREADS };
        Self { throttle, state: Mutex::new(state), threads, out_of_tokens: Notify::new() }
    }

    /// Waits for a turn, then for the answer. Dropped before its turn, the login leaves the line.
    pub(super) async fn check(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        name: &str,
        question: Question,
    ) -> Result<bool, Refused> {
        let now = Instant::now();
        let deadline = now + self.throttle.wait;
        let (answer, mut answered) = oneshot::channel();
        let (who, place) = self.lock().join(address, name, Job { question, answer }, now, deadline)?;
        let waiting = Waiting { desk: self, place };
        self.dispatch();
        let answer = match tokio::time::timeout_at(deadline.into(), &mut answered).await {
            Ok(answer) => answer,
            Err(_) if waiting.leave() => return Err(self.lock().refusal(who, Instant::now())),
            // Its turn has come already.
            Err(_) => answered.await,
        };
        // Without an answer, it made way for another address.
        answer.map_err(|_| Refused::Busy)
    }

    /// Dispatches whenever a token has come that logins wait for. Runs for ever.
    pub(super) async fn keep_time(self: &Arc<Self>) {
        loop {
            let Some(ready) = self.lock().next_token(Instant::now()) else {
                self.out_of_tokens.notified().await;
                continue;
            };
            tokio::select! {
                () = tokio::time::sleep_until(ready.into()) => self.dispatch(),
                () = self.out_of_tokens.notified() => {}
            }
        }
    }

    /// Starts checks as long as there are threads, and logins with tokens.
    fn dispatch(self: &Arc<Self>) {
        // One at a time, since a turn that ends takes the lock.
        while let Some((who, paid, job)) = self.next() {
            let turn = Turn { desk: Arc::clone(self), who, paid, right: None };
            // It fails, and ends the turn, only if no thread is left.
            let _ = self.threads.send(Started { turn, job });
        }
    }

    fn next(&self) -> Option<(Who, Paid, Job)> {
        let mut state = self.lock();
        if state.free_threads == 0 || state.lines.is_empty() {
            return None;
        }
        let next = state.next(Instant::now());
        if next.is_none() {
            self.out_of_tokens.notify_one();
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Joins a line, unless no turn can come before the deadline.
    fn join(
        &mut self,
        address: Option<IpAddr>,
        name: &str,
        job: Job,
        now: Instant,
        deadline: Instant,
    ) -> Result<(Who, Position), Refused> {
        let who = self.budget.who(address, name);
        let line = if self.budget.is_known(who, now) { Line::Known } else { Line::Strangers };
        if self.budget.ready(who, Ahead::default(), now) > now {
            let ready = self.budget.ready(who, self.lines.ahead(line, who), now);
            if ready > deadline {
                return Err(Refused::Guesses(ready - now));
            }
        }
        self.lines.join(line, who, job).map(|place| (who, place)).ok_or(Refused::Busy)
    }

    fn next(&mut self, now: Instant) -> Option<(Who, Paid, Job)> {
        let Self { budget, lines, free_threads } = self;
        let (who, job) = lines.next(|who| budget.ready(who, Ahead::default(), now) <= now)?;
        *free_threads -= 1;
        Some((who, budget.take(who, now), job))
    }

    /// The next instant at which a login can be checked, if it is only tokens that are missing.
    fn next_token(&self, now: Instant) -> Option<Instant> {
        let ready = self.lines.iter().map(|who| self.budget.ready(who, Ahead::default(), now)).min();
        ready.filter(|_| self.free_threads > 0)
    }

    /// Why a turn did not come.
    fn refusal(&self, who: Who, now: Instant) -> Refused {
        match self.budget.ready(who, Ahead::default(), now) {
            ready if ready > now => Refused::Guesses(ready - now),
            _ => Refused::Busy,
        }
    }
}

/// A place in line that is given up when nobody waits for it any more.
struct Waiting<'desk> {
    desk: &'desk Desk,
    place: Position,
}

impl Waiting<'_> {
    /// Whether the turn had not come yet.
    fn leave(&self) -> bool {
        self.desk.lock().lines.leave(self.place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A turn: it holds a thread and a token, until dropped.
#[derive(Debug)]
struct Turn {
    desk: Arc<Desk>,
    who: Who,
    paid: Paid,
    /// Whether the password was right; none as long as it was not checked.
    right: Option<bool>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.desk.lock();
        state.free_threads += 1;
        if self.right != Some(false) {
            state.budget.give_back(self.who, self.paid);
        }
        if self.right == Some(true) {
            state.budget.remember(self.who, Instant::now());
        }
        drop(state);
        self.desk.dispatch();
    }
}

/// What a thread gets.
#[derive(Debug)]
pub(super) struct Started {
    turn: Turn,
    job: Job,
}

impl Check for Started {
    fn question(&self) -> &Question {
        &self.job.question
    }

    fn conclude(self, right: bool) {
        let Self { mut turn, job } = self;
        turn.right = Some(right);
        drop(turn);
        // Nobody waits for it if the client has gone meanwhile.
        let _ = job.answer.send(right);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::mpsc::{self, Receiver},
    };

    use tokio::task::JoinHandle;

    use super::*;
    use crate::login::bucket::Rate;

    const FOR_EVER: Duration = Duration::from_hours(1);
    const PLENTY: Rate = Rate { burst: 1000, interval: FOR_EVER };
    const NO_LIMIT: Throttle = Throttle { tries: 5, address: PLENTY, name: PLENTY, known: PLENTY, wait: FOR_EVER };

    /// A desk whose threads are the test: it gets what they would.
    fn desk(throttle: Throttle) -> (Arc<Desk>, Receiver<Started>) {
        let (threads, started) = mpsc::channel();
        (Arc::new(Desk::new(throttle, threads)), started)
    }

    /// A login that is in line, or has its turn, when this returns.
    async fn login(desk: &Arc<Desk>, address: u8, name: &str) -> JoinHandle<Result<bool, Refused>> {
        let (desk, name) = (Arc::clone(desk), name.to_owned());
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, address));
        let login = tokio::spawn(async move { desk.check(Some(address), &name, Question::new(None, b"")).await });
        // The test's only thread: the login runs until it waits.
        tokio::task::yield_now().await;
        login
    }

    /// Takes all threads; what is returned holds them.
    async fn occupied(desk: &Arc<Desk>, started: &Receiver<Started>) -> Vec<Started> {
        let mut held = Vec::new();
        for number in 0..THREADS {
            drop(login(desk, 0, &format!("first-{number}")).await);
            held.push(started.try_recv().unwrap());
        }
        held
    }

    #[tokio::test]
    async fn a_login_whose_client_has_gone_gets_no_turn_and_costs_no_token() {
        let one = Rate { burst: 1, interval: FOR_EVER };
        let (desk, started) = desk(Throttle { name: one, ..NO_LIMIT });
        let held = occupied(&desk, &started).await;
        for _ in 0..100 {
            let abandoned = login(&desk, 1, "alice").await;
            abandoned.abort();
            assert!(abandoned.await.unwrap_err().is_cancelled());
        }
        assert!(desk.lock().lines.is_empty());
        let alice = login(&desk, 1, "alice").await;
        drop(held);
        started.try_recv().unwrap().conclude(true);
        assert_eq!(alice.await.unwrap(), Ok(true));
    }

    #[tokio::test]
    async fn no_more_checks_run_than_there_are_threads() {
        let (desk, started) = desk(NO_LIMIT);
        let mut held = occupied(&desk, &started).await;
        let waiting = login(&desk, 1, "alice").await;
        assert!(started.try_recv().is_err());
        held.pop();
        started.try_recv().unwrap().conclude(false);
        assert_eq!(waiting.await.unwrap(), Ok(false));
    }

    #[tokio::test]
    async fn a_full_line_refuses_at_once_and_lets_another_address_in() {
        let (desk, started) = desk(NO_LIMIT);
        let _held = occupied(&desk, &started).await;
        let mut waiting = Vec::new();
        let refused = loop {
            let next = login(&desk, 1, "mallory").await;
            if next.is_finished() {
                break next;
            }
            waiting.push(next);
        };
        assert_eq!(refused.await.unwrap(), Err(Refused::Busy));
        assert!(!login(&desk, 2, "alice").await.is_finished());
        assert_eq!(waiting.pop().unwrap().await.unwrap(), Err(Refused::Busy), "its last made way");
    }

    #[tokio::test]
    async fn the_wait_for_a_turn_is_bounded() {
        let (desk, started) = desk(Throttle { wait: Duration::from_millis(20), ..NO_LIMIT });
        let _held = occupied(&desk, &started).await;
        assert_eq!(login(&desk, 1, "alice").await.await.unwrap(), Err(Refused::Busy));
        assert!(desk.lock().lines.is_empty());
    }

    #[tokio::test]
    async fn a_check_that_has_begun_is_waited_for_beyond_the_bound() {
        let (desk, started) = desk(Throttle { wait: Duration::from_millis(20), ..NO_LIMIT });
        let slow = login(&desk, 1, "alice").await;
        let turn = started.try_recv().unwrap();
        tokio::time::sleep(Duration::from_millis(40)).await; // longer than the bound, which must not matter
        turn.conclude(true);
        assert_eq!(slow.await.unwrap(), Ok(true));
    }

    #[tokio::test]
    async fn a_login_waits_for_a_token_that_comes_in_time_and_is_refused_where_none_can() {
        let soon = Rate { burst: 1, interval: Duration::from_millis(50) };
        let (desk, started) = desk(Throttle { address: soon, wait: Duration::from_millis(75), ..NO_LIMIT });
        let timing = tokio::spawn({
            let desk = Arc::clone(&desk);
            async move { desk.keep_time().await }
        });
        let _wrong = login(&desk, 1, "alice").await;
        started.try_recv().unwrap().conclude(false);
        let in_time = login(&desk, 1, "alice").await;
        assert!(started.try_recv().is_err());
        let too_late = login(&desk, 1, "alice").await;
        assert!(matches!(too_late.await.unwrap(), Err(Refused::Guesses(_))));
        while !in_time.is_finished() {
            if let Ok(started) = started.try_recv() {
                started.conclude(true);
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(in_time.await.unwrap(), Ok(true));
        timing.abort();
    }
}
