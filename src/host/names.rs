//! What names stand for on this host: routing tables and services.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fs;

use crate::config::Names;
use crate::net::Ifname;

/// The files with the names of routing tables; the host's own ones come later and count more (ip-route(8)).
const TABLES: [&str; 2] = ["/usr/share/iproute2/rt_tables", "/etc/iproute2/rt_tables"];

/// The folders with more of them.
const TABLE_FOLDERS: [&str; 2] = [
    "/usr/share/iproute2/rt_tables.d",
    "/etc/iproute2/rt_tables.d",
];

/// Returns the names for the file of an interface, which are read when first asked for; files that are not there have none.
pub fn names(ifname: Ifname) -> Names {
    Names {
        ifname: Some(ifname),
        tables: LazyCell::new(tables),
        services: LazyCell::new(|| {
            parse_services(&fs::read_to_string("/etc/services").unwrap_or_default())
        }),
    }
}

fn tables() -> BTreeMap<String, u32> {
    let mut tables = BTreeMap::new();
    for (file, folder) in TABLES.iter().zip(TABLE_FOLDERS) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let more = entries.map(|entry| entry.path());
        let more = more.filter(|path| path.extension().is_some_and(|ending| ending == "conf"));
        for path in std::iter::once(file.into()).chain(more) {
            tables.extend(parse_tables(&fs::read_to_string(path).unwrap_or_default()));
        }
    }
    tables
}

/// Lines of `NUMBER NAME`, the number decimal or with `0x`.
fn parse_tables(text: &str) -> BTreeMap<String, u32> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let (table, name) = (number(words.next()?)?, words.next()?);
        Some((name.to_owned(), table))
    });
    lines.collect()
}

/// Lines of `NAME PORT/PROTOCOL ALIAS...` (services(5)); those of UDP count.
fn parse_services(text: &str) -> BTreeMap<String, u16> {
    let mut services = BTreeMap::new();
    for line in text.lines() {
        let mut words = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace();
        let (Some(name), Some(place)) = (words.next(), words.next()) else {
            continue;
        };
        let Some(Ok(port)) = place.strip_suffix("/udp").map(str::parse) else {
            continue;
        };
        for name in std::iter::once(name).chain(words) {
            services.entry(name.to_owned()).or_insert(port); // the first line counts
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_numbers_with_names() {
        let tables = parse_tables("# a comment\n255\tlocal\n0x64 office # here\nbad line\n");
        assert_eq!(
            tables,
            BTreeMap::from([("local".into(), 255), ("office".into(), 100)])
        );
    }

    #[test]
    fn services_are_those_of_udp_with_aliases() {
        let services = parse_services("domain 53/tcp\ndomain 53/udp dns # names\nssh 22/tcp\n");
        assert_eq!(
            services,
            BTreeMap::from([("domain".into(), 53), ("dns".into(), 53)])
        );
    }
}
