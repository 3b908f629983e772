//! From what hooks mean to the lines of a file.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;
use std::path::PathBuf;

use super::passage::Opening;
use super::wish::{Context, Wish};
use crate::config::{Masquerade, NewKey, PortForward};
use crate::net::{Ifname, Prefix};

/// What all wishes say together.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
struct Wanted {
    private_key_file: Option<PathBuf>,
    servers: Vec<IpAddr>,
    domains: Vec<String>,
    masquerade: BTreeSet<Option<Ifname>>,
    open_port: bool,
    port_forwards: Vec<PortForward>,
    isolate: bool,
    kill_switch: bool,
    exclude_ips: BTreeSet<Prefix>,
    keep_inbound: bool,
}

impl Wanted {
    fn of(wishes: &[Wish]) -> Self {
        let mut wanted = Self::default();
        for wish in wishes {
            match wish {
                // ClampMSS is what Forward does, and Forward is decided upon by Opening
                Wish::Nothing
                | Wish::ClampMss
                | Wish::Forwarding
                | Wish::Pass(_)
                | Wish::Answers
                | Wish::LetIn(_) => {}
                Wish::Masquerade(by) => drop(wanted.masquerade.insert(*by)),
                Wish::OpenPort => wanted.open_port = true,
                Wish::PortForward(forwards) => add(&mut wanted.port_forwards, forwards),
                Wish::Isolate => wanted.isolate = true,
                Wish::KillSwitch => wanted.kill_switch = true,
                Wish::ExcludeIps(prefix) => drop(wanted.exclude_ips.insert(*prefix)),
                Wish::KeepInbound => wanted.keep_inbound = true,
                Wish::DnsServers(servers) => add(&mut wanted.servers, servers),
                Wish::DnsDomains(domains) => add(&mut wanted.domains, domains),
                Wish::PrivateKeyFile(path) => wanted.private_key_file = Some(path.clone()),
            }
        }
        wanted
    }
}

/// Adds what is not there yet.
fn add<T: Clone + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    for item in more {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
}

/// The keys that say all of it, without those that another one or the file says already.
pub(super) fn keys(wishes: &[Wish], context: Context<'_>) -> Vec<NewKey> {
    let wanted = Wanted::of(wishes);
    let firewall = &context.config.interface.firewall;
    let given = &context.config.interface.dns.search;
    let mut keys = Keys(Vec::new());
    let path = wanted.private_key_file.as_ref();
    keys.set(
        "PrivateKeyFile",
        path.map(|path| path.display().to_string()),
    );
    let servers = wanted.servers.iter().map(ToString::to_string);
    let domains = wanted
        .domains
        .iter()
        .filter(|domain| !given.contains(domain));
    keys.add("DNS", servers.chain(domains.cloned()));

    let masquerade = masquerade(&wanted.masquerade, context);
    let given = Opening::given(firewall, context.ifname);
    let forward = Opening::wanted(wishes, context).forward;
    keys.yes("Forward", forward && !given.forward);
    keys.set("Masquerade", masquerade);
    keys.yes("OpenPort", wanted.open_port && !firewall.open_port.value);
    for forward in wanted.port_forwards {
        if firewall
            .port_forwards
            .iter()
            .all(|old| old.value != forward)
        {
            keys.add("PortForward", [forward]);
        }
    }
    keys.yes("Isolate", wanted.isolate && !firewall.isolate.value);
    keys.yes(
        "KillSwitch",
        wanted.kill_switch && !firewall.kill_switch.value,
    );
    let excluded = wanted.exclude_ips.into_iter();
    let old = |prefix: &Prefix| firewall.exclude_ips.iter().any(|old| old.value == *prefix);
    keys.add("ExcludeIPs", excluded.filter(|prefix| !old(prefix)));
    keys.yes(
        "KeepInbound",
        wanted.keep_inbound && !firewall.keep_inbound.value,
    );
    keys.0
}

struct Keys(Vec<NewKey>);

impl Keys {
    /// A key that counts once.
    fn set(&mut self, name: &'static str, value: Option<String>) {
        let adds = false;
        self.0
            .extend(value.map(|value| NewKey { name, value, adds }));
    }

    fn yes(&mut self, name: &'static str, wanted: bool) {
        self.set(name, wanted.then(|| "yes".into()));
    }

    /// A line more of a key that adds up, if there is anything for it.
    fn add<T: Display>(&mut self, name: &'static str, items: impl IntoIterator<Item = T>) {
        let value = joined(items);
        if !value.is_empty() {
            let adds = true;
            self.0.push(NewKey { name, value, adds });
        }
    }
}

/// The value of `Masquerade`, unless the file says it already.
///
/// A hook's `-o ens3` stays `ens3`: packets that leave by other interfaces keep their source. But where the host has no
/// other interface there are none, and `yes` says the same without a name that may change.
fn masquerade(wanted: &BTreeSet<Option<Ifname>>, context: Context<'_>) -> Option<String> {
    let mut names: BTreeSet<Ifname> = wanted.iter().copied().flatten().collect();
    let given = &context.config.interface.firewall.masquerade.value;
    if let Masquerade::By(given) = given {
        names.extend(given);
    }
    if wanted.is_empty()
        || *given == Masquerade::Anywhere
        || *given == Masquerade::By(names.clone())
    {
        return None;
    }
    let only_way_out = names.len() == 1 && names.iter().all(|name| is_only_way_out(*name, context));
    if wanted.contains(&None) || only_way_out {
        Some("yes".to_owned())
    } else {
        Some(joined(names))
    }
}

/// Whether there is no other interface by which a packet could leave.
fn is_only_way_out(name: Ifname, context: Context<'_>) -> bool {
    let here = context.here;
    let others = here.interfaces.iter().map(String::as_str);
    let mut others = others.filter(|other| *other != "lo" && *other != context.ifname.as_str());
    let default = here
        .default_routes
        .iter()
        .any(|(by, _)| by == name.as_str());
    default && others.all(|other| other == name.as_str())
}

fn joined<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    values.join(", ")
}
