//! `wgq selftest`: this program again, in a sandbox.

use std::io;

use super::load;
use crate::error::Error;
use crate::report::Report;
use crate::selftest::{self, sandbox};

/// Tests wgq on this host.
pub(super) fn selftest(dry_run: bool, report: Report) -> Result<(), Error> {
    if dry_run {
        return Ok(load::print(selftest::PLAN)?);
    }
    if sandbox::is_inside() {
        return selftest::run(load::print, report);
    }
    sandbox::enter().map_err(|error| denied(&error))?;
    let end = sandbox::run_again()?;
    match end.code() {
        Some(0) => Ok(()),
        Some(_) => Err(Error::said()),
        None => Err(Error::new(format_args!("selftest: {end}"))),
    }
}

fn denied(error: &io::Error) -> Error {
    let (who, hint) = if nix::unistd::geteuid().is_root() {
        ("root", "a container needs `--privileged`")
    } else {
        ("a plain user", "`sudo wgq selftest`")
    };
    Error::new(format_args!(
        "selftest runs in namespaces of its own, and this host lets {who} make none: {error}"
    ))
    .hint(hint.to_owned())
}
