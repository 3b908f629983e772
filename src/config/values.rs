//! The values of the keys: what wg(8), wg-quick(8) and ip(8) would read, and no more than that.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::document::Entry;
use super::endpoint::is_name;
use super::model::{Interface, Peer, Table};
use super::reader::{Names, Reader};
use super::report::{Fault, Report, quoted};
use super::span::{Fragment, Spanned, is_blank};
use crate::key::{InvalidKey, KEY_LEN, PresharedKey, PrivateKey, PublicKey};
use crate::net::{Address, FwMark, Invalid, Netns, Prefix, TableId};

/// A key as the kernel says that there is none.
const NO_KEY: &[u8; KEY_LEN] = &[0; KEY_LEN];

/// A key: 44 characters of base64.
pub(super) fn key<K: FromStr<Err = InvalidKey>>(value: Fragment<'_>) -> Result<K, Fault> {
    let text = Zeroizing::new(value.squashed().into_owned());
    text.parse()
        .map_err(|error: InvalidKey| Fault::new(value, error.to_string()))
}

/// `PublicKey`
pub(super) fn public_key(value: Fragment<'_>) -> Result<PublicKey, Fault> {
    key(value).map_err(|fault| fault.hint("the peer's own `wg pubkey` prints it"))
}

/// `PrivateKey`
pub(super) fn private_key(value: Fragment<'_>) -> Result<Option<PrivateKey>, Fault> {
    Ok(Some(key::<PrivateKey>(value)?).filter(|key| key.as_bytes() != NO_KEY))
}

/// `PresharedKey`
pub(super) fn preshared_key(value: Fragment<'_>) -> Result<Option<PresharedKey>, Fault> {
    Ok(Some(key::<PresharedKey>(value)?).filter(|key| key.as_bytes() != NO_KEY))
}

/// `FwMark`: `off`, decimal (010 is ten), or hexadecimal after a small `0x`.
pub(super) fn fwmark(value: Fragment<'_>) -> Result<FwMark, Fault> {
    let text = value.squashed();
    let mark = if text.eq_ignore_ascii_case("off") {
        Some(0)
    } else {
        text.strip_prefix("0x")
            .map_or_else(|| decimal(&text), hexadecimal)
    };
    mark.map(FwMark).ok_or_else(|| {
        let expected = "must be off or 0-0xffffffff, not";
        Fault::new(value, format!("{expected} {}", quoted(&text)))
    })
}

/// `PersistentKeepalive`: `off` or seconds; 0 is off.
pub(super) fn keepalive(value: Fragment<'_>) -> Result<Option<u16>, Fault> {
    let text = value.squashed();
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let seconds = decimal(&text).and_then(|seconds| u16::try_from(seconds).ok());
    let seconds = seconds.ok_or_else(|| {
        let expected = "must be off or 0-65535 seconds, not";
        Fault::new(value, format!("{expected} {}", quoted(&text)))
    })?;
    Ok((seconds > 0).then_some(seconds))
}

/// `MTU`, or none. IPv4 needs 68 bytes (RFC 791), and no packet has more than 65535.
pub(super) fn mtu(value: Fragment<'_>) -> Result<Option<Spanned<u32>>, Fault> {
    if value.is_empty() {
        return Ok(None);
    }
    Ok(Some(value.spanned(number(value, 68, 65535)?)))
}

/// `Table`: `auto`, `off`, a number, or the name of one.
pub(super) fn table(value: Fragment<'_>, names: &Names) -> Result<Table, Fault> {
    let text = value.as_str();
    if text.is_empty() || text.eq_ignore_ascii_case("auto") {
        return Ok(Table::Auto);
    }
    if text.eq_ignore_ascii_case("off") {
        return Ok(Table::Off);
    }
    let id = match names.table(text) {
        Some(id) => id,
        None if text.starts_with(|c: char| c.is_ascii_digit()) => number(value, 0, u32::MAX)?,
        None => {
            let unknown = format!("there is no routing table named {}", quoted(text));
            return Err(Fault::new(value, unknown).hint(
                "it is auto, off, a number, or a name that /etc/iproute2/rt_tables gives one",
            ));
        }
    };
    // RT_TABLE_UNSPEC: the kernel takes main for it
    Ok(Table::Id(if id == 0 { TableId::MAIN } else { TableId(id) }))
}

/// `PreUp` and the like: the command, with what looks like a comment.
pub(super) fn hook(commands: &mut Vec<String>, entry: Entry<'_>) {
    let command = entry.verbatim.as_str();
    if !command.is_empty() {
        commands.push(command.to_owned());
    }
}

/// A path, as written.
pub(super) fn path(value: Fragment<'_>) -> Result<Spanned<PathBuf>, Fault> {
    if key::<PrivateKey>(value).is_ok() {
        let fault = Fault::new(value, "this is a key, not the name of a file that has one");
        return Err(fault.hint("a key in the file itself is a PrivateKey or PresharedKey"));
    }
    Ok(value.spanned(PathBuf::from(value.as_str())))
}

/// `Netns`: the name of a network namespace, as ip-netns(8) takes it.
pub(super) fn netns(value: Fragment<'_>) -> Result<Spanned<Netns>, Fault> {
    let netns = value.as_str().parse();
    let netns = netns.map_err(|wrong: Invalid| Fault::new(value, wrong.to_string()))?;
    Ok(value.spanned(netns))
}

/// One of two words, in any case; whether it is the first.
pub(super) fn choice(value: Fragment<'_>, first: &str, second: &str) -> Result<bool, Fault> {
    let text = value.as_str();
    let is_first = text.eq_ignore_ascii_case(first);
    if is_first || text.eq_ignore_ascii_case(second) {
        Ok(is_first)
    } else {
        let wrong = format!("must be {first} or {second}, not {}", quoted(text));
        Err(Fault::new(value, wrong))
    }
}

/// `Address`: any number of them, between commas or blanks.
pub(super) fn addresses(interface: &mut Interface, entry: Entry<'_>, reader: &mut Reader<'_>) {
    for item in items(entry.value) {
        match netmask(item).map_or_else(|| address(item), Ok) {
            Ok(address) => interface.addresses.push(item.spanned(address)),
            Err(fault) => reader.report.error(fault),
        }
    }
}

/// `DNS`: servers and domains to search, between commas or blanks; with a `~` in front a domain is systemd-resolved's for
/// routing alone.
pub(super) fn dns(interface: &mut Interface, entry: Entry<'_>, reader: &mut Reader<'_>) {
    for item in items(entry.value) {
        let text = item.as_str();
        if let Ok(server) = text.parse() {
            interface.dns.servers.push(server);
        } else if text.contains(':') || text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            let wrong = format!("{} is not an IP address", quoted(text));
            reader.report.error(Fault::new(item, wrong));
        } else if text == "~." || is_name(text.strip_prefix('~').unwrap_or(text)) {
            interface.dns.search.push(text.to_owned());
        } else {
            let wrong = format!("{} is neither an IP address nor a domain", quoted(text));
            reader.report.error(Fault::new(item, wrong));
        }
    }
}

/// `AllowedIPs`: prefixes between commas, each with `+` in front, which says nothing, or `-`, which takes it away again.
pub(super) fn allowed_ips(peer: &mut Peer, entry: Entry<'_>, reader: &mut Reader<'_>) {
    for item in prefixes(entry.value) {
        let removed = item.strip_prefix('-');
        let part = removed.or(item.strip_prefix('+')).unwrap_or(item);
        let prefix = match prefix(part, &mut reader.report) {
            Ok(prefix) => prefix,
            Err(fault) => {
                reader.report.error(fault);
                continue;
            }
        };
        if removed.is_some() {
            peer.allowed_ips.remove(&prefix);
            reader.release(prefix);
        } else {
            peer.allowed_ips.insert(prefix);
            reader.claim(prefix, part);
        }
    }
}

/// A prefix; host bits are told.
pub(super) fn prefix(part: Fragment<'_>, report: &mut Report<'_>) -> Result<Prefix, Fault> {
    let address = address(part)?;
    let prefix = address.prefix();
    if address.ip() != prefix.ip() {
        let told = format!(
            "{} has host bits: it stands for {prefix}",
            quoted(part.as_str())
        );
        report.warning(Fault::new(part, told));
    }
    Ok(prefix)
}

/// A number, decimal or hexadecimal, as `ip` reads them; but not octal, which nobody means.
pub(super) fn number(value: Fragment<'_>, least: u32, most: u32) -> Result<u32, Fault> {
    let text = value.as_str();
    let hex = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    if hex.is_none() && text.len() > 1 && text.starts_with('0') {
        return Err(Fault::new(value, format!("{} begins with 0", quoted(text)))
            .hint("`ip` would read it as octal; leave the 0 out"));
    }
    hex.map_or_else(|| decimal(text), hexadecimal)
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            let wrong = format!("must be {least}-{most}, not {}", quoted(text));
            Fault::new(value, wrong)
        })
}

/// A number of decimal digits alone, as wg reads them: zeros in front say nothing.
pub(super) fn decimal(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn hexadecimal(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if all {
        u32::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

/// Reads a time as `Expires` has it; none if it is none.
pub fn parse_time(text: &str) -> Option<SystemTime> {
    let date = || humantime::parse_rfc3339(&format!("{text}T00:00:00Z"));
    humantime::parse_rfc3339(text).or_else(|_| date()).ok()
}

/// `Expires`: `2026-12-24` (its first second) or `2026-12-24T18:00:00Z`, in UTC (RFC 3339).
pub(super) fn time(value: Fragment<'_>) -> Result<SystemTime, Fault> {
    let text = value.as_str();
    parse_time(text).ok_or_else(|| {
        let expected = "expected a time in UTC, like 2026-12-24 or 2026-12-24T18:00:00Z, not";
        Fault::new(value, format!("{expected} {}", quoted(text)))
    })
}

/// The items of `Address` and `DNS`.
pub(super) fn items(value: Fragment<'_>) -> Vec<Fragment<'_>> {
    let items = value.split(|c| c == ',' || is_blank(c));
    items.filter(|item| !item.is_empty()).collect()
}

/// The items of `AllowedIPs`.
pub(super) fn prefixes(value: Fragment<'_>) -> Vec<Fragment<'_>> {
    value.split(|c| c == ',').map(Fragment::trim).collect()
}

/// An item of `Address` that is one.
pub(super) fn interface_address(item: Fragment<'_>) -> Option<Address> {
    netmask(item).or_else(|| address(item).ok())
}

/// An item of `AllowedIPs` that is one, and is not taken away.
pub(super) fn added_prefix(item: Fragment<'_>) -> Option<Prefix> {
    let part = item.strip_prefix('+').unwrap_or(item);
    address(part).ok().map(Address::prefix)
}

/// An address with or without a length; what is wrong is told of the part that is.
fn address(item: Fragment<'_>) -> Result<Address, Fault> {
    item.squashed().parse().map_err(|error: Invalid| {
        if item.as_str().contains(is_blank) {
            let told = format!("{} is not one prefix", quoted(item.as_str()));
            return Fault::new(item, told).hint("between prefixes goes a comma");
        }
        let (ip, len) = item.split_once("/").unwrap_or((item, item));
        if ip.as_str().parse::<IpAddr>().is_ok() {
            Fault::new(len, error.to_string())
        } else {
            not_an_address(ip)
        }
    })
}

fn not_an_address(item: Fragment<'_>) -> Fault {
    let text = item.as_str();
    if text.is_empty() {
        return Fault::new(item, "there is no address here");
    }
    let fault = Fault::new(item, format!("{} is not an IP address", quoted(text)));
    let octets: Option<Vec<_>> = text.split('.').map(decimal).collect();
    match octets.as_deref() {
        Some(&[a @ ..=255, b @ ..=255, c @ ..=255, d @ ..=255]) => fault.hint(format!(
            "a leading 0 is octal to some programs; if it is not meant so, write {a}.{b}.{c}.{d}"
        )),
        _ => fault,
    }
}

/// An address with an IPv4 netmask, which `ip` takes for a length: `10.0.0.1/255.255.255.0`.
fn netmask(item: Fragment<'_>) -> Option<Address> {
    let (ip, mask) = item.as_str().split_once('/')?;
    let mask = mask.parse::<Ipv4Addr>().ok()?.to_bits();
    let len = u8::try_from(mask.leading_ones()).ok()?;
    let contiguous = mask.count_zeros() == mask.trailing_zeros();
    let ip = IpAddr::V4(ip.parse().ok()?);
    Address::new(ip, len).filter(|_| contiguous)
}
