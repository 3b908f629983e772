//! How accepts are told: as the commands of the tool that shows the chain they are in.

use std::fmt::{self, Display, Formatter};

use super::walk::Drops;
use super::{Accept, Access, Packets, Place, Table, TableFamily, Tool, comment};
use crate::net::Ifname;

impl Accept {
    /// Writes the command that adds the accept.
    pub(crate) fn write_add(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            table,
            chain,
            ..
        } = self;
        match self.tool {
            Tool::Iptables => {
                write!(f, "{} ", iptables(*family))?;
                match self.place {
                    Place::End => write!(f, "-A {chain}")?,
                    Place::Before(1) => write!(f, "-I {chain}")?,
                    Place::Before(number) => write!(f, "-I {chain} {number}")?,
                }
                self.write_iptables_rule(f)
            }
            Tool::Nft => {
                match self.place {
                    Place::End => write!(f, "nft add rule {family} {table} {chain}")?,
                    Place::Before(number) => {
                        write!(f, "nft insert rule {family} {table} {chain}")?;
                        if let Some(index) = number.checked_sub(1).filter(|&index| index > 0) {
                            write!(f, " index {index}")?;
                        }
                    }
                }
                self.write_nft_rule(f)
            }
        }
    }

    /// Writes the command that deletes the accept, or its like: nft(8) itself deletes only by handles, which are not told.
    pub(crate) fn write_delete(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            table,
            chain,
            ..
        } = self;
        match self.tool {
            Tool::Iptables => {
                write!(f, "{} -D {chain}", iptables(*family))?;
                self.write_iptables_rule(f)
            }
            Tool::Nft => {
                write!(f, "nft delete rule {family} {table} {chain}")?;
                self.write_nft_rule(f)
            }
        }
    }

    fn write_iptables_rule(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is = Iptables(self.packets, self.ifname);
        let comment = comment(self.ifname);
        write!(f, " {is} -m comment --comment '{comment}' -j ACCEPT")
    }

    fn write_nft_rule(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is = Nft(self.packets, self.ifname);
        write!(f, " {is} accept comment \"{}\"", comment(self.ifname))
    }
}

fn iptables(family: TableFamily) -> &'static str {
    match family {
        TableFamily::Ip | TableFamily::Inet => "iptables",
        TableFamily::Ip6 => "ip6tables",
    }
}

/// The packets, as iptables(8) asks for them.
struct Iptables(Packets, Ifname);

impl Display for Iptables {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(packets, ifname) = self;
        match packets {
            Packets::From => write!(f, "-i {ifname}"),
            Packets::To => write!(f, "-o {ifname}"),
            Packets::Port(port) => write!(f, "-p udp -m udp --dport {port}"),
        }
    }
}

/// The packets, as nft(8) asks for them.
struct Nft(Packets, Ifname);

impl Display for Nft {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(packets, ifname) = self;
        match packets {
            Packets::From => write!(f, "iifname \"{ifname}\""),
            Packets::To => write!(f, "oifname \"{ifname}\""),
            Packets::Port(port) => write!(f, "udp dport {port}"),
        }
    }
}

/// Says that a firewall which wgq cannot change drops packets of the tunnel, and what to run.
pub(super) fn out_of_reach(
    ifname: Ifname,
    table: &Table,
    dropped: &[(Packets, Drops<'_>)],
) -> String {
    let Table { family, name, .. } = table;
    let legacy = table.access == Access::Legacy;
    let what: Vec<String> = dropped
        .iter()
        .map(|(packets, _)| match packets {
            Packets::From => format!("what {ifname} forwards"),
            Packets::To => format!("what is forwarded to {ifname}"),
            Packets::Port(port) => format!("UDP port {port}"),
        })
        .collect();
    let run: Vec<String> = dropped
        .iter()
        .map(|(packets, drops)| {
            let chain = &drops.chain.name;
            match packets {
                _ if legacy => {
                    let program = iptables(*family).replace("tables", "tables-legacy");
                    format!(
                        "{program} -I {chain} {} -j ACCEPT",
                        Iptables(*packets, ifname)
                    )
                }
                Packets::Port(port) if table.is_firewalld() => {
                    format!("firewall-cmd --add-port={port}/udp")
                }
                Packets::From | Packets::To if table.is_firewalld() => {
                    format!("firewall-cmd --zone=trusted --add-interface={ifname}")
                }
                _ => format!(
                    "nft insert rule {family} {name} {chain} {} accept",
                    Nft(*packets, ifname)
                ),
            }
        })
        .collect();
    let run: Vec<String> = run.into_iter().fold(Vec::new(), |mut all, one| {
        if !all.contains(&one) {
            all.push(one);
        }
        all
    });
    let base = dropped.first().map_or("", |(_, drops)| &drops.base.name);
    let whose = if legacy {
        "is of iptables-legacy"
    } else {
        "belongs to another program alone"
    };
    format!(
        "the chain {base} of the table {family} {name} drops {}, and {whose}, where wgq cannot change it; to accept: `{}`",
        what.join(" and "),
        run.join("; ")
    )
}
