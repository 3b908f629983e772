//! Kernel variables, by /proc/sys.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::{fs, io};

use crate::state::Sysctl;

/// Reads a variable; none if this kernel does not have it.
pub fn read(sysctl: &Sysctl) -> io::Result<Option<String>> {
    match fs::read_to_string(path(sysctl)) {
        Ok(value) => Ok(Some(value.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a variable.
pub fn write(sysctl: &Sysctl, value: &str) -> io::Result<()> {
    fs::write(path(sysctl), value)
}

/// Writes the variables that have another value; one that went with its interface is fine.
pub fn keep(sysctls: &BTreeMap<Sysctl, String>) -> io::Result<()> {
    for (sysctl, value) in sysctls {
        if read(sysctl)?.is_some_and(|now| now != *value) {
            write(sysctl, value)?;
        }
    }
    Ok(())
}

/// Whether the host has IPv6 and it is neither switched off as a whole nor for new interfaces.
pub fn has_ipv6() -> bool {
    let on = |scope: &str| {
        let sysctl = Sysctl(format!("net.ipv6.conf.{scope}.disable_ipv6").into());
        matches!(read(&sysctl), Ok(Some(value)) if value == "0")
    };
    on("all") && on("default")
}

/// Returns the ports that the kernel gives to sockets which ask for none, of both families
/// (`net.ipv4.ip_local_port_range`); where that cannot be read, what it is unless somebody changes it.
pub fn local_ports() -> RangeInclusive<u16> {
    let range = read(&Sysctl("net.ipv4.ip_local_port_range".into()))
        .ok()
        .flatten();
    let mut ports = range
        .iter()
        .flat_map(|range| range.split_whitespace())
        .map(str::parse);
    match (ports.next(), ports.next()) {
        (Some(Ok(first)), Some(Ok(last))) => first..=last,
        _ => 32768..=60999,
    }
}

/// The file of a variable: the dots between its parts are slashes there, and the slashes within one dots (sysctl.d(5)).
fn path(sysctl: &Sysctl) -> PathBuf {
    let swapped = sysctl.0.chars().map(|c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    });
    PathBuf::from("/proc/sys").join(swapped.collect::<String>())
}
