//! `wgq strip`: what of a file is for `wg setconf`.

use super::load;
use crate::cli;
use crate::config;
use crate::error::Error;
use crate::host::config_file::Target;
use crate::report::Report;

/// Prints the file without what is not for `wg`.
pub(super) fn strip(args: &cli::Target, report: Report) -> Result<(), Error> {
    let target = Target::find(&args.config, args.name)?;
    let text = load::read(&target)?;
    if let Some(hint) = &target.hint {
        report.hint(hint);
    }
    match config::decode(&text) {
        Ok(text) => Ok(load::print(&config::strip(text))?),
        Err(diagnostic) => {
            load::tell(&[diagnostic], &target, report);
            Err(Error::said())
        }
    }
}
