//! Which network namespace an interface lives in.

use crate::config::Config;
use crate::error::Error;
use crate::host::record::Record;
use crate::host::{Host, netns};
use crate::net::{Ifname, Netns};

/// The network namespace that an interface lives in, by its record, or else by its file where it is not in that of birth.
pub(super) fn of_running<'a>(
    ifname: Ifname,
    record: Option<&'a Record>,
    config: Option<&'a Config>,
) -> Option<&'a Netns> {
    match record {
        Some(record) => record.netns(),
        None if netns::has_link_here(ifname) => None,
        None => config?.interface.home(),
    }
}

/// Refuses a file that has another network namespace than the interface was brought up in.
pub(super) fn refuse_move(
    ifname: Ifname,
    record: Option<&Record>,
    config: &Config,
) -> Result<(), Error> {
    let wanted = config.interface.home();
    let Some(record) = record.filter(|record| record.netns() != wanted) else {
        return Ok(());
    };
    let of = |netns: Option<&Netns>| match netns {
        Some(netns) => format!("in the network namespace `{netns}'"),
        None => "in no network namespace but this one".to_owned(),
    };
    let (is, wanted) = (of(record.netns()), of(wanted));
    let what = format!("`{ifname}' was brought up {is}, and the file has it {wanted}");
    Err(Error::new(what).hint(format!(
        "`wgq down {ifname}`, then `wgq up {ifname}`: what runs is not moved"
    )))
}

/// Refuses an interface of that name in the network namespace of birth, when the file has it in another one.
pub(super) fn refuse_outside(host: &mut Host, ifname: Ifname) -> Result<(), Error> {
    if !host.has_link_outside(ifname)? {
        return Ok(());
    }
    let what = format!("`{ifname}' exists already, outside of the file's network namespace");
    let hint = "a file of another name makes another interface";
    Err(Error::new(what).hint(hint.to_owned()))
}
