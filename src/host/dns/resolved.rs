//! systemd-resolved, by resolvectl(1).

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::net::if_::if_nametoindex;

use crate::host::program::{self, Failure};
use crate::net::Ifname;
use crate::state::Dns;

/// How long resolved may take to hear from the kernel of a new link.
const ANNOUNCEMENT: Duration = Duration::from_secs(2);

/// Tells it a tunnel's servers and domains, instead of those `before`; all or nothing.
pub(super) fn tell(
    resolvectl: &Path,
    ifname: Ifname,
    before: Option<&Dns>,
    to: &Dns,
) -> anyhow::Result<()> {
    let told = commands(ifname, before, to)
        .iter()
        .try_for_each(|command| call(resolvectl, command));
    if told.is_err() {
        // the first error is the one to tell
        let _ = match before {
            Some(before) => commands(ifname, Some(to), before)
                .iter()
                .try_for_each(|command| call(resolvectl, command)),
            None => take_back(resolvectl, ifname),
        };
    }
    told
}

/// Takes back all that it was told; a link that is gone took that with it.
pub(super) fn take_back(resolvectl: &Path, ifname: Ifname) -> anyhow::Result<()> {
    let exists = || if_nametoindex(ifname.as_str()).is_ok();
    if !exists() {
        return Ok(());
    }
    match call(resolvectl, &["revert".to_owned(), ifname.to_string()]) {
        Err(error) if exists() => Err(error),
        _ => Ok(()),
    }
}

/// Returns the arguments of the calls that say all of `to`.
fn commands(ifname: Ifname, before: Option<&Dns>, to: &Dns) -> Vec<Vec<String>> {
    let command = |verb: &str, values: Vec<String>| {
        let mut args = vec![verb.to_owned(), ifname.to_string()];
        args.extend(values);
        args
    };
    let servers = to.servers.iter().map(ToString::to_string).collect();
    let mut commands = vec![command("dns", or_clear(servers))];
    let domains = to.resolved_domains();
    if !domains.is_empty() || before.is_some_and(|before| !before.resolved_domains().is_empty()) {
        commands.push(command("domain", or_clear(domains)));
    }
    commands.push(command(
        "default-route",
        vec![to.is_default_route().to_string()],
    ));
    commands
}

/// Returns the values, or the empty one that clears a list: without any, resolvectl shows it.
fn or_clear(values: Vec<String>) -> Vec<String> {
    if values.is_empty() {
        vec![String::new()]
    } else {
        values
    }
}

/// Calls resolvectl, again for a while where resolved has not heard of the link yet.
fn call(resolvectl: &Path, command: &[String]) -> anyhow::Result<()> {
    let args: Vec<&str> = command.iter().map(String::as_str).collect();
    let start = Instant::now();
    loop {
        let result = program::run(resolvectl, &args, "");
        match &result {
            // "Link 7 not known": its netlink socket and its D-Bus one are read in no fixed order
            Err(Failure::Exit { said, .. })
                if said.contains("not known") && start.elapsed() < ANNOUNCEMENT =>
            {
                thread::sleep(Duration::from_millis(20));
            }
            _ => return result.with_context(|| format!("resolvectl {}", command.join(" "))),
        }
    }
}
