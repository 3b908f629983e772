//! What a tunnel has beyond the device, in words.

use super::{Forwarding, Layers};
use crate::config::Masquerade;
use crate::state::{Dns, DnsBackend};

/// Whether the host passes packets on: `IPv4 and IPv6, turned on by wgq`, `IPv4`, `off`; none if it cannot.
pub(super) fn forwarding(layers: &Layers) -> Option<String> {
    let families = [("IPv4", layers.forwards_v4), ("IPv6", layers.forwards_v6)];
    let known = families.iter().any(|(_, forwarding)| forwarding.is_some());
    let on = |(family, forwarding): (&'static str, Option<Forwarding>)| {
        let forwarding = forwarding.filter(|it| it.is_on)?;
        Some((family, forwarding.by_wgq))
    };
    let on: Vec<(&str, bool)> = families.into_iter().filter_map(on).collect();
    let all_by_wgq = on.iter().all(|(_, by_wgq)| *by_wgq);
    let words = on.iter().map(|&(family, by_wgq)| {
        if by_wgq && !all_by_wgq {
            format!("{family} (turned on by wgq)")
        } else {
            family.to_owned()
        }
    });
    let words = words.collect::<Vec<_>>().join(" and ");
    let words = match (on.is_empty(), all_by_wgq) {
        (true, _) => "off".to_owned(),
        (false, true) => format!("{words}, turned on by wgq"),
        (false, false) => words,
    };
    known.then_some(words)
}

/// Where what came in by the tunnel leaves with the address of this host.
pub(super) fn masquerade(masquerade: &Masquerade) -> String {
    match masquerade {
        Masquerade::No => "no".to_owned(),
        Masquerade::Anywhere => "what leaves by any other interface".to_owned(),
        Masquerade::By(names) => {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            format!("what leaves by {}", names.join(", "))
        }
    }
}

/// What the resolver was told: `10.8.0.1, search example.com, by systemd-resolved`.
pub(super) fn dns(dns: &Dns) -> String {
    let mut words: Vec<String> = dns.servers.iter().map(ToString::to_string).collect();
    if !dns.search.is_empty() {
        words.push(format!("search {}", dns.search.join(" ")));
    }
    words.push(format!("by {}", backend(&dns.backend)));
    words.join(", ")
}

/// Who keeps the host's resolver configuration.
pub(super) fn backend(backend: &DnsBackend) -> String {
    match backend {
        DnsBackend::Resolved => "systemd-resolved".to_owned(),
        DnsBackend::Resolvconf { .. } => "resolvconf".to_owned(),
        DnsBackend::NetworkManager => "NetworkManager".to_owned(),
        DnsBackend::File => "/etc/resolv.conf".to_owned(),
        DnsBackend::Netns { name } => format!("/etc/netns/{name}/resolv.conf"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarding_is_told_by_family() {
        let of = |v4: Option<(bool, bool)>, v6: Option<(bool, bool)>| {
            let forwarding = |(is_on, by_wgq)| Forwarding { is_on, by_wgq };
            forwarding_text(v4.map(forwarding), v6.map(forwarding))
        };
        let (off, on, ours) = ((false, false), (true, false), (true, true));
        assert_eq!(of(None, None), None);
        for (v4, v6, text) in [
            (Some(off), Some(off), "off"),
            (Some(on), None, "IPv4"),
            (Some(on), Some(on), "IPv4 and IPv6"),
            (Some(ours), Some(off), "IPv4, turned on by wgq"),
            (Some(ours), Some(ours), "IPv4 and IPv6, turned on by wgq"),
            (Some(ours), Some(on), "IPv4 (turned on by wgq) and IPv6"),
        ] {
            assert_eq!(of(v4, v6).as_deref(), Some(text));
        }
    }

    fn forwarding_text(v4: Option<Forwarding>, v6: Option<Forwarding>) -> Option<String> {
        forwarding(&Layers {
            forwards_v4: v4,
            forwards_v6: v6,
            ..Layers::default()
        })
    }
}
