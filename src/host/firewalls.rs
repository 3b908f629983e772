//! Other programs' firewalls: those of `nf_tables`, read from the kernel, and that of iptables-legacy, read by its program.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use super::nftables;
use super::program::{self, Failure};
use crate::foreign::{Passage, Table, TableFamily};

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

/// Reads the tables of other programs in `nf_tables`. Whoever may not look sees none, and could not change any.
pub(super) fn native() -> Result<Vec<Table>> {
    if nix::unistd::geteuid().is_root() {
        Ok(nftables::foreign_tables()?)
    } else {
        Ok(Vec::new())
    }
}

/// Counts the rules of other programs by which packets are passed on.
pub fn passage() -> Result<Passage> {
    Ok(Passage::through(&[native()?, legacy()].concat()))
}

/// Reads the tables of iptables-legacy, as far as they can be read.
pub(super) fn legacy() -> Vec<Table> {
    look_at_legacy().filter_map(Result::ok).collect()
}

/// Reads the tables of iptables-legacy; of one that drops packets and cannot be read, a sentence on it. The kernel
/// keeps them whether their program is installed or not.
pub(super) fn look_at_legacy() -> impl Iterator<Item = Result<Table, String>> {
    LEGACY.iter().flat_map(|(family, names, program)| {
        let names = fs::read_to_string(names).unwrap_or_default();
        let of_interest = ["filter", "nat"].into_iter();
        let there = of_interest.filter(move |name| names.lines().any(|line| line == *name));
        there.filter_map(|name| {
            let listing = program::read(Path::new(program), &["-t", name, "-S"]);
            match listing {
                Ok(listing) => Some(Ok(Table::of_legacy(*family, name, &listing))),
                Err(why) if name == "filter" => Some(Err(unread(program, &why))),
                Err(_) => None, // no other drops anything
            }
        })
    })
}

fn unread(program: &str, why: &Failure) -> String {
    let hint = match why {
        Failure::Io(why) if why.kind() == ErrorKind::NotFound => "; it is in the package iptables",
        Failure::Io(_) | Failure::Exit { .. } | Failure::Timeout => "",
    };
    format!(
        "the table filter of iptables-legacy may drop what the tunnel needs, and cannot be looked at: {program}: {why}{hint}"
    )
}
