//! Which file a running interface was made from.

use crate::host::config_file::Target;
use crate::host::record::Record;
use crate::net::Ifname;
use crate::report::Report;

/// Puts the file that `up` used into a target that is a name alone, whatever file the name stands for, or that is not there.
/// A file on the command line is meant, and so is standard input. Where the two are not the same that is said.
pub(super) fn of_running(target: Target, record: Option<&Record>, report: Report) -> Target {
    let Some(record) = record else { return target };
    let used = of(target.ifname, record);
    if target.is_same_file(&used) {
        return target;
    }
    let (ifname, named, origin) = (target.ifname, called(&target), called(&used));
    let is_there = target.path.is_none() || target.exists();
    if is_there && !target.by_name {
        report.warning(format_args!(
            "{ifname} was brought up from {origin}, not from {named}: going by {named}"
        ));
        return target;
    }
    let going_by = if used.was_input() {
        "what is remembered of it"
    } else if is_there {
        "the former"
    } else {
        origin.as_str()
    };
    if is_there {
        report.warning(format_args!(
            "{ifname} was brought up from {origin}, not from {named}: going by {going_by}"
        ));
    } else if !target.by_name {
        report.warning(format_args!(
            "{named} is not there, and {ifname} was brought up from {origin}: going by {going_by}"
        ));
    }
    used
}

/// The file that `up` used.
pub(super) fn of(ifname: Ifname, record: &Record) -> Target {
    Target {
        ifname,
        path: record.config.clone(),
        by_name: true,
        hint: None,
    }
}

fn called(target: &Target) -> String {
    match &target.path {
        Some(_) => target.shown(),
        None => "standard input".to_owned(),
    }
}
