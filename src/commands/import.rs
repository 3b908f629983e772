//! `wgq import`: a config from elsewhere, checked and put in its place.

use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use super::load;
use crate::cli::Import;
use crate::config::{self, Diagnostic};
use crate::error::Error;
use crate::host::config_file::{CONFIG_DIR, Target};
use crate::host::lock::Lock;
use crate::net::Ifname;
use crate::qr;
use crate::report::Report;

/// What was done, as JSON.
#[derive(Serialize)]
struct Imported {
    /// The version of the form: another one when something in it is no more what it was.
    version: u32,
    ifname: String,
    /// Where the config is now.
    file: String,
    /// The commands in it, which run as root.
    hooks: Vec<String>,
    /// The command that brings it up.
    next: String,
}

/// Puts a config in /etc/wireguard, byte for byte as it is.
pub(super) fn import(
    args: &Import,
    dry_run: bool,
    json: bool,
    report: Report,
) -> Result<(), Error> {
    if !dry_run {
        load::require_root("import", dry_run)?;
    }
    let ifname = ifname(args, report)?;
    let source = Target {
        ifname,
        path: (args.file != Path::new("-")).then(|| args.file.clone()),
        by_name: false,
        hint: None,
    };
    let content = content(&source)?;
    let hooks = check(&content, &source, report)?;
    let text = config::decode(&content).map_err(|_| Error::said())?; // it was parsed
    let target = Target::find(&Path::new(CONFIG_DIR).join(format!("{ifname}.conf")), None)?;
    let _lock = if dry_run {
        None
    } else {
        Some(Lock::take_in_turn(ifname, report)?)
    };
    let file = target.shown();
    if target.exists() {
        return Err(Error::new(format_args!("{file}: is there already"))
            .hint("--name NAME puts the config beside it, under that name".to_owned()));
    }
    if !dry_run {
        target.create(text)?;
    }
    let next = format!("wgq up {ifname}");
    if json {
        let imported = Imported {
            version: 1,
            ifname: ifname.to_string(),
            file,
            hooks,
            next,
        };
        return load::print_json(&imported);
    }
    report.note(if dry_run {
        format!("{file}: would be written")
    } else {
        format!("{file}: written; `{next}` brings it up")
    });
    Ok(())
}

/// The name that was asked for, or the one that the file's makes.
fn ifname(args: &Import, report: Report) -> Result<Ifname, Error> {
    if let Some(name) = args.name {
        return Ok(name);
    }
    let shown = args.file.display();
    let name = "--name NAME gives the interface a name";
    if args.file == Path::new("-") {
        return Err(Error::new("a config from standard input needs a name").hint(name.to_owned()));
    }
    let stem = args.file.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_suffix(".conf").unwrap_or(&stem); // wg0.conf.txt
    match stem.parse() {
        Ok(ifname) => Ok(ifname),
        Err(why) => {
            let Some(ifname) = Ifname::nearest(stem) else {
                return Err(Error::new(format_args!("{shown}: {why}")).hint(name.to_owned()));
            };
            report.warning(format_args!("{shown}: {why}; calling it `{ifname}'"));
            report.hint("--name NAME gives it another");
            Ok(ifname)
        }
    }
}

/// The config's bytes; those of a picture are its QR code's.
fn content(source: &Target) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bytes = Zeroizing::new(load::read(source)?);
    if !qr::is_png(&bytes) {
        return Ok(bytes);
    }
    match qr::read_png(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.as_bytes().to_vec())),
        Err(why) => Err(Error::new(format_args!("{}: {why}", source.shown()))),
    }
}

/// Says all that `up` would say of the file itself, and what of it runs as root: returns these commands.
fn check(content: &[u8], source: &Target, report: Report) -> Result<Vec<String>, Error> {
    let mut config = load::parse(content, source, report).ok_or_else(Error::said)?;
    let Ok(text) = config::decode(content) else {
        return Err(Error::said()); // it was parsed
    };
    load::keys(&mut config, text, source, report)?;
    let hooks = config::hook_lines(text);
    let warning = |hook: &config::HookLine| {
        let warning = Diagnostic::warning("this command runs as root");
        warning.key(hook.key).at(text, hook.span)
    };
    let warnings: Vec<_> = hooks.iter().map(warning).collect();
    load::tell(&warnings, source, report);
    if !hooks.is_empty() {
        report.hint("keep no command in a config from others that you do not understand; `wgq migrate` makes keys of many");
    }
    Ok(hooks.into_iter().map(|hook| hook.command).collect())
}
