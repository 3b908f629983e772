//! `wgq init`, `wgq peer` and `wgq endpoint` on hosts in network namespaces, with the embedded WireGuard where the kernel has
//! none: what they do to the file (byte for byte), to what runs, and to the clients' configs, and what is left when they fail.
//!
//! Needs root, or a user namespace in which one is root, and what tests/install installs.

#![allow(missing_docs, reason = "a test")]

mod adopted;
mod atomic;
mod beside;
mod changes;
mod endpoint;
mod expiry;
mod init;
mod names;
#[path = "../script/mod.rs"]
mod script;

/// Runs a script on a new host.
fn host(script: &str) {
    script::host(&format!("{}\n{script}", include_str!("book.sh")));
}
