//! What every reconcile gets.

use kube::{
    Client,
    runtime::events::{Recorder, Reporter},
};

use crate::{
    images::Images, metrics::Metrics, names::FIELD_MANAGER, registry::Registry, server::Prober, signing_keys::KeyMaker,
};

/// Shared by all reconciles.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// What pods run.
    pub images: Images,
    /// What is known beyond the cluster.
    pub registry: Registry,
    /// Counters.
    pub metrics: Metrics,
    /// Events.
    pub recorder: Recorder,
    /// Makes DSA keys.
    pub key_maker: KeyMaker,
    /// Asks pods.
    pub prober: Prober,
}

impl Context {
    /// A context for `client`.
    pub fn new(client: Client, images: Images, registry: Registry, metrics: Metrics) -> Self {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: None };
        let recorder = Recorder::new(client.clone(), reporter);
        Self { client, images, registry, metrics, recorder, key_maker: KeyMaker::default(), prober: Prober::default() }
    }
}
