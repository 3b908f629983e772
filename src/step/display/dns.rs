//! What a resolver is told, in the syntax of the program that tells it.

use std::fmt::{self, Formatter, Write as _};

use crate::net::Ifname;
use crate::state::{Dns, DnsBackend};

pub(super) fn set_dns(
    f: &mut Formatter<'_>,
    ifname: Ifname,
    from: Option<&Dns>,
    to: Option<&Dns>,
) -> fmt::Result {
    match (to, from) {
        (Some(dns), _) => tell_dns(f, ifname, dns),
        (None, Some(dns)) => match &dns.backend {
            DnsBackend::Resolved => write!(f, "resolvectl revert {ifname}"),
            DnsBackend::Resolvconf { prefix } => write!(f, "resolvconf -d {prefix}{ifname} -f"),
            DnsBackend::NetworkManager => {
                let file = Dns::network_manager_file(ifname);
                write!(f, "rm {file}; nmcli general reload conf")
            }
            DnsBackend::File => f.write_str("restore /etc/resolv.conf"),
            DnsBackend::Netns { name } => write!(f, "restore /etc/netns/{name}/resolv.conf"),
        },
        (None, None) => Ok(()),
    }
}

fn tell_dns(f: &mut Formatter<'_>, ifname: Ifname, dns: &Dns) -> fmt::Result {
    match &dns.backend {
        DnsBackend::Resolved => {
            write!(f, "resolvectl dns {ifname}")?;
            dns.servers
                .iter()
                .try_for_each(|server| write!(f, " {server}"))?;
            let domains = dns.resolved_domains();
            if !domains.is_empty() {
                write!(f, "; resolvectl domain {ifname} {}", domains.join(" "))?;
            }
            write!(
                f,
                "; resolvectl default-route {ifname} {}",
                dns.is_default_route()
            )
        }
        DnsBackend::Resolvconf { prefix } => {
            let text = dns.resolv_conf().escape_default().to_string();
            write!(
                f,
                "printf '{text}' | resolvconf -a {prefix}{ifname} -m 0 -x"
            )
        }
        DnsBackend::NetworkManager => {
            let text = dns.network_manager_conf().escape_default().to_string();
            let file = Dns::network_manager_file(ifname);
            write!(f, "printf '{text}' > {file}; nmcli general reload conf")
        }
        DnsBackend::File => {
            let text = dns.resolv_conf();
            write!(f, "printf '{}' > /etc/resolv.conf", text.escape_default())
        }
        DnsBackend::Netns { name } => {
            let (text, file) = (
                dns.resolv_conf(),
                format_args!("/etc/netns/{name}/resolv.conf"),
            );
            write!(
                f,
                "printf '{}' | install -Dm644 /dev/stdin {file}",
                text.escape_default()
            )
        }
    }
}

impl Dns {
    /// Returns where NetworkManager reads what a tunnel tells it.
    pub fn network_manager_file(ifname: Ifname) -> String {
        format!("/run/NetworkManager/conf.d/90-wgq-{ifname}.conf")
    }

    /// Returns the lines of a NetworkManager.conf(5) that say the same.
    pub fn network_manager_conf(&self) -> String {
        let servers: Vec<String> = self.servers.iter().map(ToString::to_string).collect();
        format!(
            "[global-dns]\nsearches={}\n[global-dns-domain-*]\nservers={}\n",
            self.search.join(","),
            servers.join(",")
        )
    }

    /// Returns the lines of a resolv.conf(5) that say the same.
    pub fn resolv_conf(&self) -> String {
        let mut text = String::new();
        for server in &self.servers {
            let _ = writeln!(text, "nameserver {server}");
        }
        if !self.search.is_empty() {
            let _ = writeln!(text, "search {}", self.search.join(" "));
        }
        text
    }

    /// Whether the servers are asked for names that no other link claims: so for a full tunnel, and for one that has no
    /// domains of its own, which would never be asked otherwise.
    pub fn is_default_route(&self) -> bool {
        self.all_names || self.search.is_empty()
    }

    /// Returns the domains for resolvectl(1): the search domains, and `~.` when every name is to be asked there.
    pub fn resolved_domains(&self) -> Vec<String> {
        let all = self.all_names.then(|| "~.".to_owned());
        self.search.iter().cloned().chain(all).collect()
    }
}
