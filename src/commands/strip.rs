//! `wgq strip`: what of a file is for `wg setconf`.

use std::borrow::Cow;

use super::load;
use crate::cli;
use crate::config::{self, Roster};
use crate::error::Error;
use crate::host::config_file::Target;
use crate::host::{clock, keys, names};
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
            let text = without_expired(text, &target);
            let stripped = config::strip_with_keys(&text, keys::line);
            stripped.map_err(|unusable| unusable.diagnostic(&text))
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

/// The text without the peers whose time is over; one that is not in order stays as it is.
fn without_expired<'t>(text: &'t str, target: &Target) -> Cow<'t, str> {
    let Ok(roster) = Roster::read(text, &names::names(target.ifname)) else {
        return text.into();
    };
    let now = clock::now();
    let expired = roster.iter().filter(|it| it.peer.is_expired(now));
    match expired.map(|it| it.index).collect::<Vec<_>>().as_slice() {
        [] => text.into(),
        expired => roster.without_all(expired).into(),
    }
}
