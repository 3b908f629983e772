//! The text of a step, in the syntax of the tool that a person would use for it.

mod dns;

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use super::Step;
use crate::key::{KEY_LEN, PublicKey};
use crate::net::{Family, Ifname, Prefix, TableId};
use crate::state::{DeviceSettings, LinkKind, LinkSettings, Peer, PolicyRule, Route, Selector};

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddNetns(netns) => {
                write!(f, "ip netns add {netns}; ip -n {netns} link set lo up")
            }
            Self::DeleteNetns(netns) => write!(f, "ip netns delete {netns}"),
            Self::AddLink { ifname, kind } => add_link(f, *ifname, kind),
            Self::DeleteLink { ifname, .. } => write!(f, "ip link delete dev {ifname}"),
            Self::SetLink { ifname, from, to } => set_link(f, *ifname, *from, *to),
            Self::SetDevice { ifname, from, to } => set_device(f, *ifname, from, to),
            Self::SetPeer { ifname, from, to } => set_peer(f, *ifname, from.as_ref(), to.as_ref()),
            Self::AddAddress { ifname, address } => {
                let family = address.family();
                write!(f, "ip {family} address add {address} dev {ifname}")?;
                match family {
                    Family::V4 => Ok(()),
                    Family::V6 => f.write_str(" nodad"),
                }
            }
            Self::DeleteAddress { ifname, address } => {
                write!(
                    f,
                    "ip {} address delete {address} dev {ifname}",
                    address.family()
                )
            }
            Self::AddRoute { ifname, route } => change_route(f, "add", *ifname, route),
            Self::DeleteRoute { ifname, route } => change_route(f, "delete", *ifname, route),
            Self::AddRule(rule) => {
                change_rule(f, "add", rule)?;
                f.write_str(" protocol kernel")
            }
            Self::DeleteRule(rule) => change_rule(f, "delete", rule),
            Self::SetNftTable {
                from: _,
                to: Some(table),
            } => {
                write!(f, "nft -f - <<'EOF'\n{table}EOF")
            }
            Self::SetNftTable {
                from: Some(table),
                to: None,
            } => {
                write!(f, "nft delete table inet {}", table.name)
            }
            Self::SetNftTable {
                from: None,
                to: None,
            } => Ok(()),
            Self::AddAccept(accept) => accept.write_add(f),
            Self::DeleteAccept(accept) => accept.write_delete(f),
            Self::DeleteWgQuickTable { ifname, family } => {
                let family = if *family == Family::V4 { "ip" } else { "ip6" };
                write!(f, "nft delete table {family} wg-quick-{ifname}")
            }
            Self::SetSysctl {
                sysctl, to, keep, ..
            } => {
                write!(f, "sysctl -q {}={to}", sysctl.0)?;
                let mut kept = keep.iter();
                kept.try_for_each(|(sysctl, value)| write!(f, " {}={value}", sysctl.0))
            }
            Self::SetDns { ifname, from, to } => {
                dns::set_dns(f, *ifname, from.as_ref(), to.as_ref())
            }
            Self::Hook { command, .. } => f.write_str(&without_keys(command)),
        }
    }
}

/// A step in one line of bearable length: for the trace and for errors, where the whole may be a table or 60,000 prefixes.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'a>(pub &'a Step);

/// The longest line of a [`Brief`], in characters.
const MOST_CHARACTERS: usize = 400;

impl Display for Brief<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Step::SetNftTable {
            to: Some(table), ..
        } = self.0
        {
            return write!(f, "nft -f - # table inet {}", table.name);
        }
        let text = self.0.to_string();
        let mut lines = text.lines();
        let line = lines.next().unwrap_or_default();
        match line.char_indices().nth(MOST_CHARACTERS) {
            Some((end, _)) => write!(f, "{}...", line.get(..end).unwrap_or_default()),
            None if lines.next().is_some() => write!(f, "{line} ..."),
            None => f.write_str(line),
        }
    }
}

fn add_link(f: &mut Formatter<'_>, ifname: Ifname, kind: &LinkKind) -> fmt::Result {
    match kind {
        LinkKind::Kernel => write!(f, "ip link add dev {ifname} type wireguard"),
        LinkKind::Userspace {
            program: Some(program),
        } => write!(f, "{program} {ifname}"),
        LinkKind::Userspace { program: None } => write!(f, "wgq userspace {ifname}"),
    }
}

fn set_link(
    f: &mut Formatter<'_>,
    ifname: Ifname,
    from: LinkSettings,
    to: LinkSettings,
) -> fmt::Result {
    f.write_str("ip link set")?;
    if from.mtu != to.mtu || from == LinkSettings::NEW {
        write!(f, " mtu {}", to.mtu)?;
    }
    if from.up != to.up {
        f.write_str(if to.up { " up" } else { " down" })?;
    }
    write!(f, " dev {ifname}")
}

fn set_device(
    f: &mut Formatter<'_>,
    ifname: Ifname,
    from: &DeviceSettings,
    to: &DeviceSettings,
) -> fmt::Result {
    write!(f, "wg set {ifname}")?;
    if from.private_key != to.private_key {
        let key = if to.private_key.is_some() {
            "(hidden)"
        } else {
            "/dev/null"
        };
        write!(f, " private-key {key}")?;
    }
    if from.listen_port != to.listen_port {
        write!(f, " listen-port {}", to.listen_port.unwrap_or(0))?;
    }
    if from.fwmark != to.fwmark {
        match to.fwmark {
            Some(mark) if mark.0 != 0 => write!(f, " fwmark {mark}")?,
            _ => f.write_str(" fwmark off")?,
        }
    }
    Ok(())
}

fn set_peer(
    f: &mut Formatter<'_>,
    ifname: Ifname,
    from: Option<&Peer>,
    to: Option<&Peer>,
) -> fmt::Result {
    let Some(to) = to else {
        let key = from
            .map(|peer| peer.public_key.to_string())
            .unwrap_or_default();
        return write!(f, "wg set {ifname} peer {key} remove");
    };
    write!(f, "wg set {ifname} peer {}", to.public_key)?;
    if from.and_then(|from| from.preshared_key.as_ref()) != to.preshared_key.as_ref() {
        let key = if to.preshared_key.is_some() {
            "(hidden)"
        } else {
            "/dev/null"
        };
        write!(f, " preshared-key {key}")?;
    }
    if let Some(endpoint) = to.endpoint
        && from.and_then(|from| from.endpoint) != Some(endpoint)
    {
        write!(f, " endpoint {endpoint}")?;
    }
    if from.and_then(|from| from.persistent_keepalive) != to.persistent_keepalive {
        match to.persistent_keepalive {
            Some(seconds) => write!(f, " persistent-keepalive {seconds}")?,
            None => f.write_str(" persistent-keepalive off")?,
        }
    }
    match from {
        None if to.allowed_ips.is_empty() => Ok(()),
        None => list(f, " allowed-ips ", to.allowed_ips.iter()),
        Some(from) => changed_allowed_ips(f, &from.allowed_ips, &to.allowed_ips),
    }
}

/// Writes what is added and what is taken away, in the form of `wg set` since 1.0.20250521.
fn changed_allowed_ips(
    f: &mut Formatter<'_>,
    from: &BTreeSet<Prefix>,
    to: &BTreeSet<Prefix>,
) -> fmt::Result {
    let added = to.difference(from).map(|prefix| format!("+{prefix}"));
    let removed = from.difference(to).map(|prefix| format!("-{prefix}"));
    list(f, " allowed-ips ", added.chain(removed))
}

/// Writes `word` and the items with commas between them; nothing if there are none.
fn list(
    f: &mut Formatter<'_>,
    word: &str,
    items: impl Iterator<Item = impl Display>,
) -> fmt::Result {
    for (index, item) in items.enumerate() {
        f.write_str(if index == 0 { word } else { "," })?;
        write!(f, "{item}")?;
    }
    Ok(())
}

fn change_route(f: &mut Formatter<'_>, verb: &str, ifname: Ifname, route: &Route) -> fmt::Result {
    let Route {
        prefix,
        table,
        metric,
    } = route;
    write!(
        f,
        "ip {} route {verb} {prefix} dev {ifname}",
        prefix.family()
    )?;
    if *table != TableId::MAIN {
        write!(f, " table {table}")?;
    }
    metric.map_or(Ok(()), |metric| write!(f, " metric {metric}"))
}

fn change_rule(f: &mut Formatter<'_>, verb: &str, rule: &PolicyRule) -> fmt::Result {
    let PolicyRule {
        family,
        priority,
        selector,
        table,
    } = rule;
    write!(f, "ip {family} rule {verb}")?;
    match selector {
        Selector::NotFwMark(mark) => write!(f, " not fwmark {mark} table {table}")?,
        Selector::SuppressPrefixLength(len) => {
            write!(f, " table {table} suppress_prefixlength {len}")?;
        }
        Selector::Foreign => write!(f, " table {table}")?,
    }
    write!(f, " priority {priority}")
}

/// A hook without the keys in it, of which some may be secret: whatever reads as one, in base64 or in hexadecimal digits.
fn without_keys(command: &str) -> String {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let words = command.split(|c| !is_base64(c)).filter(|word| {
        let is_hex = word.len() == 2 * KEY_LEN && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex || format!("{word}=").parse::<PublicKey>().is_ok()
    });
    words.fold(command.to_owned(), |text, key| {
        text.replace(&format!("{key}="), "(hidden)")
            .replace(key, "(hidden)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_in_a_hook_is_shown() {
        let key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
        let hex = "c809f3e5317e9575c9b5ed78b638b7ce530dabe85ddab614220241801ddf0669";
        for hook in [
            format!("K={key} x"),
            format!("x --key={key}; y"),
            format!("x <(echo {key})"),
            format!("private_key={hex}"),
        ] {
            let shown = without_keys(&hook);
            assert!(
                shown.contains("(hidden)") && !shown.contains("yAnz") && !shown.contains("c809"),
                "{shown}"
            );
        }
        assert_eq!(
            without_keys("ip rule add not fwmark 51820"),
            "ip rule add not fwmark 51820"
        );
    }
}
