//! Golden cases: `tests/cases/NAME/wg0.conf` on a host like `now.txt` leads to the steps of `plan.txt`.
//!
//! A case is added without writing Rust. `WGQ_BLESS=1 cargo test --test cases` writes the plans anew, to be reviewed as one
//! reads a session of `ip`.
//!
//! `now.txt` may be missing; each line of it is one fact about the host before:
//!
//! ```text
//! ipv6 off                            the host has no IPv6
//! rule -4 32765 0xca6c 51820          another full tunnel: its family, priority, mark and table
//! free-table 51821                    the table for a full tunnel that names none
//! path 192.0.2.1 1420                 the MTU on the way there
//! default-path 1492                   the MTU of the default route
//! dns resolved                        who keeps resolv.conf: resolved, resolvconf, tun. (its prefix),
//!                                     network-manager, file
//! lan eth0 192.168.1.0/24             the network of another interface's address
//! sysctl 1                            the value of src_valid_mark
//! name vpn.example.com 192.0.2.1      what a name stands for
//! userspace                           the kernel has no WireGuard
//! nft ip filter FORWARD forward drop  a chain of another program's, its hook and its policy
//! nft ip filter FORWARD: jump USER    a rule in it; `?` is a condition that wgq cannot read
//! nft inet firewalld owned            a table that nobody else may change
//! iptables-legacy -P FORWARD DROP     a line of `iptables-legacy -S`
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test"
)]

mod facts;
mod model;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use model::Model;
use wgq::apply::Transaction;
use wgq::config::{self, Config, Endpoint, Names};
use wgq::foreign::{self, Table, TableFamily};
use wgq::net::{Family, FwMark, TableId};
use wgq::plan;
use wgq::state::{DnsBackend, LinkKind, PolicyRule, Selector, State, Sysctl};
use wgq::surroundings::Surroundings;

struct Now {
    state: State,
    surroundings: Surroundings,
    names: BTreeMap<String, IpAddr>,
}

impl Default for Now {
    fn default() -> Self {
        let sysctls = BTreeMap::from([(Sysctl::SRC_VALID_MARK, "0".to_owned())]);
        Self {
            state: State {
                sysctls,
                ..State::default()
            },
            surroundings: Surroundings {
                link_kind: LinkKind::Kernel,
                ipv6: true,
                rules: Vec::new(),
                free_table: TableId(51820),
                path_mtus: BTreeMap::new(),
                default_path_mtu: Some(1500),
                dns_backend: DnsBackend::Resolved,
                lan: BTreeSet::new(),
                local_ports: 32768..=60999,
                advertised_uplinks: Vec::new(),
                kept_sysctls: BTreeMap::new(),
                firewalls: Vec::new(),
                unread_firewalls: Vec::new(),
            },
            names: BTreeMap::new(),
        }
    }
}

impl Now {
    fn read(text: &str) -> Self {
        let mut now = Self::default();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            now.fact(line);
        }
        let legacy: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("iptables-legacy "))
            .collect();
        let firewalls = &mut now.surroundings.firewalls;
        if !legacy.is_empty() {
            firewalls.push(Table::of_legacy(
                TableFamily::Ip,
                "filter",
                &legacy.join("\n"),
            ));
        }
        now.state.accepts = foreign::found("wg0".parse().unwrap(), firewalls);
        now
    }

    fn fact(&mut self, line: &str) {
        let around = &mut self.surroundings;
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["nft", ..] => facts::nft(&mut around.firewalls, line),
            ["iptables-legacy", ..] => {} // all lines together are one table
            ["ipv6", "off"] => around.ipv6 = false,
            ["userspace"] => around.link_kind = LinkKind::Userspace { program: None },
            ["free-table", table] => around.free_table = TableId(table.parse().unwrap()),
            ["default-path", mtu] => around.default_path_mtu = mtu.parse().ok(),
            ["path", address, mtu] => {
                around
                    .path_mtus
                    .insert(address.parse().unwrap(), mtu.parse().unwrap());
            }
            ["name", name, address] => {
                self.names.insert(name.to_owned(), address.parse().unwrap());
            }
            ["lan", ifname, prefix] => {
                around
                    .lan
                    .insert((ifname.parse().unwrap(), prefix.parse().unwrap()));
            }
            ["sysctl", value] => {
                self.state
                    .sysctls
                    .insert(Sysctl::SRC_VALID_MARK, value.to_owned());
            }
            ["dns", "resolved"] => around.dns_backend = DnsBackend::Resolved,
            ["dns", "network-manager"] => around.dns_backend = DnsBackend::NetworkManager,
            ["dns", "file"] => around.dns_backend = DnsBackend::File,
            ["dns", "resolvconf"] => {
                around.dns_backend = DnsBackend::Resolvconf {
                    prefix: String::new(),
                };
            }
            ["dns", prefix] => {
                around.dns_backend = DnsBackend::Resolvconf {
                    prefix: prefix.to_owned(),
                };
            }
            ["rule", family, priority, mark, table] => {
                let mark = u32::from_str_radix(mark.trim_start_matches("0x"), 16).unwrap();
                around.rules.push(PolicyRule {
                    family: if family == "-4" {
                        Family::V4
                    } else {
                        Family::V6
                    },
                    priority: priority.parse().unwrap(),
                    selector: Selector::NotFwMark(FwMark(mark)),
                    table: TableId(table.parse().unwrap()),
                });
            }
            _ => panic!("now.txt: {line}"),
        }
    }

    fn endpoints(&self, config: &Config) -> Vec<Option<SocketAddr>> {
        let address = |endpoint: &Endpoint| match endpoint {
            Endpoint::Addr(address) => Some(*address),
            Endpoint::Name { host, port } => Some((*self.names.get(host)?, *port).into()),
        };
        config
            .peers
            .iter()
            .map(|peer| {
                peer.endpoint
                    .as_ref()
                    .and_then(|endpoint| address(&endpoint.value))
            })
            .collect()
    }
}

/// The plan of a case, and the host before.
fn read(case: &Path) -> (Now, config::Parsed) {
    let text = fs::read(case.join("wg0.conf")).unwrap();
    let now = Now::read(&fs::read_to_string(case.join("now.txt")).unwrap_or_default());
    let names = Names {
        tables: LazyCell::new(|| BTreeMap::from([("office".to_owned(), 100)])),
        services: LazyCell::new(|| BTreeMap::from([("domain".to_owned(), 53)])),
        ..Names::default()
    };
    (now, config::parse(&text, &names))
}

fn plan(now: &Now, config: &Config) -> plan::Up {
    let ifname = "wg0".parse().unwrap();
    let endpoints = now.endpoints(config);
    plan::up(ifname, config, &endpoints, &now.state, &now.surroundings)
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(cases.len() >= 20, "only {} cases were found", cases.len());
    cases
}

/// The plan as text, or what is wrong with the file.
fn plan_of(case: &Path) -> String {
    let (now, parsed) = read(case);
    let found = parsed.diagnostics.iter();
    let mut text: String = found
        .map(|found| found.render("wg0.conf", false) + "\n")
        .collect();
    let Some(config) = parsed.config else {
        return text;
    };
    let up = plan(&now, &config);
    for warning in &up.desired.warnings {
        let _ = writeln!(text, "wgq: warning: {warning}");
    }
    for step in up.before.iter().chain(&up.after) {
        let _ = writeln!(text, "{step}");
    }
    text
}

#[test]
fn every_case_leads_to_its_plan() {
    let bless = std::env::var_os("WGQ_BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let plan = plan_of(&case);
        let golden = case.join("plan.txt");
        if bless {
            fs::write(&golden, &plan).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if plan != expected {
            let name = case.display();
            wrong.push(format!(
                "{name}:\n--- expected\n{expected}--- found\n{plan}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fault_at_any_step_of_any_case_leaves_the_host_as_it_was() {
    let mut faults = 0;
    for case in cases() {
        let (now, parsed) = read(&case);
        let Some(config) = parsed.config else {
            continue;
        };
        let up = plan(&now, &config);
        let steps = [up.before, up.after].concat();
        for fault in 0..steps.len() {
            let mut host = Model::new(now.state.clone());
            host.faults.insert(fault);
            let mut transaction = Transaction::default();
            let result = transaction.execute(&mut host, &steps);
            if steps[fault].is_optional() {
                assert!(result.is_ok(), "{}: {result:?}", case.display());
                continue;
            }
            assert!(result.is_err(), "{}: {}", case.display(), steps[fault]);
            transaction.roll_back(&mut host);
            assert_eq!(
                host.state,
                now.state,
                "{}: {}",
                case.display(),
                steps[fault]
            );
            faults += 1;
        }
    }
    assert!(faults > 100, "only {faults} faults");
}
