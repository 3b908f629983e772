//! The guide to a server of one's own, end to end: from nothing to a phone and a laptop that are connected, with real packets
//! between namespaces, the phone's file brought up by wgq and the laptop's by wg-quick; `kernel` does it once more in the
//! virtual machine.
//!
//! Needs root, or a user namespace in which one is root, and what tests/install and tests/vm/install install.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod kernel;
#[path = "../script/mod.rs"]
mod script;

#[test]
fn from_nothing_to_a_phone_that_is_connected() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guide");
    let (world, guide) = (include_str!("world.sh"), include_str!("guide.sh"));
    script::host(&format!("folder='{folder}'\n{world}\n{guide}"));
}
