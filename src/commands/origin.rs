//! Which file a running interface was made from.

use crate::host::config_file::Target;
use crate::host::record::Record;
use crate::report::Report;

/// Puts the file that `up` used into a target that is a name alone, whatever file the name stands for; a file on the
/// command line is meant. Where the two are not the same that is said.
pub(super) fn of_running(target: Target, record: Option<&Record>, report: Report) -> Target {
    let Some(record) = record else { return target };
    let used = Target {
        path: record.config.clone(),
        ..target.clone()
    };
    if target.is_same_file(&used) {
        return target;
    }
    if target.exists() {
        let (ifname, named) = (target.ifname, target.shown());
        let used_file = match &used.path {
            Some(_) => used.shown(),
            None => "standard input".to_owned(),
        };
        let going_by = match (target.by_name, used.exists()) {
            (false, _) => named.as_str(),
            (true, true) => "the former",
            (true, false) => "what is remembered of it",
        };
        report.warning(format_args!(
            "{ifname} was brought up from {used_file}, not from {named}: going by {going_by}"
        ));
    }
    if target.by_name { used } else { target }
}
