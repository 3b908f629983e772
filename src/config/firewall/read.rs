//! The values of the keys of the firewall.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::{Masquerade, PortForward, Protocol};
use crate::config::document::Entry;
use crate::config::model::Interface;
use crate::config::reader::Reader;
use crate::config::report::{Fault, quoted};
use crate::config::span::{Fragment, Spanned};
use crate::config::values;
use crate::net::{Ifname, Invalid};

/// `yes` or `no`.
pub(in crate::config) fn yes_or_no(value: Fragment<'_>) -> Result<Spanned<bool>, Fault> {
    Ok(value.spanned(values::choice(value, "yes", "no")?))
}

/// `Masquerade`: `yes`, `no`, or names of interfaces, between commas or blanks.
pub(in crate::config) fn masquerade(value: Fragment<'_>) -> Result<Spanned<Masquerade>, Fault> {
    let text = value.as_str();
    let masquerade = if text.eq_ignore_ascii_case("yes") {
        Masquerade::Anywhere
    } else if text.eq_ignore_ascii_case("no") {
        Masquerade::No
    } else if ["true", "false", "on", "off", "1", "0"].contains(&text.to_ascii_lowercase().as_str())
    {
        let wrong = format!(
            "must be yes, no or names of interfaces, not {}",
            quoted(text)
        );
        return Err(Fault::new(value, wrong));
    } else {
        let names: Result<BTreeSet<Ifname>, Fault> =
            values::items(value).into_iter().map(ifname).collect();
        Masquerade::By(names?)
    };
    Ok(value.spanned(masquerade))
}

/// `ExcludeIPs`: any number of prefixes, between commas.
pub(in crate::config) fn exclude_ips(
    interface: &mut Interface,
    entry: Entry<'_>,
    reader: &mut Reader<'_>,
) {
    for item in values::prefixes(entry.value) {
        match values::prefix(item, &mut reader.report) {
            Ok(prefix) => interface.firewall.exclude_ips.push(item.spanned(prefix)),
            Err(fault) => reader.report.error(fault),
        }
    }
}

/// `PortForward`: `[IFNAME:]PROTOCOL/PORTS -> ADDRESS[:PORT]`.
pub(in crate::config) fn port_forward(value: Fragment<'_>) -> Result<Spanned<PortForward>, Fault> {
    const FORM: &str = "write it as tcp/8080 -> 10.0.0.2:80";
    let (from, to) = value
        .split_once("->")
        .ok_or_else(|| Fault::new(value, "there is no `->`").hint(FORM))?;
    let (from, to) = (from.trim(), to.trim());
    let (service, port) = from
        .rsplit_once("/")
        .ok_or_else(|| Fault::new(from, "there is no `/` between protocol and port").hint(FORM))?;
    let (limit, protocol) = match service.rsplit_once(":") {
        Some((limit, protocol)) => (Some(limit.trim()), protocol.trim()),
        None => (None, service.trim()),
    };
    let (to, to_port) = target(to)?;
    let ports = ports(port.trim())?;
    if to_port.is_some() && ports.start() != ports.end() {
        let wrong = "several ports go to the same ones there: name none after the address";
        return Err(Fault::new(value, wrong));
    }
    Ok(value.spanned(PortForward {
        ifname: limit.map(ifname).transpose()?,
        protocol: self::protocol(protocol)?,
        ports,
        to,
        to_port,
    }))
}

fn ifname(part: Fragment<'_>) -> Result<Ifname, Fault> {
    let name = part.as_str().parse();
    name.map_err(|error: Invalid| Fault::new(part, error.to_string()))
}

fn protocol(part: Fragment<'_>) -> Result<Protocol, Fault> {
    match part.as_str().to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => {
            let wrong = format!("must be tcp or udp, not {}", quoted(part.as_str()));
            Err(Fault::new(part, wrong))
        }
    }
}

fn port(part: Fragment<'_>) -> Result<u16, Fault> {
    let number = values::number(part, 1, u16::MAX.into())?;
    u16::try_from(number).map_err(|error| Fault::new(part, error.to_string()))
}

/// `80` or `27015-27030`.
fn ports(part: Fragment<'_>) -> Result<RangeInclusive<u16>, Fault> {
    let Some((first, last)) = part.split_once("-") else {
        let only = port(part)?;
        return Ok(only..=only);
    };
    let (first, last) = (port(first.trim())?, port(last.trim())?);
    if first > last {
        return Err(Fault::new(part, format!("{first} is behind {last}")));
    }
    Ok(first..=last)
}

/// `10.0.0.2`, `10.0.0.2:80`, `fd00::2`, `[fd00::2]:443`.
fn target(part: Fragment<'_>) -> Result<(IpAddr, Option<u16>), Fault> {
    let text = part.as_str();
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok((ip, None));
    }
    let Some((ip, at)) = part.rsplit_once(":") else {
        return Err(not_an_address(part));
    };
    let bare = ip.as_str().trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().map_err(|_| not_an_address(ip))?;
    Ok((address, Some(port(at)?)))
}

fn not_an_address(part: Fragment<'_>) -> Fault {
    let wrong = format!("{} is not an IP address", quoted(part.as_str()));
    Fault::new(part, wrong).hint("it is the address of a peer, in its AllowedIPs")
}
