//! The clients and the state that all reconciles share.

use kube::{
    Client,
    runtime::events::{Recorder, Reporter},
};

use crate::{
    images::Images, metrics::Metrics, names::FIELD_MANAGER, registry::Registry, server::Prober,
    signing_keys::KeyGenerator,
};

/// Passed to every reconcile.
pub struct Context {
    pub client: Client,
    pub images: Images,
    pub registry: Registry,
    pub metrics: Metrics,
    pub recorder: Recorder,
    pub key_generator: KeyGenerator,
    pub prober: Prober,
}

impl Context {
    pub fn new(client: Client, images: Images, registry: Registry, metrics: Metrics) -> Self {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: None };
        let recorder = Recorder::new(client.clone(), reporter);
        Self {
            client,
            images,
            registry,
            metrics,
            recorder,
            key_generator: KeyGenerator::default(),
            prober: Prober::default(),
        }
    }
}
