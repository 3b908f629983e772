//! `wgq reresolve`: silent peers by name, where they are now.

use std::path::Path;

use super::steps::Shown;
use super::{load, origin};
use crate::apply::as_much_as_possible;
use crate::config::{self, Config};
use crate::error::Error;
use crate::host::Host;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::names;
use crate::host::record::Record;
use crate::report::Report;
use crate::reresolve::{self, Candidates, Look, WATCH};

/// Looks up again where peers are: those of one interface, or of all that wgq has brought up.
pub(super) fn reresolve(
    config: Option<&Path>,
    dry_run: bool,
    json: bool,
    report: Report,
) -> Result<(), Error> {
    load::require_root("reresolve", dry_run)?;
    if let Some(config) = config {
        let target = Target::find(config, None)?;
        let record = Record::read(target.ifname)?;
        let netns = record.as_ref().and_then(Record::netns);
        let mut host = Host::open(report, None, netns)?;
        let interface = Interface {
            target: origin::of_running(target, record.as_ref(), report),
            record,
            dry_run,
            json,
            report,
        };
        return interface.reresolve(&mut host);
    }
    let mut host = Host::open(report, None, None)?;
    let mut result = Ok(());
    for (ifname, record) in Record::all() {
        if record.config.is_none() || !host.has_link(ifname)? {
            continue; // standard input cannot be read again
        }
        let interface = Interface {
            target: origin::of(ifname, &record),
            record: Some(record),
            dry_run,
            json,
            report,
        };
        if let Err(error) = interface.reresolve(&mut host) {
            error.tell(&report);
            result = Err(Error::said());
        }
    }
    result
}

/// An interface with peers to look up.
struct Interface {
    target: Target,
    record: Option<Record>,
    dry_run: bool,
    json: bool,
    report: Report,
}

impl Interface {
    /// Looks up, and sets what is to be set. The lock is for the end: looking up may take its time.
    fn reresolve(&self, host: &mut Host) -> Result<(), Error> {
        let (text, config) = self.file()?;
        let before = self.look(host)?;
        let before = before.ok_or_else(|| {
            let ifname = self.target.ifname;
            Error::new(format_args!("`{ifname}' is not up"))
        })?;
        let silent = reresolve::silent(&config, &before);
        let (mut candidates, unresolved) = host.resolve_again(&silent, before.fwmark)?;
        candidates.retain(|it| it.offer_another(&before));
        if candidates.iter().any(|it| it.are_in_doubt(&before)) {
            let ifname = self.target.ifname;
            self.report.note(format_args!(
                "{ifname}: looking for {} seconds whether there is anything to send to silent peers",
                WATCH.as_secs()
            ));
            host.wait(WATCH)?;
        }
        let set = self.set(host, &candidates, &before);
        if load::tell_unresolved(&unresolved, &text, &self.target, false, self.report) {
            return set.and(Err(Error::said()));
        }
        set
    }

    /// Reads the file. What it is warned of was said by `up`, and is not said again twice a minute.
    fn file(&self) -> Result<(String, Config), Error> {
        if self.target.was_input() {
            return Err(Error::new(format_args!(
                "`{}' was brought up from standard input, which cannot be read again",
                self.target.ifname
            )));
        }
        let bytes = load::read(&self.target)?;
        let parsed = config::parse(&bytes, &names::names(self.target.ifname));
        let (Some(config), Ok(text)) = (parsed.config, config::decode(&bytes)) else {
            load::tell(&parsed.diagnostics, &self.target, self.report);
            return Err(Error::said());
        };
        Ok((text.to_owned(), config))
    }

    fn look(&self, host: &mut Host) -> anyhow::Result<Option<Look>> {
        host.look(self.target.ifname, self.record.as_ref())
    }

    /// Gives the peers that are still silent another address.
    fn set(&self, host: &mut Host, all: &[Candidates], before: &Look) -> Result<(), Error> {
        let ifname = self.target.ifname;
        let _lock = if all.is_empty() || self.dry_run {
            None
        } else {
            Lock::take_or_share(ifname)?
        };
        let now = self.look(host)?.unwrap_or_default(); // it may have gone down meanwhile
        let steps = reresolve::steps(ifname, all, before, &now);
        if steps.is_empty() {
            self.report
                .note(format_args!("{ifname}: no endpoint to change"));
        }
        if self.dry_run {
            return Shown::new(ifname).steps(&steps).print(self.json);
        }
        let failed = as_much_as_possible(host, &steps);
        if failed.is_empty() {
            return Ok(());
        }
        let error = Error::new(format_args!("{ifname}: not every endpoint was set:"));
        Err(failed
            .iter()
            .fold(error, |error, step| error.outcome(format_args!("  {step}"))))
    }
}
