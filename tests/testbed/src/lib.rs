//! A real Kubernetes on one bare machine: etcd, API server, controller manager, scheduler, two nodes with containerd
//! and runc, kube-proxy, MetalLB and volumes, in network namespaces of its own, all built from source.

mod cgroups;
mod cleanup;
mod command;
mod control_plane;
mod credentials;
mod error;
pub mod forward;
mod hosts;
mod images;
mod kubectl;
mod layout;
mod metallb;
mod network;
mod node;
mod packages;
mod processes;
mod programs;
mod progress;
mod registry;
mod storage;
mod testbed;

pub use crate::{
    error::{Error, Result},
    hosts::Host,
    images::BUSYBOX,
    layout::Layout,
    progress::{complain, say, seconds, step},
    testbed::Testbed,
};
