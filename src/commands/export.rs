//! `wgq export`: a file for another program, for who leaves us.

use std::collections::BTreeSet;

use super::load;
use crate::cli::{Export, Format};
use crate::config::Config;
use crate::error::Error;
use crate::export::export;
use crate::host::Host;
use crate::host::config_file::Target;
use crate::host::record::Record;
use crate::report::Report;
use crate::state::LinkKind;
use crate::surroundings::Surroundings;

/// Prints the file with hooks in the place of keys of our own.
pub(super) fn run(args: &Export, dry_run: bool, report: Report) -> Result<(), Error> {
    let Format::WgQuick = args.format;
    load::require_root("export", dry_run)?;
    let target = Target::find(&args.target.config, args.target.name)?;
    let (text, config) = load::file(&target, report)?;
    let around = look_around(&target, &config, report)?;
    let exported = export(&text, &config, target.ifname, &around);
    load::tell(&exported.diagnostics, &target, report);
    for warning in &exported.warnings {
        report.warning(warning);
    }
    load::warn_of_output(report);
    Ok(load::print(&exported.text)?)
}

/// Finds out what the rules depend on, as `up` does.
fn look_around(target: &Target, config: &Config, report: Report) -> anyhow::Result<Surroundings> {
    let ifname = target.ifname;
    let record = Record::read(ifname)?;
    let mut host = Host::open(report, target.path.as_deref(), None)?;
    let mut found = host.observe(ifname, record.as_ref())?;
    if config.interface.firewall.asks_others() {
        found.look_at_firewalls(ifname)?;
    }
    let mut around = host.surroundings(
        ifname,
        &config.interface,
        LinkKind::Kernel,
        &mut found,
        record.as_ref(),
        &BTreeSet::new(),
    )?;
    // what the tunnel has changed, if it is up, will not be there
    around.kept_sysctls.clear();
    let tables = around.firewalls.iter_mut();
    for chain in tables.flat_map(|table| &mut table.chains) {
        chain.rules.retain(|rule| !rule.is_of(ifname));
    }
    Ok(around)
}
