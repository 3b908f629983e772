//! Tests in a virtual machine with a real `WireGuard` kernel (see README.md in this folder).
//!
//! Where there is no such machine they fail, and say what to install; nothing is skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod differences;
mod firewall;
#[allow(dead_code, reason = "tests/packets needs more of it")]
mod machine;
mod oracle;
mod scenarios;
mod selftest;
mod state;
mod systemd;
