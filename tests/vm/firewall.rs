//! What a ruleset means, from the text of `nft list ruleset`: the rules of a tunnel's own table as what they do, so that
//! wg-quick's two tables of one family each and wgq's one of both can be compared; any other rule as it stands.

use std::collections::BTreeSet;

/// The facts in a ruleset, each once.
pub(crate) fn facts(ruleset: &str) -> BTreeSet<String> {
    let (mut table, mut chain) = ("", "");
    let mut facts = BTreeSet::new();
    for line in ruleset
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != "}")
    {
        if let Some(rest) = line.strip_prefix("table ") {
            table = rest.trim_end_matches(" {");
            chain = "";
        } else if let Some(rest) = line.strip_prefix("chain ") {
            chain = rest.trim_end_matches(" {");
        } else if let Some(owner) = owner(table) {
            if !line.starts_with("type filter hook ") {
                facts.extend(meaning(owner, line));
            }
        } else {
            facts.insert(format!("nft {table} {chain}: {line}"));
        }
    }
    facts
}

/// The tunnel whose own table this is.
fn owner(table: &str) -> Option<&str> {
    let (_family, name) = table.split_once(' ')?;
    name.strip_prefix("wg-quick-")
        .or_else(|| name.strip_prefix("wgq-"))
}

/// What a rule of a tunnel's own table does.
fn meaning(ifname: &str, rule: &str) -> Vec<String> {
    let words: Vec<&str> = rule.split(' ').collect();
    let fact = |what: String| vec![format!("firewall {ifname}: {what}")];
    match words.as_slice() {
        // Packets for an address of the tunnel that did not come through it, unless from this very host.
        [
            "iifname",
            "!=",
            name,
            "ip" | "ip6",
            "daddr",
            address @ ..,
            "fib",
            "saddr",
            "type",
            "!=",
            "local",
            "drop",
        ] if name.trim_matches('"') == ifname => {
            let list = address.join(" ");
            let list = list.trim_matches(['{', '}', ' ']).split(", ");
            list.map(|address| format!("firewall {ifname}: guards {address}"))
                .collect()
        }
        // The mark of the tunnel's own datagrams is kept with their flow, so that the answers have it, too (rp_filter).
        [
            "meta",
            "l4proto",
            "udp",
            "meta",
            "mark",
            mark,
            "ct",
            "mark",
            "set",
            "meta",
            "mark",
        ] => fact(format!("saves mark {} of udp", number(mark))),
        [
            "meta",
            "l4proto",
            "udp",
            "meta",
            "mark",
            "set",
            "ct",
            "mark",
        ] => fact("restores marks of udp".to_owned()),
        [
            "meta",
            "l4proto",
            "udp",
            "ct",
            "mark",
            _,
            "meta",
            "mark",
            "set",
            "ct",
            "mark",
        ] => fact("restores marks of udp".to_owned()),
        _ => fact(rule.to_owned()),
    }
}

/// `0x0000ca6c` as `0xca6c`.
fn number(text: &str) -> String {
    text.strip_prefix("0x")
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .map_or(text.to_owned(), |n| format!("{n:#x}"))
}
