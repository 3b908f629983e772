//! What several commands begin with.

use std::io::{self, Write};

use anyhow::Context;

use crate::config::{self, Config};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::names;
use crate::report::Report;
use crate::step::Step;

/// Refuses to go on for anyone but root.
pub(super) fn require_root(command: &str) -> Result<(), Error> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(
        Error::new(format_args!("`wgq {command}` must be run as root")).hint(format!(
            "`sudo wgq {command} ...`, or --dry-run to see what it would do"
        )),
    )
}

/// Reads and parses the target's file; all that is wrong with it is said at once.
pub(super) fn config(target: &Target, report: Report) -> Result<Config, Error> {
    parse(&read(target, report)?, target, report)
}

/// Reads the target's file, and says what is odd about the file itself.
pub(super) fn read(target: &Target, report: Report) -> Result<Vec<u8>, Error> {
    let text = target
        .read()
        .map_err(|error| Error::new(format_args!("{error:#}")).hint(target.hint.clone()))?;
    if let Some(hint) = &target.hint {
        report.hint(hint);
    }
    if target.is_world_accessible() {
        report.warning(format_args!(
            "`{}' is world accessible: `chmod 600` keeps its keys secret",
            target.shown()
        ));
    }
    Ok(text)
}

/// Parses what was read; all that is wrong with it is said at once.
pub(super) fn parse(text: &[u8], target: &Target, report: Report) -> Result<Config, Error> {
    let parsed = config::parse(text, &names::names());
    tell(&parsed.diagnostics, target, report);
    parsed.config.ok_or_else(Error::said)
}

/// Says what is wrong with a file.
pub(super) fn tell(diagnostics: &[config::Diagnostic], target: &Target, report: Report) {
    let file = target.shown();
    for diagnostic in diagnostics {
        report.block(&diagnostic.render(&file, report.color()));
    }
}

/// Prints the steps, for `--dry-run`: one a line, as they would be traced.
pub(super) fn show(steps: &[Step]) -> Result<(), Error> {
    let lines: Vec<String> = steps.iter().map(Step::to_string).collect();
    Ok(print(&(lines.join("\n") + "\n"))?)
}

/// Writes to standard output; a reader that went away is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output")
        }
        _ => Ok(()),
    }
}
