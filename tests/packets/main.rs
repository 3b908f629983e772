//! The keys of the firewall with real packets: who reaches whom, with which source address, before, during and after. Each
//! test is a script on a host in namespaces of its own; `kernel` runs them once more, in the virtual machine.
//!
//! Needs root, or a user namespace in which one is root, and what tests/install and tests/vm/install install.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod apply;
mod client;
mod firewalls;
mod forwarding;
mod kernel;
mod negatives;
mod recipes;
#[path = "../script/mod.rs"]
mod script;
