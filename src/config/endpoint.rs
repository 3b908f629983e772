//! Endpoints and ports, read as wg(8) reads them through getaddrinfo(3), but without what that makes of nonsense.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::model::Endpoint;
use super::reader::{Names, Reader};
use super::report::{Fault, quoted};
use super::span::Fragment;
use super::values::decimal;

/// A UDP port: a number, or the name of a service.
pub(super) fn port(value: Fragment<'_>, names: &Names) -> Result<u16, Fault> {
    let text = value.squashed();
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    if number && !text.is_empty() {
        let port = decimal(&text).and_then(|port| u16::try_from(port).ok());
        return port.ok_or_else(|| {
            let wrong = format!("port must be 0-65535, not {}", quoted(&text));
            Fault::new(value, wrong)
        });
    }
    names.services.get(&*text).copied().ok_or_else(|| {
        let wrong = format!(
            "{} is neither a port nor the name of a UDP service",
            quoted(&text)
        );
        Fault::new(value, wrong)
    })
}

/// `Endpoint`: `HOST:PORT` or `[HOST]:PORT`, where the host is an address or a name.
pub(super) fn endpoint(value: Fragment<'_>, reader: &mut Reader<'_>) -> Result<Endpoint, Fault> {
    let no_port = || {
        Fault::new(value, "there is no port")
            .hint("it is HOST:PORT, or [ADDRESS]:PORT for an IPv6 address")
    };
    let (host, port_part, bracketed) = if let Some(rest) = value.strip_prefix('[') {
        let (host, rest) = rest
            .split_once("]")
            .ok_or_else(|| Fault::new(value, "there is no `]` for its `[`"))?;
        let port = rest.trim().strip_prefix(':').ok_or_else(no_port)?;
        (host.trim(), port.trim(), true)
    } else {
        let (host, port) = value.rsplit_once(":").ok_or_else(no_port)?;
        (host.trim(), port.trim(), false)
    };
    if port_part.is_empty() {
        return Err(no_port());
    }
    let port = port(port_part, reader.names)?;
    let endpoint = host_at(host, port)?;
    if !bracketed && host.as_str().contains(':') {
        reader.report.warning(
            Fault::new(
                value,
                format!("an IPv6 address without brackets: read as {endpoint}"),
            )
            .hint(format!(
                "write {endpoint}, or [ADDRESS]:PORT if the port is missing"
            )),
        );
    }
    Ok(endpoint)
}

/// Reads `HOST:PORT` or `[HOST]:PORT`, and `HOST` alone as that at the given port. An error is a sentence's rest.
pub fn parse_endpoint(text: &str, port: Option<u16>) -> Result<Endpoint, String> {
    let inside = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, written) = match (inside, text.split_once(':')) {
        (Some((host, "")), _) => (host, None),
        (Some((host, rest)), _) => (host, rest.strip_prefix(':')),
        (None, Some((host, port))) if !port.contains(':') => (host, Some(port)),
        (None, _) => (text, None),
    };
    let is_port = |port: &u16| *port != 0;
    let port = match written {
        Some(written) => written.parse().ok().filter(is_port),
        None => port.filter(is_port),
    };
    let port = port.ok_or("expected HOST:PORT, with [ADDRESS]:PORT for IPv6")?;
    let endpoint = host_at(Fragment::new(host, 1, 0), port);
    endpoint.map_err(|fault| fault.message().to_owned())
}

/// The endpoint at a port of that host.
fn host_at(written: Fragment<'_>, port: u16) -> Result<Endpoint, Fault> {
    let host = written.squashed();
    if host.is_empty() {
        return Err(Fault::new(written, "there is no host before the port"));
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(Endpoint::Addr(SocketAddr::new(ip, port)));
    }
    let name = Endpoint::Name {
        host: host.clone().into_owned(),
        port,
    };
    if host.contains(':') {
        let scoped = host
            .split_once('%')
            .is_some_and(|(ip, scope)| ip.parse::<Ipv6Addr>().is_ok() && !scope.is_empty());
        return scoped.then_some(name).ok_or_else(|| {
            Fault::new(written, format!("{} is not an IPv6 address", quoted(&host)))
                .hint("it is HOST:PORT, or [ADDRESS]:PORT for an IPv6 address")
        });
    }
    if ends_in_number(&host) {
        let fault = Fault::new(written, format!("{} is not an IP address", quoted(&host)));
        return Err(match inet_aton(&host) {
            Some(ip) => fault.hint(format!(
                "wg would read it as {ip}; write that if it is meant"
            )),
            None => fault,
        });
    }
    if is_name(&host) {
        Ok(name)
    } else {
        Err(Fault::new(
            written,
            format!(
                "{} is neither an IP address nor the name of a host",
                quoted(&host)
            ),
        ))
    }
}

/// Whether a resolver could know the name (RFC 1035's lengths). Letters beyond ASCII, `_` and such are left to it.
pub(super) fn is_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let odd = |c: char| c.is_control() || (c.is_ascii_punctuation() && !"-_.".contains(c));
    host.len() <= 253
        && !host.contains(odd)
        && host.split('.').all(|label| (1..=63).contains(&label.len()))
}

/// Whether the last label is a number: no top-level domain is, so an IPv4 address is meant.
fn ends_in_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    octal_or_hexadecimal(last).is_some()
        || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What `inet_aton(3)` makes of a text: up to four numbers, octal after 0 and hexadecimal after 0x, the last one filling
/// the bytes that are left.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = text
        .split('.')
        .map(octal_or_hexadecimal)
        .collect::<Option<_>>()?;
    let (&last, firsts) = parts.split_last()?;
    let free = u32::try_from(4_usize.checked_sub(firsts.len())?).ok()? * 8;
    if free == 0 || u64::from(last) >= 1 << free {
        return None;
    }
    let mut bits = u64::from(last);
    for (&octet, shift) in firsts.iter().zip([24, 16, 8]) {
        bits |= u64::from(u8::try_from(octet).ok()?) << shift;
    }
    u32::try_from(bits).ok().map(Ipv4Addr::from_bits)
}

/// A number in C's notation.
fn octal_or_hexadecimal(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let clean = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if clean {
        u32::from_str_radix(digits, radix).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_addresses_are_what_c_makes_of_them() {
        let read = |text| inet_aton(text).map(|ip| ip.to_string());
        assert_eq!(read("010.0.0.1").as_deref(), Some("8.0.0.1"));
        assert_eq!(read("16909060").as_deref(), Some("1.2.3.4"));
        assert_eq!(read("0x7f.1").as_deref(), Some("127.0.0.1"));
        assert_eq!(read("1.2.65535").as_deref(), Some("1.2.255.255"));
        assert_eq!(read("4294967295").as_deref(), Some("255.255.255.255"));
        for none in [
            "",
            "1.2.65536",
            "256.1",
            "1.2.3.4.5",
            "08",
            "1..2",
            "4294967296",
            "+1",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
