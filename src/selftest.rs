//! `wgq selftest`: finds out whether wgq works on this host, without a change of it.
//!
//! In namespaces of its own it makes four machines (see `lab`), runs wgq itself in two of them, and sends packets
//! through the tunnels between these. When it ends, in whatever way, the kernel takes all of that away.

use std::time::Instant;

use anyhow::Result;

mod capture;
mod configs;
mod engine;
mod feature;
mod lab;
mod machine;
mod network;
mod probe;
pub(crate) mod sandbox;
mod snapshot;
mod table;
mod traffic;
mod tunnel;

use crate::error::Error;
use crate::host::sysctl;
use crate::report::{Report, Verbosity};
use crate::state::Sysctl;
use configs::Reach;
use probe::{Support, probe};
use table::{Row, Verdict};
use tunnel::Tunnel;

/// What is done, for `--dry-run`.
pub(crate) const PLAN: &str = "\
make namespaces of processes, mounts and networks, for a plain user in a user namespace
look at what this host supports: WireGuard, TUN, IPv6, policy routing, nftables, bash, DNS
make four machines there: client - internet - server - lan
for WireGuard of the kernel and of wgq itself, for server addresses of IPv4 and IPv6:
  wgq up on server and client, a split tunnel
  ping, and TCP of 1 MiB each way, to the server's LAN, over IPv4 and IPv6
  wgq down, and look whether anything is left
  wgq up on server and client, a full tunnel
  ping and TCP to the internet and the LAN, with a capture of all packets on the uplink
  wgq down, and look whether anything is left
";

/// Runs all tests inside of the sandbox, and prints what they tell by `print`.
pub(crate) fn run(print: fn(&str) -> Result<()>, report: Report) -> Result<(), Error> {
    sandbox::end_with_the_one_outside(move || report.error("selftest: no end in sight; stopped"));
    let start = Instant::now();
    let quiet = report.verbosity() == Verbosity::Quiet;
    let say = |text: &str| if quiet { Ok(()) } else { print(text) };
    let show = |row: Row| say(&row.render(report.stdout_color()));

    say(&heading()?)?;
    let support = probe()?;
    support.rows.iter().cloned().try_for_each(show)?;
    if support.drivers.is_empty() {
        let hint = (!sandbox::is_root_of_host()).then(|| "`sudo wgq selftest`".to_owned());
        let why =
            "selftest: there is no WireGuard in this kernel and no /dev/net/tun to do without";
        return Err(Error::new(why).hint(hint));
    }

    say("\nTunnels to an IPv4 or IPv6 address: up, ping and TCP through them, down\n")?;
    let mut failed = None;
    for tunnel in tunnels(&support) {
        match tunnel.test(&support.families, report) {
            Ok(outcome) => show(Row::ok(&tunnel).tell(outcome))?,
            Err(why) => {
                show(
                    Row::ok(&tunnel)
                        .verdict(Verdict::Failed)
                        .tell(format_args!("{why:#}")),
                )?;
                failed.get_or_insert(format!("selftest: {tunnel}: {why:#}"));
            }
        }
    }
    if !support.full_tunnels {
        let why = "not tested: see above what is missing for them";
        show(Row::ok(&"full tunnels").verdict(Verdict::Missing).tell(why))?;
    }
    let seconds = start.elapsed().as_secs_f64();
    match failed {
        None => Ok(say(&format!("\nwgq works here ({seconds:.1} s)\n"))?),
        Some(why) => Err(Error::new(why)),
    }
}

/// The tunnels that can be tested here.
fn tunnels(support: &Support) -> Vec<Tunnel> {
    let mut tunnels = Vec::new();
    for &driver in &support.drivers {
        for reach in [Reach::Split, Reach::Full] {
            for &endpoint in &support.families {
                if reach == Reach::Split || support.full_tunnels {
                    tunnels.push(Tunnel {
                        driver,
                        reach,
                        endpoint,
                    });
                }
            }
        }
    }
    tunnels
}

/// What was tested: this wgq, on this kernel.
fn heading() -> Result<String> {
    let release = sysctl::read(&Sysctl("kernel.osrelease".into()))?.unwrap_or_default();
    let (version, arch) = (env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let by = if sandbox::is_root_of_host() {
        "by root"
    } else {
        "in a user namespace"
    };
    Ok(format!(
        "wgq {version} on Linux {release} ({arch}), {by}\n\nThis host\n"
    ))
}
