//! How accepts are told: as the commands of the tool that shows the chain they are in.

use std::fmt::{self, Display, Formatter};

use super::{
    Accept, Access, Chain, Connections, Packets, Place, Table, TableFamily, Tool, comment,
    connection,
};
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
                    Place::End => write!(f, "nft 'add rule {family} {table} {chain}")?,
                    Place::Before(number) => {
                        write!(f, "nft 'insert rule {family} {table} {chain}")?;
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
                write!(f, "nft 'delete rule {family} {table} {chain}")?;
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
        write!(f, " {is} accept comment \"{}\"'", comment(self.ifname))
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
            Packets::From(of) => write!(f, "-i {ifname}{}", connection::Iptables(*of)),
            Packets::To(of) => write!(f, "-o {ifname}{}", connection::Iptables(*of)),
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
            Packets::From(of) => write!(f, "iifname \"{ifname}\"{}", connection::Nft(*of)),
            Packets::To(of) => write!(f, "oifname \"{ifname}\"{}", connection::Nft(*of)),
            Packets::Port(port) => write!(f, "udp dport {port}"),
        }
    }
}

/// Says that a firewall which wgq cannot change drops packets of the tunnel, and what to do.
pub(super) fn out_of_reach(
    ifname: Ifname,
    table: &Table,
    base: &Chain,
    dropped: &[(Packets, &Chain)],
) -> String {
    let Table { family, name, .. } = table;
    let what = dropped.iter().map(|(packets, _)| match packets {
        Packets::From(Connections::Any) => format!("what {ifname} forwards"),
        Packets::To(Connections::Any) => format!("what is forwarded to {ifname}"),
        Packets::From(of) => format!("{} that {ifname} forwards", told(*of)),
        Packets::To(of) => format!("{} that are forwarded to {ifname}", told(*of)),
        Packets::Port(port) => format!("UDP port {port}"),
    });
    let remedy = match table.access {
        Access::Legacy => {
            let program = iptables(*family).replace("tables", "tables-legacy");
            let commands = dropped.iter().map(|(packets, chain)| {
                let rule = Iptables(*packets, ifname);
                format!("{program} -I {} {rule} -j ACCEPT", chain.name)
            });
            let commands: Vec<String> = commands.collect();
            format!(
                "is of iptables-legacy, which wgq leaves alone; to accept: `{}`",
                commands.join("; ")
            )
        }
        Access::Owned if name == "firewalld" => "lets nobody but firewalld change it; with NftablesTableOwner=no in \
             /etc/firewalld/firewalld.conf, and after `systemctl restart firewalld`, wgq adds what is missing"
            .to_owned(),
        Access::Owned | Access::Open => {
            let rules = dropped
                .iter()
                .map(|(packets, chain)| format!("{}: {} accept", chain.name, Nft(*packets, ifname)));
            let rules: Vec<String> = rules.collect();
            format!(
                "lets nobody change it but the program that made it, which is to add `{}`",
                rules.join("; ")
            )
        }
    };
    format!(
        "the chain {} of the table {family} {name} drops {}, and {remedy}",
        base.name,
        what.collect::<Vec<_>>().join(" and "),
    )
}

fn told(connections: Connections) -> &'static str {
    match connections {
        Connections::Any => "all packets",
        Connections::Established => "answers",
        Connections::Dnat => "packets of redirected connections",
    }
}
