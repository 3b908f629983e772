//! The files that are made from the code and kept in the tree: the man page and the completions. They must be up to date, and good.
//!
//! `WGQ_BLESS=1 cargo test --test generated` writes them anew.
#![cfg(feature = "userspace")] // they describe the whole program
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

#[path = "generated/completions.rs"]
mod completions;
#[path = "generated/manual.rs"]
mod manual;
#[path = "generated/shells.rs"]
mod shells;

use std::path::Path;
use std::{env, fs};

use clap::{Command, CommandFactory};
use wgq::cli::Cli;

/// The command line without what is not for people.
fn command() -> Command {
    shown(&Cli::command())
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .subcommand_value_name("command")
        .disable_help_subcommand(true)
}

/// A command without its hidden options and subcommands; clap's completions would show them.
fn shown(command: &Command) -> Command {
    let arguments = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set());
    let subcommands = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let mut only = Command::new(&*command.get_name().to_owned().leak())
        .args(arguments.cloned())
        .subcommands(subcommands.map(shown));
    if let Some(about) = command.get_about() {
        only = only.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        only = only.long_about(about.clone());
    }
    only
}

/// Holds a file of the tree to what it should be, or makes it so.
fn is_up_to_date(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("WGQ_BLESS").is_some() {
        fs::write(&file, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    assert!(
        found == wanted,
        "{path}:{}: not up to date: run `WGQ_BLESS=1 cargo test --test generated`",
        1 + differs.unwrap_or_else(|| found.lines().count().min(wanted.lines().count()))
    );
}
