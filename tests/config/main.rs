//! The config file: what is taken, what is told, what is written; beside wg(8) and wg-quick(8).

#![expect(
    clippy::disallowed_methods,
    reason = "tests read their own files and start the programs that they compare with"
)]

mod agrees_with_wg;
mod diagnostics;
mod properties;
mod save;
mod texts;
mod uapi;
