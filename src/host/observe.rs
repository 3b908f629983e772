//! Finding out how things are: the tunnel's own state, and what is around it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use anyhow::{Context, Result, bail};

use super::link::FoundLink;
use super::netns::Outside;
use super::record::Record;
use super::route_socket::RouteSocket;
use super::{Host, dns, firewalls, forwarding, nftables, sysctl, userspace};
use crate::config;
use crate::desired::free_table;
use crate::foreign;
use crate::net::{Family, Ifname, Netns};
use crate::ours;
use crate::state::{DnsBackend, Link, LinkKind, LinkSettings, PolicyRule, Selector, State, Sysctl};
use crate::status::DeviceStatus;
use crate::surroundings::Surroundings;

/// What was found on the host.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// What is the tunnel's.
    pub state: State,
    /// The policy rules that are not.
    pub foreign_rules: Vec<PolicyRule>,
    /// What the other tunnels of ours have recorded.
    pub others: Vec<(Ifname, Record)>,
    /// The tables of other programs in `nf_tables`; none as long as they are not looked at, or where they cannot be.
    pub firewalls: Option<Vec<foreign::Table>>,
    /// The link's number.
    pub index: Option<u32>,
    /// Whether the device said what is on it; where it is just ending, it does not.
    pub is_device_known: bool,
}

impl Found {
    /// Reads the tables of other programs, which may be long, and finds the tunnel's rules in them.
    pub fn look_at_firewalls(&mut self, ifname: Ifname) -> Result<()> {
        let firewalls = firewalls::native()?;
        self.state.accepts = foreign::found(ifname, &firewalls);
        self.firewalls = Some(firewalls);
        Ok(())
    }

    /// Whether another program sends all IPv4 packets but its own into a tunnel. The other tunnels of ours do not count.
    pub fn has_foreign_full_tunnel(&self) -> bool {
        let others = &self.others;
        let is_ours = |rule| others.iter().any(|(_, other)| other.rules.contains(rule));
        self.foreign_rules.iter().any(|rule| {
            let is_full = matches!(rule.selector, Selector::NotFwMark(_));
            rule.family == Family::V4 && is_full && !is_ours(rule)
        })
    }
}

impl Host {
    /// Finds out what of the host is the tunnel's, but for its rules in other programs' tables. An interface of that name
    /// that is no WireGuard one is an error.
    pub fn observe(&mut self, ifname: Ifname, record: Option<&Record>) -> Result<Found> {
        let (mut found, device) = self.observe_status(ifname, record)?;
        found.state.device = device.map(DeviceStatus::into_device).unwrap_or_default();
        Ok(found)
    }

    /// As [`Self::observe`], with the device apart from the rest, and how it fares.
    pub fn observe_status(
        &mut self,
        ifname: Ifname,
        record: Option<&Record>,
    ) -> Result<(Found, Option<DeviceStatus>)> {
        let netns = self.follow_netns()?;
        let tables = nft_tables(ifname)?;
        let mut state = State {
            netns,
            nft: tables.own,
            wg_quick_tables: tables.wg_quick,
            dns: record.and_then(|record| record.dns.clone()),
            ..State::default()
        };
        let mut device = None;
        let mut index = None;
        if let Some(link) = self.route.link(ifname)? {
            let kind = link_kind(ifname, link.kind.as_deref(), record)?;
            device = self.status(ifname, &kind)?;
            self.kind = kind.clone();
            index = Some(link.index);
            state.addresses = self.route.addresses(link.index)?;
            state.routes = self.route.routes(link.index)?;
            let settings = LinkSettings {
                mtu: link.mtu,
                up: link.up,
            };
            state.link = Some(Link { kind, settings });
        }
        let recorded_sysctls = record.into_iter().flat_map(|record| record.sysctls.keys());
        read_sysctls(&mut state, [&Sysctl::SRC_VALID_MARK])?;
        read_sysctls(&mut state, recorded_sysctls)?;
        let all = self.route.rules()?;
        let recorded = record.map(|record| &record.rules);
        let others = Record::others(ifname);
        let taken = others.iter().flat_map(|(_, other)| &other.rules).copied();
        let taken: BTreeSet<PolicyRule> = taken.collect();
        let settings = device.as_ref().map(|device| device.settings.clone());
        let settings = settings.unwrap_or_default();
        let (rules, mut foreign_rules) =
            ours::rules(&all, recorded, &taken, &state.routes, &settings);
        // what another tunnel is about to take, or was killed at taking, is taken
        let absent = taken.iter().filter(|rule| !all.contains(rule));
        foreign_rules.extend(absent);
        state.rules = rules;
        let found = Found {
            state,
            foreign_rules,
            others,
            firewalls: None,
            index,
            is_device_known: device.is_some(),
        };
        Ok((found, device))
    }

    /// Goes after the name of the tunnel's network namespace, which another program may have given to another one, and
    /// returns it if it has one.
    fn follow_netns(&mut self) -> Result<Option<Netns>> {
        let Some(outside) = &self.outside else {
            return Ok(None);
        };
        if outside.follow()? {
            self.route = RouteSocket::open()?;
            self.wireguard = None;
        }
        let is_named = outside.is_named()?;
        Ok(is_named.then(|| outside.netns.clone()))
    }

    /// Returns the number of the interface of that name, if there is one.
    pub fn index(&mut self, ifname: Ifname) -> Result<Option<u32>> {
        Ok(self.route.link(ifname)?.map(|link| link.index))
    }

    /// Finds out who drives the interface of that name; that it is no WireGuard one is an error.
    pub fn driver(&mut self, ifname: Ifname, record: Option<&Record>) -> Result<Option<LinkKind>> {
        let link = self.route.link(ifname)?;
        let kind = |link: FoundLink| link_kind(ifname, link.kind.as_deref(), record);
        link.map(kind).transpose()
    }

    /// Finds out what the tunnel's policy depends on, as far as the file leaves it open, with the kernel variables that
    /// matter then. `endpoints` are those to which the path matters; `record` is the tunnel's own.
    pub fn surroundings(
        &mut self,
        ifname: Ifname,
        interface: &config::Interface,
        link_kind: LinkKind,
        found: &mut Found,
        record: Option<&Record>,
        endpoints: &BTreeSet<IpAddr>,
    ) -> Result<Surroundings> {
        let ipv6 = sysctl::has_ipv6();
        let rules = found.foreign_rules.clone();
        let free_table = free_table(&rules, |table| {
            let v4 = self.route.table_is_empty(Family::V4, table)?;
            Ok::<_, anyhow::Error>(v4 && (!ipv6 || self.route.table_is_empty(Family::V6, table)?))
        })?;
        let mut path_mtus = BTreeMap::new();
        let mut default_path_mtu = None;
        if interface.mtu.is_none() {
            let mark = found.state.device.settings.fwmark;
            let tunnel = found.index.filter(|_| self.outside.is_none());
            let route = self.route_of_birth();
            path_mtus = route.path_mtus(endpoints, mark, tunnel)?;
            if path_mtus.is_empty() {
                default_path_mtu = route.default_path_mtu()?; // reads the whole main table, which may be long
            }
        }
        let mut firewalls = found.firewalls.clone().unwrap_or_default();
        let mut unread_firewalls = Vec::new();
        if interface.firewall.asks_others() {
            for table in firewalls::look_at_legacy() {
                match table {
                    Ok(table) => firewalls.push(table),
                    Err(why) => unread_firewalls.push(why),
                }
            }
        }
        let lan = if interface.firewall.kill_switch.value {
            self.route.lan(ifname)?
        } else {
            BTreeSet::new()
        };
        let dns_backend = if interface.dns.servers.is_empty() {
            DnsBackend::File // nothing will be told
        } else if let Some(Outside { netns, .. }) = &self.outside {
            DnsBackend::Netns {
                name: netns.clone(),
            }
        } else {
            dns::detect()
        };
        self.report.detail(format_args!(
            "IPv6 is {}; the first free table is {free_table}",
            if ipv6 { "on" } else { "off" }
        ));
        for (address, mtu) in &path_mtus {
            let report = self.report;
            report.detail(format_args!("the MTU of the way to {address} is {mtu}"));
        }
        if let Some(mtu) = default_path_mtu {
            self.report
                .detail(format_args!("the MTU of the default route is {mtu}"));
        }
        let mut advertised_uplinks = Vec::new();
        let mut kept_sysctls = BTreeMap::new();
        if interface.firewall.forwards() {
            read_sysctls(&mut found.state, &Sysctl::FORWARDING)?;
            kept_sysctls = forwarding::kept(found, record);
            read_sysctls(&mut found.state, kept_sysctls.keys())?;
            if ipv6 {
                let others = found.others.iter().map(|(name, _)| *name);
                let tunnels: BTreeSet<Ifname> = others.chain([ifname]).collect();
                advertised_uplinks = forwarding::advertised(self.route.uplinks()?, &tunnels);
                let accept_ra = advertised_uplinks.iter().copied().map(Sysctl::accept_ra);
                read_sysctls(&mut found.state, &accept_ra.collect::<Vec<_>>())?;
            }
        }
        let local_ports = if interface.firewall.keep_inbound.value {
            sysctl::local_ports()
        } else {
            0..=0 // nothing will depend on them
        };
        Ok(Surroundings {
            link_kind,
            ipv6,
            rules,
            free_table,
            path_mtus,
            default_path_mtu,
            advertised_uplinks,
            kept_sysctls,
            dns_backend,
            lan,
            local_ports,
            firewalls,
            unread_firewalls,
        })
    }
}

/// Adds the values of kernel variables to a state, but of those that this kernel does not have.
fn read_sysctls<'a>(
    state: &mut State,
    sysctls: impl IntoIterator<Item = &'a Sysctl>,
) -> Result<()> {
    for sysctl in sysctls {
        if let Some(value) = sysctl::read(sysctl).with_context(|| sysctl.0.to_string())? {
            state.sysctls.insert(sysctl.clone(), value);
        }
    }
    Ok(())
}

/// Without the right to look there is nothing of ours: whoever made a table could also see it.
fn nft_tables(ifname: Ifname) -> Result<nftables::Tables> {
    if nix::unistd::geteuid().is_root() {
        Ok(nftables::tables_of(ifname)?)
    } else {
        Ok(nftables::Tables::default())
    }
}

/// Who drives a link of the kind that the kernel says.
fn link_kind(ifname: Ifname, kind: Option<&str>, record: Option<&Record>) -> Result<LinkKind> {
    let recorded = record.map(|record| &record.kind);
    match (kind, recorded) {
        (Some("wireguard"), _) => Ok(LinkKind::Kernel),
        // its process may be just starting or ending, and not answer
        (Some("tun"), Some(userspace @ LinkKind::Userspace { .. })) => Ok(userspace.clone()),
        _ if userspace::is_running(ifname) => Ok(LinkKind::Userspace { program: None }),
        (Some("tun"), _) if !nix::unistd::geteuid().is_root() => {
            bail!("`{ifname}' is of kind tun, and only root can see whether WireGuard drives it")
        }
        (kind, _) => {
            let kind = kind.unwrap_or("physical");
            bail!("`{ifname}' is not a WireGuard interface but one of kind {kind}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{FwMark, TableId};

    #[test]
    fn the_rules_of_all_tunnels_of_ours_are_known_in_whatever_order() {
        let rule = |priority| PolicyRule {
            family: Family::V4,
            priority,
            selector: Selector::NotFwMark(FwMark(51820)),
            table: TableId(51820),
        };
        let tunnel = |name: &str, priority| {
            let rules = BTreeSet::from([rule(priority)]);
            let record = Record {
                rules,
                ..Record::default()
            };
            (name.parse().unwrap(), record)
        };
        let mut found = Found {
            foreign_rules: vec![rule(32763), rule(32765)],
            others: vec![tunnel("wg1", 32765), tunnel("wg2", 32763)],
            ..Found::default()
        };
        assert!(!found.has_foreign_full_tunnel());
        found.foreign_rules.push(rule(32761));
        assert!(found.has_foreign_full_tunnel());
    }
}
