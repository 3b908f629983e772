//! What `ufw` and `firewall-cmd` say.

use super::command::one;
use super::fact::{Action, Fact, Interface, Is, Sign};
use super::passage::Passage;
use super::shell::Why;
use crate::net::Address;

const UFW: &str = "ufw";
pub(super) const FIREWALLD: &str = "firewalld";

/// The zones of firewalld that let in no more than the default one does.
const PLAIN_ZONES: [&str; 3] = ["public", "external", "block"];

/// `ufw allow 51820/udp`, `ufw route allow in on wg0 out on eth0`, and both with `delete`.
pub(super) fn ufw(tunnel: &str, args: &[String]) -> Result<Vec<Action>, Why> {
    let mut words: Vec<_> = args
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "--force")
        .collect();
    if let Some(at) = words.iter().position(|word| *word == "comment") {
        words.truncate(at);
    }
    let routed = words.first() == Some(&"route");
    words.drain(..usize::from(routed));
    let sign = match words.first() {
        Some(&"delete") => Sign::Delete,
        Some(&("insert" | "prepend")) => return Err("a rule of ufw at a place".into()),
        _ => Sign::Append,
    };
    words.drain(..usize::from(sign == Sign::Delete));
    match (routed, words.as_slice()) {
        (true, ["allow", rest @ ..]) if rest.contains(&tunnel) => {
            let passage = through(tunnel, rest)?;
            Ok(one(
                sign,
                Fact::Forward {
                    firewall: UFW,
                    passages: vec![passage],
                },
            ))
        }
        (
            false,
            ["allow", port]
            | ["allow", "in", port]
            | ["allow", "proto", "udp", "to", "any", "port", port],
        ) => {
            let number = port.strip_suffix("/udp").unwrap_or(port);
            let port = number.parse().map_err(|_| format!("`ufw allow {port}`"))?;
            Ok(one(
                sign,
                Fact::OpenPort {
                    firewall: UFW,
                    port,
                },
            ))
        }
        _ => Err("a rule of ufw that no key stands for".into()),
    }
}

/// `in on wg0 out on eth0`, either alone or both, and nothing but that.
fn through(tunnel: &str, words: &[&str]) -> Result<Passage, Why> {
    let mut rest = words;
    let mut passage = Passage {
        input: None,
        output: None,
    };
    while let [direction @ ("in" | "out"), "on", name, after @ ..] = rest {
        let is = Some(Is::only(Interface::of(name, tunnel)));
        match *direction {
            "in" => passage.input = is,
            _ => passage.output = is,
        }
        rest = after;
    }
    match rest {
        [] => Ok(passage),
        [other, ..] => Err(format!("a rule of ufw with `{other}`")),
    }
}

/// What passes by an interface that is in the zone of the others.
fn in_the_zone() -> Vec<Passage> {
    let tunnel = || Some(Is::only(Interface::Tunnel));
    let passage = |input, output| Passage { input, output };
    vec![passage(tunnel(), None), passage(None, tunnel())]
}

/// `firewall-cmd --zone=public --add-interface=wg0 --add-port=51820/udp`, `--add-rich-rule='rule family=ipv4 source
/// address=10.0.0.0/24 masquerade'`, and both with `remove`.
pub(super) fn firewall_cmd(tunnel: &str, args: &[String]) -> Result<Vec<Action>, Why> {
    let mut options = Vec::new();
    let mut rest = args.iter().map(String::as_str).peekable();
    while let Some(option) = rest.next() {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, value),
            None => (
                option,
                rest.next_if(|next| !next.starts_with('-'))
                    .unwrap_or_default(),
            ),
        };
        options.push((name, value));
    }
    let zone = options
        .iter()
        .find(|(name, _)| *name == "--zone")
        .map(|(_, zone)| *zone);
    let mut actions = Vec::new();
    for (name, value) in options {
        let (sign, what) = match name.trim_start_matches('-').split_once('-') {
            Some(("add", what)) => (Sign::Append, what),
            Some(("remove", what)) => (Sign::Delete, what),
            _ if matches!(name, "--zone" | "-q" | "--quiet") => continue,
            _ => return Err(format!("`firewall-cmd {name}`")),
        };
        let fact = added(tunnel, zone, what, value)?;
        actions.push(Action { sign, fact });
    }
    Ok(actions)
}

fn added(tunnel: &str, zone: Option<&str>, what: &str, value: &str) -> Result<Fact, Why> {
    match what {
        "interface" if value == tunnel && zone.is_none_or(|zone| PLAIN_ZONES.contains(&zone)) => {
            Ok(Fact::Forward {
                firewall: FIREWALLD,
                passages: in_the_zone(),
            })
        }
        "interface" if value == tunnel => Err(format!(
            "the zone {} of firewalld lets in more than Forward does",
            zone.unwrap_or_default()
        )),
        "port" => {
            let port = value
                .strip_suffix("/udp")
                .and_then(|port| port.parse().ok());
            let port = port.ok_or_else(|| format!("`--add-port={value}`"))?;
            Ok(Fact::OpenPort {
                firewall: FIREWALLD,
                port,
            })
        }
        "masquerade" if value.is_empty() => Ok(Fact::Masquerade {
            firewall: FIREWALLD,
            from: None,
        }),
        "rich-rule" => {
            let words: Vec<_> = value
                .split_whitespace()
                .map(|word| word.replace('"', ""))
                .collect();
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let from = match words.as_slice() {
                ["rule", family, "source", source, "masquerade"]
                    if family.starts_with("family=") =>
                {
                    source
                        .strip_prefix("address=")
                        .and_then(|source| source.parse().ok())
                }
                _ => None,
            };
            let from = from
                .map(Address::prefix)
                .ok_or("a rich rule of firewalld")?;
            Ok(Fact::Masquerade {
                firewall: FIREWALLD,
                from: Some(from),
            })
        }
        _ => Err(format!("`firewall-cmd --add-{what}`")),
    }
}
