//! What the programs do alike, written once.

pub mod volume;
