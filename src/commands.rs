//! The commands, each the pipeline written out: read, parse, observe, plan, apply.

use crate::apply::Stop;
use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::report::Report;
use crate::{hint, host};

mod apply;
mod attempt;
mod down;
mod drift;
mod endpoint;
mod export;
mod import;
mod init;
mod keys;
mod load;
mod migrate;
mod namespace;
mod origin;
mod peer;
mod reresolve;
mod save;
mod selftest;
mod show;
mod steps;
mod strip;
mod up;

/// Runs the command.
pub fn run(cli: Cli, report: Report) -> Result<(), Error> {
    let (dry_run, json) = (cli.global.dry_run, cli.global.json);
    if dry_run && !cli.command.has_dry_run() {
        return Err(Error::usage("this command has no --dry-run"));
    }
    match cli.command {
        Command::Up(up) => up::up(&up, dry_run, json, report),
        Command::Down { target } => down::down(&target, dry_run, json, report),
        Command::Apply(apply) => apply::apply(&apply, dry_run, json, report),
        Command::Confirm { ifname } => apply::confirm(ifname, report),
        Command::Diff(diff) => apply::diff(&diff, json, report),
        Command::Show(show) => show::show(&show, json, report),
        Command::Strip { target } => strip::strip(&target, report),
        Command::Save { target } => save::save(&target, dry_run, report),
        Command::Reresolve { config } => {
            reresolve::reresolve(config.as_deref(), dry_run, json, report)
        }
        Command::Migrate(migrate) => migrate::run(&migrate, dry_run, report),
        Command::Init(init) => init::init(&init, dry_run, json, report),
        Command::Peer(peer) => peer::peer(peer, json, report),
        Command::Endpoint(endpoint) => endpoint::endpoint(&endpoint, dry_run, json, report),
        Command::Import(import) => import::import(&import, dry_run, json, report),
        Command::Export(args) => export::run(&args, dry_run, report),
        Command::Genkey => keys::genkey(json, report),
        Command::Genpsk => keys::genpsk(json, report),
        Command::Pubkey => keys::pubkey(json),
        Command::Selftest => selftest::selftest(dry_run, report),
        #[cfg(feature = "userspace")]
        Command::Userspace { ifname, netns } => Ok(crate::host::userspace::serve(ifname, netns)?),
    }
}

/// Says why a command stopped, with a hint where one is known.
fn describe(stop: Stop) -> Error {
    match stop {
        Stop::Failed(failed) => {
            let hint = host::hint(&failed.error)
                .or_else(|| hint::for_step(&failed.step, host::errno(&failed.error)));
            Error::new(failed).hint(hint)
        }
        Stop::Interrupted(signal) => Error::new(format_args!("interrupted by {signal}")),
        Stop::Lost(error) => Error::from(error),
    }
}

/// As [`describe`], before the first step.
fn not_begun(stop: Stop) -> Error {
    describe(stop).outcome("nothing was changed")
}
