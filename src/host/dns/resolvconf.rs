//! resolvconf(8), Debian's or openresolv's; each ignores the other's options.

use std::path::Path;

use crate::host::program::run_named;
use crate::net::Ifname;
use crate::state::Dns;

/// Tells it a tunnel's servers, before all others (`-m 0`, Debian's by the prefix) and instead of them (`-x`).
pub(super) fn tell(
    resolvconf: &Path,
    prefix: &str,
    ifname: Ifname,
    to: &Dns,
) -> anyhow::Result<()> {
    let record = format!("{prefix}{ifname}");
    run_named(
        resolvconf,
        &["-a", &record, "-m", "0", "-x"],
        &to.resolv_conf(),
    )
}

/// Takes them back; `-f`: it is no error that there is nothing.
pub(super) fn take_back(resolvconf: &Path, prefix: &str, ifname: Ifname) -> anyhow::Result<()> {
    run_named(resolvconf, &["-d", &format!("{prefix}{ifname}"), "-f"], "")
}
