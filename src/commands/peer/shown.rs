//! How the config of a client is shown: as text, as a QR code, or as a picture.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use zeroize::Zeroizing;

use super::super::load;
use crate::cli::Form;
use crate::config::has_private_key;
use crate::error::Error;
use crate::host::config_file::write_new;
use crate::host::remove::remove_if_there;
use crate::host::terminal;
use crate::qr::{Qr, TooNarrow};
use crate::report::Report;

impl Form {
    /// Whether none was asked for.
    pub(super) fn is_none(&self) -> bool {
        !self.qr && self.png.is_none() && self.svg.is_none()
    }

    /// Makes what is to be shown of a config: a QR code on a terminal and the text elsewhere, unless something else is asked
    /// for. Pictures are written; what is wrong comes to light before anything is changed.
    pub(in crate::commands) fn prepare(
        &self,
        config: &str,
        report: Report,
    ) -> Result<Shown, Error> {
        let is_qr = self.qr || (self.is_none() && terminal::is_stdout());
        let text = if is_qr {
            Some(qr(config, report)?)
        } else {
            self.is_none().then(|| Zeroizing::new(config.to_owned()))
        };
        let mut shown = Shown {
            text,
            pictures: Vec::new(),
        };
        let written = self.write_pictures(config, &mut shown);
        written.inspect_err(|_| shown.take_back())?;
        Ok(shown)
    }

    fn write_pictures(&self, config: &str, shown: &mut Shown) -> Result<(), Error> {
        if let Some(path) = &self.png {
            shown.save(path, &code(config)?.png()?)?;
        }
        if let Some(path) = &self.svg {
            shown.save(path, code(config)?.svg().as_bytes())?;
        }
        Ok(())
    }
}

/// What is to be shown of a config.
pub(in crate::commands) struct Shown {
    /// The text, or a QR code.
    text: Option<Zeroizing<String>>,
    /// The files that were written.
    pictures: Vec<PathBuf>,
}

impl Shown {
    fn save(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        write_new(path, bytes).with_context(|| path.display().to_string())?;
        self.pictures.push(path.to_owned());
        Ok(())
    }

    /// Shows it.
    pub(in crate::commands) fn show(&self, report: Report) -> Result<(), Error> {
        for path in &self.pictures {
            report.note(format_args!(
                "{}: written; it holds a private key",
                path.display()
            ));
        }
        if let Some(text) = &self.text {
            load::warn_of_output(report);
            load::print(text)?;
        }
        Ok(())
    }

    /// Takes the files away again.
    pub(in crate::commands) fn take_back(&self) {
        for path in &self.pictures {
            let _ = remove_if_there(path); // the first error is the one to tell
        }
    }
}

/// What was done is not undone because it cannot be shown.
pub(super) fn done_all_the_same(error: Error, name: &str, done: &str) -> Error {
    let again = format!("`wgq peer qr {name}`, `wgq peer show {name}`");
    error
        .outcome(format_args!("{name} {done} all the same: {again}"))
        .something_left()
}

/// The QR code of a config, as text, if it is wide enough here.
pub(in crate::commands) fn qr(config: &str, report: Report) -> Result<Zeroizing<String>, Error> {
    let code = code(config)?;
    let text = code.terminal(terminal::columns(), report.stdout_color());
    let text = text.map_err(|error| Error::new(error).hint(TooNarrow::HINT.to_owned()))?;
    let lines = text.lines().count();
    if let Some(rows) = terminal::rows().filter(|rows| usize::from(*rows) < lines) {
        report.warning(format_args!(
            "the QR code has {lines} lines, and the terminal {rows}: it must be higher, or --png FILE makes a picture"
        ));
    }
    Ok(text)
}

fn code(config: &str) -> Result<Qr, Error> {
    if !has_private_key(config) {
        let what = "the private key is not in this config, so no app could use a code of it";
        return Err(Error::new(what).hint("`wgq peer show` prints it as text".to_owned()));
    }
    Qr::of(config).map_err(|error| {
        let hint = "fewer AllowedIPs or DNS servers make it shorter".to_owned();
        Error::new(error).hint(hint)
    })
}
