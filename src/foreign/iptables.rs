//! The text of `iptables-legacy -S`, which is the one way to read what is not of `nf_tables`.

use super::{Access, Action, Chain, Condition, Hook, Rule, Table, TableFamily, Tracked, UDP};

impl Table {
    /// Reads a table of a family from what `iptables-legacy -t NAME -S` or `ip6tables-legacy -t NAME -S` says.
    pub fn of_legacy(family: TableFamily, name: &str, listing: &str) -> Self {
        let mut table = Self {
            family,
            name: name.to_owned(),
            access: Access::Legacy,
            chains: Vec::new(),
        };
        for line in listing.lines() {
            let words = words(line);
            match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["-P", chain, policy] => table.chains.push(Chain {
                    name: chain.to_owned(),
                    hook: match (name, chain) {
                        ("filter", "INPUT") => Some(Hook::Input),
                        ("filter", "FORWARD") => Some(Hook::Forward),
                        ("nat", "POSTROUTING") => Some(Hook::SrcNat),
                        _ => None,
                    },
                    drops: policy == "DROP",
                    rules: Vec::new(),
                }),
                ["-N", name] => table.chains.push(Chain {
                    name: name.to_owned(),
                    ..Chain::default()
                }),
                ["-A", name, ref options @ ..] => {
                    let mut chains = table.chains.iter_mut();
                    if let Some(chain) = chains.find(|chain| chain.name == name) {
                        chain.rules.push(rule(options));
                    }
                }
                _ => {}
            }
        }
        table
    }
}

fn rule(options: &[&str]) -> Rule {
    let mut rule = Rule::default();
    let mut rest = options;
    loop {
        rest = match *rest {
            [] => return rule,
            ["!", way @ ("-i" | "-o"), name, ref rest @ ..] => {
                rule.conditions.push(interface(way, name, true));
                rest
            }
            [way @ ("-i" | "-o"), name, ref rest @ ..] => {
                rule.conditions.push(interface(way, name, false));
                rest
            }
            ["-p", protocol, ref rest @ ..] => {
                rule.conditions.push(match protocol {
                    "tcp" => Condition::Protocol(6),
                    "udp" => Condition::Protocol(UDP),
                    _ => Condition::Unknown,
                });
                rest
            }
            [
                "-m",
                "udp" | "tcp" | "comment" | "conntrack" | "state",
                ref rest @ ..,
            ] => rest,
            ["--ctstate" | "--state", states, ref rest @ ..] => {
                let tracked = Tracked::parse_list(states).map(Condition::Tracked);
                rule.conditions.push(tracked.unwrap_or(Condition::Unknown));
                rest
            }
            ["--dport", port, ref rest @ ..] => {
                let port = port.parse().map(Condition::Port);
                rule.conditions.push(port.unwrap_or(Condition::Unknown));
                rest
            }
            ["--comment", comment, ref rest @ ..] => {
                rule.comment = Some(comment.to_owned());
                rest
            }
            // what comes after it is how
            ["-j", target, ..] => {
                rule.action = match target {
                    "ACCEPT" => Action::Accept,
                    "DROP" | "REJECT" => Action::Drop,
                    "RETURN" => Action::Return,
                    "LOG" | "NFLOG" | "MARK" | "CONNMARK" | "TCPMSS" => Action::None,
                    chain => Action::Jump(chain.to_owned()),
                };
                return rule;
            }
            ["-g", chain, ..] => {
                rule.action = Action::Goto(chain.to_owned());
                return rule;
            }
            ["!", "--ctstate" | "--state", _, ref rest @ ..] | [_, ref rest @ ..] => {
                rule.conditions.push(Condition::Unknown);
                rest
            }
        }
    }
}

fn interface(way: &str, name: &str, negated: bool) -> Condition {
    let prefix = name.strip_suffix('+');
    Condition::Interface {
        incoming: way == "-i",
        name: prefix.unwrap_or(name).to_owned(),
        is_prefix: prefix.is_some(),
        negated,
    }
}

/// Splits a line at its blanks, but for those between quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match (c, words.last_mut()) {
            ('"', _) => quoted = !quoted,
            (' ', _) if !quoted => words.push(String::new()),
            (c, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
