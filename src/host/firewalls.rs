//! Other programs' firewalls: those of nf_tables, read from the kernel, and that of iptables-legacy, read by its program.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{nftables, program};
use crate::foreign::{Table, TableFamily};

/// Where the kernel lists the tables of iptables-legacy that there are, and the program that lists what is in them.
const LEGACY: [(TableFamily, &str, &str); 2] = [
    (
        TableFamily::Ip,
        "/proc/net/ip_tables_names",
        "iptables-legacy",
    ),
    (
        TableFamily::Ip6,
        "/proc/net/ip6_tables_names",
        "ip6tables-legacy",
    ),
];

/// Reads the firewalls of other programs. Whoever may not look sees none, and could not change any.
pub(super) fn read() -> Result<Vec<Table>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(Vec::new());
    }
    let mut tables = nftables::foreign_tables()?;
    for (family, names, program) in LEGACY {
        let names = fs::read_to_string(names).unwrap_or_default();
        // where its program is not installed, nobody on this host looks after it
        if names.lines().any(|name| name == "filter")
            && let Ok(listing) = program::read(Path::new(program), &["-S"])
        {
            tables.push(Table::of_legacy(family, &listing));
        }
    }
    Ok(tables)
}
