//! What several commands begin with.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Context;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::config::{self, Config, Masquerade};
use crate::error::Error;
use crate::host::config_file::{Target, interfaces};
use crate::host::endpoints::Unresolved;
use crate::host::record::Record;
use crate::host::{Host, clock, kernel, keys, names};
use crate::net::Ifname;
use crate::report::Report;

/// Refuses to go on for anyone but root.
pub(super) fn require_root(command: &str, dry_run: bool) -> Result<(), Error> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let hint = if dry_run {
        format!("`sudo wgq --dry-run {command} ...`: only root can see what runs")
    } else {
        format!("`sudo wgq {command} ...`, or --dry-run to see what it would do")
    };
    Err(Error::new(format_args!("`wgq {command}` must be run as root")).hint(hint))
}

/// What is recorded of an interface. A record that cannot be read is told of, and none.
pub(super) fn record(ifname: Ifname, report: Report) -> Option<Record> {
    Record::read(ifname).unwrap_or_else(|error| {
        report.warning(format_args!("{error:#}; going by what the kernel shows"));
        None
    })
}

/// Reads and parses the target's file; all that is wrong with it is said at once.
pub(super) fn file(target: &Target, report: Report) -> Result<(String, Config), Error> {
    let bytes = read(target)?;
    let parsed = config::parse(&bytes, &names::names(target.ifname));
    parsed_file(bytes, parsed, target, report)
}

/// As [`file`], of what was read and parsed already.
pub(super) fn parsed_file(
    bytes: Vec<u8>,
    parsed: config::Parsed,
    target: &Target,
    report: Report,
) -> Result<(String, Config), Error> {
    let config = tell_parsed(parsed, target, report).ok_or_else(Error::said)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::said())?; // what is parsed is UTF-8
    Ok((text, config))
}

/// Reads the target's file.
pub(super) fn read(target: &Target) -> Result<Vec<u8>, Error> {
    let read = target.read();
    read.map_err(|error| {
        let hint = target.hint.clone().or_else(|| absent(target));
        Error::new(format_args!("{error:#}")).hint(hint)
    })
}

/// What there is instead of a file that was named by its interface.
fn absent(target: &Target) -> Option<String> {
    if !target.by_name || target.exists() {
        return None;
    }
    let there: Vec<_> = interfaces().iter().map(Ifname::to_string).collect();
    let ifname = target.ifname;
    let make =
        format!("`wgq init {ifname}` makes a server, `wgq import` takes a file that you have");
    Some(if there.is_empty() {
        make
    } else {
        format!("those here are {}; {make}", there.join(", "))
    })
}

/// Parses what was read from the target's file, and says what there is to say of the two; none if it is not in order.
pub(super) fn parse(text: &[u8], target: &Target, report: Report) -> Option<Config> {
    let parsed = config::parse(text, &names::names(target.ifname));
    tell_parsed(parsed, target, report)
}

fn tell_parsed(parsed: config::Parsed, target: &Target, report: Report) -> Option<Config> {
    if let Some(hint) = &target.hint {
        report.hint(hint);
    }
    if target.is_world_accessible() {
        warn_of_access(&target.shown(), report);
    }
    tell(&parsed.diagnostics, target, report);
    parsed.config
}

/// Warns of a file with keys that everybody can get at.
pub(super) fn warn_of_access(file: &dyn Display, report: Report) {
    report.warning(format_args!(
        "`{file}' is world accessible: `chmod 600` keeps its keys secret"
    ));
}

/// Warns if keys are about to be written to a file that everybody can get at, as `wg` does.
pub(super) fn warn_of_output(report: Report) {
    if keys::output_is_world_accessible() {
        report.warning("writing to a world accessible file");
        report.hint("`umask 077` makes files that only their owner can read");
    }
}

/// Reads the keys that the config leaves to files of their own, and says what is wrong with these and with keys.
pub(super) fn keys(
    config: &mut Config,
    text: &str,
    target: &Target,
    report: Report,
) -> Result<(), Error> {
    let unusable = keys::load(config);
    let unusable: Vec<_> = unusable.iter().map(|it| it.diagnostic(text)).collect();
    tell(&unusable, target, report);
    if !unusable.is_empty() {
        return Err(Error::said());
    }
    let own = config.own_peers().map(|peer| {
        config::Diagnostic::warning(
            "this is the interface's own key, so there will be no such peer",
        )
        .key("PublicKey")
        .hint("here goes what `wg pubkey` prints on the other side")
        .at(text, peer.public_key.span)
    });
    tell(&own.collect::<Vec<_>>(), target, report);
    for path in keys::world_accessible(config) {
        warn_of_access(&path.display(), report);
    }
    Ok(())
}

/// Takes out the peers whose time is over, and says which.
pub(super) fn leave_out_expired(config: &mut Config, text: &str, target: &Target, report: Report) {
    let expired = config.expire(clock::now());
    let diagnostics = expired.iter().filter_map(|peer| {
        let expired = "this peer's time is over, leaving it out";
        let hint = "`wgq peer remove --expired` takes such peers out of the file";
        let diagnostic = config::Diagnostic::warning(expired)
            .key("Expires")
            .hint(hint);
        Some(diagnostic.at(text, peer.expires?.span))
    });
    tell(&diagnostics.collect::<Vec<_>>(), target, report);
}

/// Warns of a kernel for which the rules of `Masquerade` mean nothing.
pub(super) fn warn_of_kernel(config: &Config, text: &str, target: &Target, report: Report) {
    let masquerade = &config.interface.firewall.masquerade;
    if masquerade.value != Masquerade::No
        && let Some((major, minor)) = kernel::version().filter(|it| *it < kernel::KNOWS_INCOMING)
    {
        let wrong = format!("does nothing before Linux 5.7, and this is {major}.{minor}");
        let diagnostic = config::Diagnostic::warning(wrong).key("Masquerade");
        tell(&[diagnostic.at(text, masquerade.span)], target, report);
    }
}

/// Warns of interfaces that rules name and that this host does not have: as likely another one is meant as it is to come.
pub(super) fn warn_of_absent(
    config: &Config,
    text: &str,
    target: &Target,
    host: &mut Host,
    report: Report,
) -> anyhow::Result<()> {
    for (key, name) in config.interface.firewall.interfaces() {
        if name.value != target.ifname && !host.has_link(name.value)? {
            let absent = format!("there is no interface `{}' here", name.value);
            let diagnostic = config::Diagnostic::warning(absent).key(key);
            let hint = "`ip -br link` lists those there are; the rules are for it once it comes";
            tell(&[diagnostic.hint(hint).at(text, name.span)], target, report);
        }
    }
    Ok(())
}

/// Says which endpoints have no address, and whether that is the end: unless they are ignored, it is.
pub(super) fn tell_unresolved(
    unresolved: &[Unresolved],
    text: &str,
    target: &Target,
    ignore: bool,
    report: Report,
) -> bool {
    let diagnostic = |endpoint: &Unresolved| {
        let diagnostic = if ignore {
            config::Diagnostic::warning(format!("{endpoint}; leaving this peer without endpoint"))
        } else {
            config::Diagnostic::error(endpoint.to_string())
        };
        diagnostic.key("Endpoint").at(text, endpoint.span)
    };
    let diagnostics: Vec<_> = unresolved.iter().map(diagnostic).collect();
    tell(&diagnostics, target, report);
    !ignore && !diagnostics.is_empty()
}

/// Says what is wrong with a file.
pub(super) fn tell(diagnostics: &[config::Diagnostic], target: &Target, report: Report) {
    let file = target.shown();
    for diagnostic in diagnostics {
        report.block(&diagnostic.render(&file, report.color()));
    }
}

/// Prints JSON, which may hold keys.
pub(super) fn print_json(what: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(what).context("JSON")?;
    Ok(print(&Zeroizing::new(text + "\n"))?)
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
