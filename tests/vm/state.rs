//! The state of a host's network in canonical form: one line a fact, from the raw files that `lab/snapshot` writes.
//!
//! Left out is what varies without meaning anything: interface indexes, lifetimes, queue lengths of the hardware's kind,
//! the routes that the kernel derives from addresses (table local), and a `ListenPort` that the kernel chose.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Deserializer, Map, Value};

use crate::firewall;

/// The facts, each a line of text, in order.
pub(crate) type State = BTreeSet<String>;

/// Reads the snapshot in `folder`.
pub(crate) fn read(folder: &Path) -> State {
    let file = |name: &str| {
        fs::read_to_string(folder.join(name))
            .unwrap_or_else(|why| panic!("{name} in {}: {why}", folder.display()))
    };
    let mut state = State::new();
    let [links, routes, rules] = &objects(&file("ip"))[..] else {
        panic!("ip: not three lists in {}", folder.display())
    };
    for link in links {
        add_link(&mut state, link);
    }
    state.extend(routes.iter().filter_map(route));
    state.extend(rules.iter().map(|rule| policy_rule("-4", rule)));
    state.extend(
        objects(&file("rule6"))
            .concat()
            .iter()
            .map(|rule| policy_rule("-6", rule)),
    );
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(ifname) = name.strip_prefix("showconf.") {
            state.extend(device(ifname, &file(&name)));
        }
    }
    state.extend(firewall::facts(&file("nft")));
    state.extend(file("sysctl").lines().map(|line| format!("sysctl {line}")));
    state.insert(resolver(&file("resolv.conf")));
    state
}

/// The lists of objects in a stream of JSON lists.
fn objects(text: &str) -> Vec<Vec<Map<String, Value>>> {
    Deserializer::from_str(text)
        .into_iter()
        .map(|list| list.unwrap())
        .collect()
}

/// The values of an object as words, those named in `first` without their keys and in that order, but for those in `skip`.
fn describe(object: &Map<String, Value>, first: &[&str], skip: &[&str]) -> String {
    let mut words: Vec<String> = first
        .iter()
        .filter_map(|key| object.get(*key))
        .map(word)
        .collect();
    for (key, value) in object {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if first.contains(&key.as_str()) || skip.contains(&key.as_str()) {
            continue;
        }
        words.push(if empty {
            key.clone()
        } else {
            format!("{key} {}", word(value))
        });
    }
    words.join(" ")
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(word).collect::<Vec<_>>().join(","),
        Value::Object(object) => format!("({})", describe(object, &[], &[])),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn add_link(state: &mut State, link: &Map<String, Value>) {
    let name = word(&link["ifname"]);
    let kind = link
        .get("linkinfo")
        .map_or("-".to_owned(), |info| word(&info["info_kind"]));
    let shown = ["mtu", "flags", "group", "txqlen", "ifalias", "master"];
    let facts: Vec<String> = shown
        .iter()
        .filter_map(|key| Some(format!("{key} {}", word(link.get(*key)?))))
        .collect();
    state.insert(format!("link {name}: {kind} {}", facts.join(" ")));
    for address in link["addr_info"].as_array().unwrap() {
        let address = address.as_object().unwrap();
        let text = format!(
            "{}/{}",
            word(&address["local"]),
            word(&address["prefixlen"])
        );
        // Lifetimes of these addresses are for ever; one that is not has the key `dynamic`, too.
        let skip = [
            "family",
            "local",
            "prefixlen",
            "label",
            "valid_life_time",
            "preferred_life_time",
        ];
        state.insert(format!(
            "address {name}: {text} {}",
            describe(address, &[], &skip)
        ));
    }
}

fn route(route: &Map<String, Value>) -> Option<String> {
    if route["table"] == "local" {
        return None;
    }
    let family = if word(&route["dst"]).contains(':') || route.contains_key("pref") {
        "-6"
    } else {
        "-4"
    };
    Some(format!(
        "route {family} {}",
        describe(route, &["type", "dst"], &["flags", "pref"])
    ))
}

fn policy_rule(family: &str, rule: &Map<String, Value>) -> String {
    format!(
        "rule {family} {}: {}",
        word(&rule["priority"]),
        describe(rule, &[], &["priority"])
    )
}

/// A device by its `wg showconf`: a line for itself and one for each peer.
fn device(ifname: &str, showconf: &str) -> Vec<String> {
    let mut sections: Vec<Vec<String>> = Vec::new();
    for line in showconf.lines().filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            sections.push(Vec::new());
        } else if let (Some(section), Some((key, value))) =
            (sections.last_mut(), line.split_once(" = "))
        {
            section.push(format!("{key} {}", setting(key, value)));
        }
    }
    let describe = |(index, mut section): (usize, Vec<String>)| {
        section.sort();
        format!(
            "{} {ifname}: {}",
            if index == 0 { "device" } else { "peer" },
            section.join(" ")
        )
    };
    sections.into_iter().enumerate().map(describe).collect()
}

fn setting(key: &str, value: &str) -> String {
    match key {
        // The range that `lab/namespace` gives the kernel to choose from.
        "ListenPort" if (40_000..41_000).contains(&value.parse::<u32>().unwrap()) => {
            "random".to_owned()
        }
        "AllowedIPs" => {
            let mut list: Vec<&str> = value.split(", ").collect();
            list.sort_unstable();
            list.join(",")
        }
        _ => value.to_owned(),
    }
}

fn resolver(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    format!("resolv.conf {}", lines.join(" | "))
}
