//! From what hooks mean to the lines of a file.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::wish::{Context, Wish};
use crate::config::{Masquerade, NewKey};
use crate::net::Ifname;

/// The keys that say all of it, without those that another one or the file says already.
pub(super) fn keys(wishes: &[Wish], context: Context<'_>) -> Vec<NewKey> {
    let firewall = &context.config.interface.firewall;
    let has = |wanted: &Wish| wishes.contains(wanted);
    let mut keys = Keys(Vec::new());
    keys.private_key_file(wishes);
    keys.dns(wishes, context);
    let masquerade = masquerade(wishes, context);
    let port_forwards: Vec<_> = wishes.iter().filter_map(port_forwards).flatten().collect();
    let implied = masquerade.is_some() || !port_forwards.is_empty() || firewall.forwards();
    keys.yes("Forward", has(&Wish::Forward) && !implied);
    if let Some(value) = masquerade {
        keys.set("Masquerade", value);
    }
    keys.yes("OpenPort", has(&Wish::OpenPort) && !firewall.open_port.value);
    let known = |new: &String| firewall.port_forwards.iter().any(|old| old.value.to_string() == *new);
    let mut told = BTreeSet::new();
    for forward in port_forwards.iter().map(ToString::to_string) {
        if !known(&forward) && told.insert(forward.clone()) {
            keys.add("PortForward", forward);
        }
    }
    keys.yes("Isolate", has(&Wish::Isolate) && !firewall.isolate.value);
    keys.yes("KillSwitch", has(&Wish::KillSwitch) && !firewall.kill_switch.value);
    let excluded = wishes.iter().filter_map(|wish| match wish {
        Wish::ExcludeIps(prefix) => Some(*prefix),
        _ => None,
    });
    let given = |prefix| firewall.exclude_ips.iter().any(|old| old.value == prefix);
    let excluded: BTreeSet<_> = excluded.filter(|prefix| !given(*prefix)).collect();
    if !excluded.is_empty() {
        keys.add("ExcludeIPs", joined(excluded));
    }
    keys.yes("KeepInbound", has(&Wish::KeepInbound) && !firewall.keep_inbound.value);
    keys.0
}

struct Keys(Vec<NewKey>);

impl Keys {
    fn set(&mut self, name: &'static str, value: String) {
        let adds = false;
        self.0.push(NewKey { name, value, adds });
    }

    fn add(&mut self, name: &'static str, value: String) {
        let adds = true;
        self.0.push(NewKey { name, value, adds });
    }

    fn yes(&mut self, name: &'static str, wanted: bool) {
        if wanted {
            self.set(name, "yes".into());
        }
    }

    fn private_key_file(&mut self, wishes: &[Wish]) {
        for wish in wishes {
            if let Wish::PrivateKeyFile(path) = wish {
                self.0.retain(|key| key.name != "PrivateKeyFile");
                self.set("PrivateKeyFile", path.display().to_string());
            }
        }
    }

    fn dns(&mut self, wishes: &[Wish], context: Context<'_>) {
        let given = &context.config.interface.dns;
        let mut items: Vec<String> = Vec::new();
        for wish in wishes {
            let new: Vec<String> = match wish {
                Wish::DnsServers(servers) => servers.iter().map(ToString::to_string).collect(),
                Wish::DnsDomains(domains) => domains.clone(),
                _ => continue,
            };
            for item in new {
                if !items.contains(&item) && !given.search.contains(&item) {
                    items.push(item);
                }
            }
        }
        // addresses come first, as people write them
        items.sort_by_key(|item| item.parse::<std::net::IpAddr>().is_err());
        if !items.is_empty() {
            self.add("DNS", items.join(", "));
        }
    }
}

fn port_forwards(wish: &Wish) -> Option<&Vec<crate::config::PortForward>> {
    match wish {
        Wish::PortForward(forwards) => Some(forwards),
        _ => None,
    }
}

/// The value of `Masquerade`, unless the file says it already.
///
/// A hook's `-o ens3` stays `ens3`: packets that leave by other interfaces keep their source. But where the host has no
/// other interface there are none, and `yes` says the same without a name that may change.
fn masquerade(wishes: &[Wish], context: Context<'_>) -> Option<String> {
    let wanted: BTreeSet<Option<Ifname>> = wishes
        .iter()
        .filter_map(|wish| match wish {
            Wish::Masquerade(by) => Some(*by),
            _ => None,
        })
        .collect();
    let mut names: BTreeSet<Ifname> = wanted.iter().copied().flatten().collect();
    let given = &context.config.interface.firewall.masquerade.value;
    if let Masquerade::By(given) = given {
        names.extend(given);
    }
    let anywhere = || Some("yes".to_owned());
    if wanted.is_empty() || *given == Masquerade::Anywhere || *given == Masquerade::By(names.clone()) {
        None
    } else if wanted.contains(&None) {
        anywhere()
    } else if let [only] = names.iter().collect::<Vec<_>>().as_slice()
        && is_the_way_out(only, context)
    {
        anywhere()
    } else {
        Some(joined(names))
    }
}

/// Whether there is no other interface by which a packet could leave.
fn is_the_way_out(name: &Ifname, context: Context<'_>) -> bool {
    let here = context.here;
    let others = here.interfaces.iter().map(String::as_str);
    let mut others = others.filter(|other| *other != "lo" && *other != context.ifname.as_str());
    let default = here.default_routes.iter().any(|(by, _)| by == name.as_str());
    default && others.all(|other| other == name.as_str())
}

fn joined<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(", ")
}
