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
            if !line.starts_with("type filter hook ") && !keeps_inside(owner, line) {
                facts.insert(meaning(owner, line));
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

/// Whether a rule is the one that only wgq has: what has the tunnel's address leaves by the tunnel (see README.md).
fn keeps_inside(ifname: &str, rule: &str) -> bool {
    let elsewhere = format!("oifname != \"{ifname}\" oifname != \"lo\" ip");
    rule.starts_with(&elsewhere) && rule.contains(" drop comment ")
}

/// What a rule of a tunnel's own table does.
fn meaning(ifname: &str, rule: &str) -> String {
    let rule = rule.split(" comment \"").next().unwrap_or(rule);
    let elsewhere = format!("iifname != \"{ifname}\" ");
    if let Some(destination) = between(rule, &elsewhere, " fib saddr type != local drop") {
        // Packets for an address of the tunnel that did not come through it, unless from this very host.
        let address = destination
            .split_once(" daddr ")
            .map_or(destination, |(_, address)| address);
        format!("firewall {ifname}: guards {address}")
    } else if let Some(mark) = between(
        rule,
        "meta l4proto udp meta mark ",
        " ct mark set meta mark",
    ) {
        // The mark of the tunnel's own datagrams is kept with their flow, so that the answers have it, too (rp_filter).
        format!("firewall {ifname}: saves mark {} of udp", number(mark))
    } else if rule == "meta l4proto udp meta mark set ct mark"
        // wgq restores its own mark only, wg-quick any mark of any flow.
        || between(rule, "meta l4proto udp ct mark ", " meta mark set ct mark").is_some()
    {
        format!("firewall {ifname}: restores marks of udp")
    } else {
        format!("firewall {ifname}: {rule}")
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

/// `0x0000ca6c` as `0xca6c`.
fn number(text: &str) -> String {
    text.strip_prefix("0x")
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .map_or(text.to_owned(), |n| format!("{n:#x}"))
}
