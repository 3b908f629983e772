//! The config file: what is taken, what is told, what is written; beside wg(8) and wg-quick(8).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

mod agrees_with_wg;
mod diagnostics;
mod properties;
mod save;
mod texts;
mod uapi;
