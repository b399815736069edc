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
}
