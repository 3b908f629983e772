//! `wgq strip`: what of a file is for `wg setconf`.

use super::load;
use crate::cli;
use crate::config;
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::keys;
use crate::report::Report;

/// Prints the file without what is not for `wg`, and with the keys that are in other files.
pub(super) fn strip(args: &cli::Target, report: Report) -> Result<(), Error> {
    let target = Target::find(&args.config, args.name)?;
    let text = load::read(&target)?;
    if let Some(hint) = &target.hint {
        report.hint(hint);
    }
    let stripped = match config::decode(&text) {
        Ok(text) => {
            config::strip_with_keys(text, keys::line).map_err(|unusable| unusable.diagnostic(text))
        }
        Err(diagnostic) => Err(diagnostic),
    };
    match stripped {
        Ok(stripped) => Ok(load::print(&stripped)?),
        Err(diagnostic) => {
            load::tell(&[diagnostic], &target, report);
            Err(Error::said())
        }
    }
}
