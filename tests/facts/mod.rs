//! Facts about other programs' tables, in the words of `now.txt`.

use wgq::foreign::{Access, Action, Chain, Condition, Hook, Rule, Table, TableFamily, Tracked};

/// Adds a fact: `nft FAMILY TABLE owned`, `nft FAMILY TABLE CHAIN [HOOK POLICY]`, or `nft FAMILY TABLE CHAIN: RULE`.
pub(crate) fn nft(tables: &mut Vec<Table>, line: &str) {
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let [family, name, rest @ ..] = &words[..] else {
        panic!("now.txt: {line}")
    };
    let table = table(tables, family, name);
    match rest {
        ["owned"] => table.access = Access::Owned,
        [chain, rule @ ..] if chain.ends_with(':') => {
            let chain = chain.trim_end_matches(':');
            let chain = table.chains.iter_mut().find(|it| it.name == chain);
            chain.unwrap().rules.push(self::rule(rule));
        }
        [chain] => table.chains.push(Chain {
            name: (*chain).to_owned(),
            ..Chain::default()
        }),
        [chain, hook, policy] => table.chains.push(Chain {
            name: (*chain).to_owned(),
            hook: Some(match *hook {
                "input" => Hook::Input,
                "forward" => Hook::Forward,
                _ => panic!("now.txt: {line}"),
            }),
            drops: *policy == "drop",
            rules: Vec::new(),
        }),
        _ => panic!("now.txt: {line}"),
    }
}

fn table<'a>(tables: &'a mut Vec<Table>, family: &str, name: &str) -> &'a mut Table {
    let family = match family {
        "ip" => TableFamily::Ip,
        "ip6" => TableFamily::Ip6,
        "inet" => TableFamily::Inet,
        _ => panic!("now.txt: {family}"),
    };
    let found = tables
        .iter()
        .position(|it| it.family == family && it.name == name);
    let at = found.unwrap_or(tables.len());
    if found.is_none() {
        tables.push(Table {
            family,
            name: name.to_owned(),
            access: Access::Open,
            chains: Vec::new(),
        });
    }
    &mut tables[at]
}

/// A rule: `iifname NAME`, `oifname NAME`, `udp PORT`, `ct STATES` or `?` for a condition, what it does, and `comment TEXT...`.
fn rule(words: &[&str]) -> Rule {
    let interface = |incoming, name: &str| Condition::Interface {
        incoming,
        name: name.to_owned(),
        is_prefix: false,
        negated: false,
    };
    let mut rule = Rule::default();
    let mut rest = words;
    while !rest.is_empty() {
        rest = match rest {
            ["iifname", name, rest @ ..] => {
                rule.conditions.push(interface(true, name));
                rest
            }
            ["oifname", name, rest @ ..] => {
                rule.conditions.push(interface(false, name));
                rest
            }
            ["udp", port, rest @ ..] => {
                rule.conditions.push(Condition::Protocol(17));
                rule.conditions.push(Condition::Port(port.parse().unwrap()));
                rest
            }
            ["ct", states, rest @ ..] => {
                let tracked = Tracked::parse_list(states).unwrap();
                rule.conditions.push(Condition::Tracked(tracked));
                rest
            }
            ["?", rest @ ..] => {
                rule.conditions.push(Condition::Unknown);
                rest
            }
            ["comment", text @ ..] => {
                rule.comment = Some(text.join(" "));
                &[]
            }
            [verb @ ("jump" | "goto"), chain, rest @ ..] => {
                let chain = (*chain).to_owned();
                rule.action = match *verb {
                    "jump" => Action::Jump(chain),
                    _ => Action::Goto(chain),
                };
                rest
            }
            [verb, rest @ ..] => {
                rule.action = match *verb {
                    "log" => Action::None,
                    "accept" => Action::Accept,
                    "drop" => Action::Drop,
                    "return" => Action::Return,
                    _ => panic!("now.txt: {verb}"),
                };
                rest
            }
            [] => &[],
        };
    }
    rule
}
