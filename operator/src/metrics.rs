//! The operator's metrics, for Prometheus.

use std::{sync::Arc, time::Instant};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    controller: &'static str,
    /// `ok`, or the name of the error's variant.
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

/// All metrics. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<Outcome, Counter>,
    seconds: Family<Controller, Histogram>,
    leading: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("safetp_operator");
        let reconciles = Family::default();
        let seconds = Family::new_with_constructor(seconds as fn() -> Histogram);
        let leading = Gauge::default();
        registry.register("reconciles", "Reconciles by controller and result", reconciles.clone());
        registry.register("reconcile_seconds", "Duration of reconciles by controller, in seconds", seconds.clone());
        registry.register("leading", "1 while this process is the leader, else 0", leading.clone());
        Self { registry: Arc::new(registry), reconciles, seconds, leading }
    }
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 13))
}

impl Metrics {
    /// Starts the timer of one reconcile.
    pub fn start(&self, controller: &'static str) -> Timer {
        Timer { metrics: self.clone(), controller, begin: Instant::now() }
    }

    pub fn set_leading(&self, leading: bool) {
        self.leading.set(i64::from(leading));
    }

    /// Encodes all metrics in the text format of Prometheus.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The timer of one reconcile.
pub struct Timer {
    metrics: Metrics,
    controller: &'static str,
    begin: Instant,
}

impl Timer {
    /// Records the duration and the result: `ok`, or the named error.
    pub fn stop(self, error: Option<&'static str>) {
        let Self { metrics, controller, begin } = self;
        metrics.seconds.get_or_create(&Controller { controller }).observe(begin.elapsed().as_secs_f64());
        metrics.reconciles.get_or_create(&Outcome { controller, result: error.unwrap_or("ok") }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_by_their_name() {
        let metrics = Metrics::default();
        metrics.start("server").stop(None);
        metrics.start("server").stop(Some("gather"));
        let text = metrics.encode().unwrap();
        let line = "safetp_operator_reconciles_total{controller=\"server\",result=\"gather\"} 1";
        assert!(text.contains(line), "{text}");
    }

    /// The page's row of each metric: the name of its first sample, that sample's labels, and the help text.
    fn rows(text: &str) -> Vec<String> {
        let mut help = None;
        let mut rows = Vec::new();
        for line in text.lines() {
            if let Some(described) = line.strip_prefix("# HELP ") {
                help = described.split_once(' ').map(|(_, help)| help);
            } else if let Some(help) = help.take_if(|_| !line.starts_with('#')) {
                let sample = line.split(' ').next().unwrap();
                let (name, labels) = sample.trim_end_matches('}').split_once('{').unwrap_or((sample, ""));
                let labels = labels.split(',').filter_map(|label| Some(format!("`{}`", label.split_once('=')?.0)));
                let labels = labels.collect::<Vec<_>>().join(", ");
                rows.push(format!("| `{}` | {labels} | {help} |", name.trim_end_matches("_sum")));
            }
        }
        rows
    }

    #[test]
    fn the_reference_page_lists_every_metric() {
        let metrics = Metrics::default();
        metrics.start("server").stop(None);
        let rows = rows(&metrics.encode().unwrap());
        let page = include_str!("../../docs/reference/metrics.md");
        let listed: Vec<_> = page.lines().filter(|line| line.starts_with("| `safetp_operator_")).collect();
        assert_eq!(listed, rows, "\n{}", rows.join("\n"));
    }
}
