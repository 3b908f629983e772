//! The way back: a file whose keys of our own are hooks that do the same with wg-quick(8).
//!
//! Pure. What this host is like (its LAN, its firewalls) is in the hooks as it is now, where `up` looks each time.

use crate::config::{self, Config, Diagnostic, OwnLine};
use crate::desired::own_keys;
use crate::net::{FwMark, Ifname};
use crate::surroundings::Surroundings;

mod hooks;
mod routes;
mod table;

use hooks::Hooks;

/// A file for wg-quick(8), and what there is to know of it.
#[derive(Debug)]
pub struct Exported {
    /// Its text.
    pub text: String,
    /// What does not become the same, by its line in the old text.
    pub diagnostics: Vec<Diagnostic>,
    /// Sentences on firewalls that drop packets all the same.
    pub warnings: Vec<String>,
}

/// The mark of a full tunnel's own packets, which rules and routes go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The file names it.
    Fixed(FwMark),
    /// wg-quick chooses it when it brings the tunnel up; it is the number of the routing table, too.
    Chosen,
}

impl Mark {
    fn of(config: &Config) -> Self {
        let named = config.interface.fwmark.map(|mark| mark.value);
        let named = named.filter(|mark| mark.0 != 0);
        named.map_or(Self::Chosen, Self::Fixed)
    }
}

/// Turns a file, of which the text has been read as `config`, into one for wg-quick(8).
pub fn export(
    text: &str,
    config: &Config,
    ifname: Ifname,
    surroundings: &Surroundings,
) -> Exported {
    let mark = Mark::of(config);
    let (value, chosen) = match mark {
        Mark::Fixed(mark) => (mark, None),
        Mark::Chosen => {
            let any = FwMark(surroundings.free_table.0); // the command for it comes in its place
            (any, Some(any))
        }
    };
    let (wanted, mut warnings) = own_keys(ifname, config, value, surroundings);
    let mut hooks = Hooks::default();
    hooks.key_files(config);
    hooks.sysctls(&wanted.sysctls);
    hooks.up_all(routes::changes(config, mark));
    hooks.accepts(&wanted.accepts);
    if let Some(table) = &wanted.nft {
        table::hooks(&mut hooks, table, ifname, chosen);
    }
    if config.interface.firewall.asks_others() {
        hooks.say(FIREWALLS);
        warnings.push(FIREWALLS.to_owned());
    }
    let instead = hooks.lines(ifname);
    let note = |own: &OwnLine| note(own).map(str::to_owned);
    let lines = config::own_lines(text);
    let diagnostics = lines.iter().filter_map(|own| {
        let diagnostic = Diagnostic::warning(note(own)?).key(own.key);
        Some(diagnostic.at(text, own.span))
    });
    Exported {
        diagnostics: diagnostics.collect(),
        text: config::without_own_keys(text, &instead, note),
        warnings,
    }
}

const FIREWALLS: &str = "the hooks let packets pass the firewalls that this host has now; another one that drops needs more";

/// What a hook does not do as the key does.
fn note(own: &OwnLine) -> Option<&'static str> {
    let is_yes = own.value.eq_ignore_ascii_case("yes");
    match own.key {
        "Netns" => Some(
            "wg-quick has nothing for this: the interface comes up in the namespace that it is run in",
        ),
        "DNSRequired" if !is_yes => {
            Some("wg-quick has nothing for this: where DNS cannot be set up, it fails")
        }
        "Expires" => Some("wg-quick has nothing for this: the peer stays, whatever the date"),
        "Metric" => Some(
            "wg-quick makes each route without the metric first, and fails where another interface has such a route",
        ),
        "KillSwitch" if is_yes => Some(
            "the rules come with PostUp, when packets have been let out already, and are for the LAN as it is now",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
