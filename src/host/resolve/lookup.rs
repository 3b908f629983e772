//! One call of getaddrinfo(3), as wg(8) makes it.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType, getaddrinfo};

use super::{Answer, Name};

/// Why a name has no address; prints what the C library says of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct LookupError {
    text: String,
    is_temporary: bool,
}

impl LookupError {
    /// Whether it is worth asking again.
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    pub(super) fn new(text: &str, is_temporary: bool) -> Self {
        Self {
            text: text.to_owned(),
            is_temporary,
        }
    }
}

impl From<dns_lookup::LookupError> for LookupError {
    fn from(error: dns_lookup::LookupError) -> Self {
        use LookupErrorKind::{Again, Badflags, Fail, Family, IO, Memory, NoData, NoName};
        use LookupErrorKind::{Service, Socktype, System, Unknown};
        // https://sourceware.org/glibc/wiki/NameResolver calls three of them permanent, and so does wg; ours alone is `IO`
        // without a number, a host with a NUL in it
        let is_temporary = match error.kind() {
            NoName | Fail | NoData => false,
            IO => error.error_num() != 0,
            Again | Badflags | Family | Socktype | Service | Memory | System | Unknown => true,
        };
        let text = std::io::Error::from(error).to_string();
        let prefix = "failed to lookup address information: ";
        Self::new(text.strip_prefix(prefix).unwrap_or(&text), is_temporary)
    }
}

/// Looks a name up, once.
pub(super) fn lookup(name: &Name) -> Answer {
    if let Ok(ip) = name.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, name.port)]);
    }
    let hints = AddrInfoHints {
        socktype: SockType::DGram.into(),
        ..AddrInfoHints::default()
    };
    let mut seen = BTreeSet::new();
    let addresses: Vec<SocketAddr> =
        getaddrinfo(Some(&name.host), Some(&name.port.to_string()), Some(hints))?
            .filter_map(|info| Some(info.ok()?.sockaddr)) // those of other families than IP
            .filter(|address| seen.insert(*address))
            .collect();
    if addresses.is_empty() {
        return Err(LookupError::new(
            "No address associated with hostname",
            false,
        ));
    }
    Ok(addresses)
}
