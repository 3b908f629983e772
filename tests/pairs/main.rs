//! Random pairs of files, A and B: where A is up and B is applied, the host is the same as where B was brought up. As values, on
//! this machine's kernel with the embedded WireGuard where it has none, and in the virtual machine with the kernel's.
//!
//! A failed test says which pair it was; `WGQ_SEED` has the kernels try the pairs of an earlier run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

#[path = "../configs/mod.rs"]
mod configs;
mod hosts;
mod kernel;
#[path = "../model/mod.rs"]
mod model;
mod owners;
#[path = "../script/mod.rs"]
mod script;
#[path = "../seed/mod.rs"]
mod seed;
mod tunnel;
mod values;
