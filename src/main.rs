//! The edge: reads the arguments, runs the command, says the error, chooses the exit code.

use std::process::ExitCode;

use clap::Parser;
use wgq::cli::Cli;
use wgq::commands;
use wgq::report::{Report, Verbosity};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let verbosity = match (cli.global.quiet, cli.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    };
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let report = Report::new(verbosity, cli.global.color, no_color);
    match commands::run(cli, report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.tell(&report);
            ExitCode::from(error.exit_code())
        }
    }
}
