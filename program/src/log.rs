//! The log: one line for each event, on stderr, as text or as JSON.

use std::io::{self, IsTerminal as _};

use tracing::Dispatch;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt as _};

/// Arguments of a program about its log.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Events to log: error, warn, info, debug or trace, also per module (MODULE=LEVEL,...).
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info", global = true)]
    pub log_filter: String,
    /// Log as JSON, one object on each line.
    #[arg(long, env = "SAFETP_LOG_JSON", global = true)]
    pub log_json: bool,
}

impl LogArgs {
    /// Starts the log of this process. Called once, before anything else is done.
    pub fn start(&self) {
        let parsed = EnvFilter::try_new(&self.log_filter);
        let problem = parsed.as_ref().err().map(ToString::to_string);
        let filter = parsed.unwrap_or_else(|_| EnvFilter::new("info"));
        dispatch(filter, self.log_json, io::stderr().is_terminal(), io::stderr).init();
        if let Some(problem) = problem {
            tracing::warn!(filter = self.log_filter, problem, "the log filter cannot be used; info is logged");
        }
    }
}

fn dispatch<W>(filter: EnvFilter, json: bool, colours: bool, writer: W) -> Dispatch
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colours);
    if json { log.json().finish().into() } else { log.finish().into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test an error is a failure")]

    use std::sync::{Arc, Mutex};

    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        log: LogArgs,
    }

    /// What a program that was started so writes of one event.
    fn logged(arguments: &[&str], event: impl FnOnce()) -> String {
        let LogArgs { log_filter, log_json } = Program::parse_from([&["program"], arguments].concat()).log;
        let written = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&written);
        let writer = move || Writer(Arc::clone(&writer));
        tracing::dispatcher::with_default(&dispatch(EnvFilter::new(log_filter), log_json, false, writer), event);
        String::from_utf8(written.lock().unwrap().clone()).unwrap()
    }

    struct Writer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Writer {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_a_line_of_text_or_a_json_object() {
        let text = logged(&["--log-filter", "info"], || tracing::info!(port = 21, "serving"));
        assert!(text.contains(" INFO ") && text.ends_with("serving port=21\n"), "{text:?}");
        let json = logged(&["--log-filter", "info", "--log-json"], || tracing::info!(port = 21, "serving"));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&json["level"], &json["fields"]["message"], &json["fields"]["port"]),
            (&"INFO".into(), &"serving".into(), &21.into())
        );
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        assert_eq!(logged(&["--log-filter", "warn"], || tracing::info!("serving")), "");
        assert_ne!(logged(&["--log-filter", "warn,safetp_program=info"], || tracing::info!("serving")), "");
    }
}
