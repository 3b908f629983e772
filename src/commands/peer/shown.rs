//! How the config of a client is shown: as text, as a QR code, or as a picture.

use std::path::Path;

use anyhow::Context as _;

use super::super::load;
use crate::cli::Form;
use crate::error::Error;
use crate::host::config_file::write_new;
use crate::host::terminal;
use crate::qr::Qr;
use crate::report::Report;

impl Form {
    /// Whether none was asked for.
    fn is_none(&self) -> bool {
        !self.qr && self.png.is_none() && self.svg.is_none()
    }

    /// Shows a config: as a QR code on a terminal and as text elsewhere, unless something else is asked for.
    pub(in crate::commands) fn show(&self, config: &str, report: Report) -> Result<(), Error> {
        self.write_pictures(config, report)?;
        let qr = self.qr || (self.is_none() && terminal::is_stdout());
        if qr {
            return print_qr(config, report);
        }
        if self.is_none() {
            load::warn_of_output(report);
            load::print(config)?;
        }
        Ok(())
    }

    fn write_pictures(&self, config: &str, report: Report) -> Result<(), Error> {
        if let Some(path) = &self.png {
            let png = code(config)?.png()?;
            save(path, &png, report)?;
        }
        if let Some(path) = &self.svg {
            let svg = code(config)?.svg();
            save(path, svg.as_bytes(), report)?;
        }
        Ok(())
    }
}

/// What was done is not undone because it cannot be shown.
pub(super) fn done_all_the_same(error: Error, name: &str, done: &str) -> Error {
    let again = format!("`wgq peer qr {name}`, `wgq peer show {name}`");
    error
        .outcome(format_args!("{name} {done} all the same: {again}"))
        .something_left()
}

/// Prints a QR code, if it fits.
pub(in crate::commands) fn print_qr(config: &str, report: Report) -> Result<(), Error> {
    let columns = terminal::columns();
    let qr = code(config)?
        .terminal(columns, report.stdout_color())
        .map_err(|error| {
            Error::new(error)
                .hint("a wider terminal or a smaller font, or --png FILE or --svg FILE".to_owned())
        })?;
    Ok(load::print(&qr)?)
}

fn code(config: &str) -> Result<Qr, Error> {
    Qr::of(config).map_err(|error| {
        let hint = "fewer AllowedIPs or DNS servers make it shorter".to_owned();
        Error::new(error).hint(hint)
    })
}

fn save(path: &Path, bytes: &[u8], report: Report) -> Result<(), Error> {
    write_new(path, bytes).with_context(|| path.display().to_string())?;
    report.note(format_args!(
        "{}: written; it holds a private key",
        path.display()
    ));
    Ok(())
}
