//! What this host supports, and what each thing costs that it does not.

use std::fs::File;
use std::io;

use anyhow::{Context as _, Result, bail};

use super::engine::Driver;
use super::feature::{EMBEDDED, Feature, HOOKS, IPV6, KERNEL, TUN, TUN_FOR_ROOT};
use super::machine::Machine;
use super::table::{Row, Verdict};
use crate::host::route_socket::RouteSocket;
use crate::host::wireguard::WireGuard;
use crate::host::{dns, hooks, nftables, sysctl};
use crate::net::{Address, Family, FwMark, Ifname, TableId};
use crate::nft::NftTable;
use crate::state::{DnsBackend, LinkKind, PolicyRule, Selector, Sysctl};
use crate::step::Step;

/// A mark and table that no other program is known to use.
const MARK: u32 = 51820;

/// What this host supports.
pub(super) struct Support {
    pub(super) rows: Vec<Row>,
    /// Who can drive an interface.
    pub(super) drivers: Vec<Driver>,
    /// What the kernel can carry.
    pub(super) families: Vec<Family>,
    /// Whether all that a full tunnel needs is there.
    pub(super) full_tunnels: bool,
}

/// Tries a feature on the machine of this thread, which has these families.
type Trial = fn(&[Family]) -> Result<()>;

/// What a full tunnel takes beside a link, the one after the other.
const FULL_TUNNEL: [(Feature, Trial); 5] = [
    (
        Feature {
            name: "policy routing",
            cost: NO_FULL_TUNNELS,
            remedy: "a kernel with CONFIG_IP_MULTIPLE_TABLES and CONFIG_IPV6_MULTIPLE_TABLES",
        },
        policy_routing,
    ),
    (
        Feature {
            name: "src_valid_mark",
            cost: NO_FULL_TUNNELS,
            remedy: "a container needs a /proc/sys/net that can be written, or the value 1 in it",
        },
        |_| Ok(sysctl::write(&Sysctl::SRC_VALID_MARK, "1")?),
    ),
    (
        Feature {
            name: "nftables",
            cost: NO_FULL_TUNNELS,
            remedy: "`modprobe nf_tables`; a kernel with CONFIG_NF_TABLES_INET",
        },
        |_| Ok(nftables::replace(&NftTable::new(ifname()?))?),
    ),
    (
        Feature {
            name: "nftables: ct mark",
            cost: NO_FULL_TUNNELS,
            remedy: "`modprobe nft_ct`; a kernel with CONFIG_NFT_CT and CONFIG_NF_CONNTRACK_MARK",
        },
        |_| full_tunnel(&[]),
    ),
    (
        Feature {
            name: "nftables: fib",
            cost: NO_FULL_TUNNELS,
            remedy: "`modprobe nft_fib_inet`; a kernel with CONFIG_NFT_FIB_INET",
        },
        |_| full_tunnel(&["10.77.0.2/24", "fd77::2/64"]),
    ),
];

const NO_FULL_TUNNELS: &str = "no full tunnels (AllowedIPs = 0.0.0.0/0 or ::/0)";

/// Finds out what this host supports. To be called outside of the machines, but where they can be made.
pub(super) fn probe() -> Result<Support> {
    let machine = Machine::new("probe")?;
    let families = machine.run(|| Ok(families()))?;
    let kernel = machine.run(kernel_wireguard);
    let embedded = if cfg!(feature = "userspace") {
        tun_row()
    } else {
        EMBEDDED.row(&Err(anyhow::anyhow!("not in this wgq")))
    };
    let mut drivers = Vec::new();
    drivers.extend(kernel.is_ok().then_some(Driver::Kernel));
    drivers.extend((embedded.verdict == Verdict::Ok).then_some(Driver::Embedded));
    let mut rows = vec![KERNEL.row(&kernel), embedded, IPV6.row(&ipv6())];
    let mut full_tunnels = true;
    for (feature, works) in FULL_TUNNEL {
        let found = machine.run(|| works(&families));
        full_tunnels &= found.is_ok();
        rows.push(feature.row(&found));
    }
    rows.push(HOOKS.row(&hooks::check().map_err(Into::into)));
    rows.extend(resolvers(&dns::detect()));
    Ok(Support {
        rows,
        drivers,
        families,
        full_tunnels,
    })
}

fn ifname() -> Result<Ifname> {
    Ok("wg0".parse()?)
}

fn kernel_wireguard() -> Result<()> {
    let add = Step::AddLink {
        ifname: ifname()?,
        kind: LinkKind::Kernel,
    };
    execute(&[add])?;
    WireGuard::open()?;
    Ok(())
}

fn tun_row() -> Row {
    let open = File::options().read(true).write(true).open(TUN.name);
    let feature = match &open {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => TUN_FOR_ROOT,
        _ => TUN,
    };
    feature.row(&open.map(drop).context("open"))
}

fn ipv6() -> Result<()> {
    if !sysctl::has_ipv6() {
        bail!("it is off");
    }
    Ok(())
}

/// The families of the machine of this thread: it need not be as the host is set.
fn families() -> Vec<Family> {
    let has = |family: &Family| *family == Family::V4 || sysctl::has_ipv6();
    Family::BOTH.into_iter().filter(has).collect()
}

fn policy_routing(families: &[Family]) -> Result<()> {
    let rules = families.iter().flat_map(|&family| {
        let rule = |priority, selector, table| {
            Step::AddRule(PolicyRule {
                family,
                priority,
                selector,
                table,
            })
        };
        [
            rule(1, Selector::SuppressPrefixLength(0), TableId::MAIN),
            rule(2, Selector::NotFwMark(FwMark(MARK)), TableId(MARK)),
        ]
    });
    execute(&rules.collect::<Vec<_>>())
}

/// Puts a full tunnel's table in place; without addresses it has only the rules that keep the mark.
fn full_tunnel(addresses: &[&str]) -> Result<()> {
    let addresses: Result<Vec<Address>, _> = addresses.iter().map(|text| text.parse()).collect();
    let table = NftTable::full_tunnel(ifname()?, FwMark(MARK), &addresses?);
    Ok(nftables::replace(&table)?)
}

fn execute(steps: &[Step]) -> Result<()> {
    let failed = RouteSocket::open()?.execute(steps).into_iter().next();
    failed.map_or(Ok(()), |failure| Err(failure.error.into()))
}

/// The lines of who may be told of a tunnel's DNS servers.
fn resolvers(backend: &DnsBackend) -> [Row; 2] {
    const RESOLVED: &str = "systemd-resolved";
    const RESOLVCONF: &str = "resolvconf";
    let no_resolved = Row::ok(&RESOLVED)
        .verdict(Verdict::Missing)
        .tell("a tunnel's DNS servers are asked for all names, not for its domains alone");
    match backend {
        DnsBackend::Resolved => [
            Row::ok(&RESOLVED),
            Row::ok(&RESOLVCONF)
                .verdict(Verdict::Unused)
                .tell("not needed beside systemd-resolved"),
        ],
        DnsBackend::Resolvconf { .. } => [no_resolved, Row::ok(&RESOLVCONF)],
        DnsBackend::NetworkManager => [
            no_resolved,
            Row::ok(&RESOLVCONF)
                .verdict(Verdict::Unused)
                .tell("not needed beside NetworkManager"),
        ],
        DnsBackend::File | DnsBackend::Netns { .. } => [
            no_resolved,
            Row::ok(&RESOLVCONF)
                .verdict(Verdict::Missing)
                .tell("DNS = is written to /etc/resolv.conf itself, and put back by `down`"),
        ],
    }
}
