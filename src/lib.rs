//! The library behind the `wgq` command; it exists for the binary and the tests.
//!
//! ```text
//! wg0.conf --parse--> Config --resolve names--> Config
//!                                                 |
//! kernel --observe--> State (now) ----> desired(Config, now) = State (want)
//!                        |                        |
//!                        +--------- diff ---------+--> Vec<Step> --Display--> --dry-run, the [#] trace, errors, tests
//!                                                          |
//!                                        apply: execute each; on failure undo in reverse
//! ```
//!
//! `config`, `desired`, `diff`, `export`, `foreign`, `plan`, `qr`, `reresolve`, `status` and `step` are pure: values in, values out. What touches the machine is in `host`;
//! clippy holds to that by the list in .clippy.toml.

#![warn(clippy::disallowed_methods)]

pub mod allocate;
pub mod apply;
pub mod cli;
pub mod client;
pub mod columns;
pub mod commands;
pub mod config;
pub mod desired;
pub mod diff;
pub mod error;
pub mod export;
pub mod foreign;
mod hint;
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one folder that touches the machine"
)]
pub mod host;
pub mod kept;
pub mod key;
pub mod migrate;
pub mod net;
pub mod nft;
mod ours;
pub mod plan;
pub mod qr;
pub mod report;
pub mod reresolve;
#[expect(
    clippy::disallowed_methods,
    reason = "it makes machines of its own, and leaves this one alone"
)]
mod selftest;
pub mod setup;
pub mod state;
pub mod status;
pub mod step;
pub mod surroundings;
