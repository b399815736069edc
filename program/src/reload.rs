//! Settings that are replaced while a program runs. New ones that cannot be used leave the former active.

use std::{
    fmt::Display,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// The active settings of a program, and their replacement.
#[derive(Debug)]
pub struct Reloadable<T> {
    active: watch::Sender<Arc<T>>,
    /// Reason for which the last reload kept the former settings. Held during a reload: of two at once, the one that
    /// read older files could be the last to replace the settings.
    problem: Mutex<Option<String>>,
}

/// The outcome of a reload.
#[derive(Debug, PartialEq, Eq)]
pub enum Reload<T> {
    /// Nothing is new: neither the settings nor what is wrong with them.
    Unchanged,
    /// These settings are active now.
    Replaced(Arc<T>),
    /// The new settings cannot be used, for this reason; the former stay active.
    Kept(String),
}

impl<T> Reloadable<T> {
    /// Makes `first` the active settings.
    pub fn new(first: T) -> Self {
        Self { active: watch::Sender::new(Arc::new(first)), problem: Mutex::default() }
    }

    /// The settings that are active now.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.active.borrow())
    }

    /// The active settings, now and after every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<T>> {
        self.active.subscribe()
    }

    /// Activates what `load` returns; it gets the active settings and returns `None` where they are still the newest.
    /// An error is logged, once until it changes, and leaves the former settings active.
    pub fn reload<E: Display>(&self, load: impl FnOnce(&T) -> Result<Option<T>, E>) -> Reload<T> {
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        match load(&self.current()) {
            Ok(None) => {
                *problem = None;
                Reload::Unchanged
            }
            Ok(Some(new)) => {
                *problem = None;
                self.replace(new);
                Reload::Replaced(self.current())
            }
            Err(error) if problem.as_deref() == Some(&*error.to_string()) => Reload::Unchanged,
            Err(error) => {
                tracing::error!(%error, "the new settings cannot be used; the former ones stay active");
                Reload::Kept(problem.insert(error.to_string()).clone())
            }
        }
    }

    /// Makes `settings` the active ones.
    pub fn replace(&self, settings: T) {
        self.active.send_replace(Arc::new(settings));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reload(settings: &Reloadable<u32>, files: Result<u32, &str>) -> Reload<u32> {
        settings.reload(|active| files.map(|new| Some(new).filter(|new| new != active)))
    }

    #[test]
    fn settings_that_cannot_be_used_leave_the_former_active_and_say_so_once() {
        let settings = Reloadable::new(1);
        let mut subscribed = settings.subscribe();
        assert_eq!(reload(&settings, Err("no JSON")), Reload::Kept("no JSON".into()));
        assert_eq!(reload(&settings, Err("no JSON")), Reload::Unchanged);
        assert_eq!(reload(&settings, Err("no certificate")), Reload::Kept("no certificate".into()));
        assert_eq!((*settings.current(), subscribed.has_changed().ok()), (1, Some(false)));
        assert_eq!(reload(&settings, Ok(2)), Reload::Replaced(Arc::new(2)));
        assert_eq!((*settings.current(), **subscribed.borrow_and_update()), (2, 2));
        assert_eq!(reload(&settings, Ok(2)), Reload::Unchanged);
        assert_eq!(reload(&settings, Err("no certificate")), Reload::Kept("no certificate".into()), "said again");
    }
}
