//! The well-known installers: how their files are told, the names they give to peers, and what they leave outside the file.

/// A program or script that writes config files.
#[derive(Debug, PartialEq, Eq)]
pub struct Installer {
    /// What people call it.
    pub name: &'static str,
    /// The comment that names a peer: what is before the name, and what is after it.
    comment: (&'static str, &'static str),
    /// Another line that only its files have begins so.
    sign: &'static str,
    /// What it leaves outside the file.
    pub leftovers: &'static [Leftover],
    /// Something to know of it.
    pub note: Option<&'static str>,
}

/// A file that an installer leaves on the host, which does what the keys do.
#[derive(Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The file.
    pub path: &'static str,
    /// It is the installer's if this is in it.
    pub contains: &'static str,
    /// What it does.
    pub does: &'static str,
    /// The command that removes it.
    pub remove: &'static str,
}

/// All of them.
pub static INSTALLERS: [Installer; 5] = [
    Installer {
        name: "angristan's wireguard-install",
        comment: ("### Client ", ""),
        sign: "### Client ",
        leftovers: &[Leftover {
            path: "/etc/sysctl.d/wg.conf",
            contains: "forward",
            does: "turns forwarding on for good, tunnel or not",
            remove: "rm /etc/sysctl.d/wg.conf",
        }],
        note: None,
    },
    Installer {
        name: "Nyr's wireguard-install",
        comment: ("# BEGIN_PEER ", ""),
        sign: "# BEGIN_PEER ",
        leftovers: &[
            Leftover {
                path: "/etc/systemd/system/wg-iptables.service",
                contains: "iptables",
                does: "makes the rules for NAT and the port at boot, which Masquerade and OpenPort make with the tunnel",
                remove: "systemctl disable --now wg-iptables.service && rm /etc/systemd/system/wg-iptables.service",
            },
            Leftover {
                path: "/etc/firewalld/direct.xml",
                contains: "-j SNAT --to",
                does: "makes the rules for NAT, which Masquerade makes with the tunnel",
                remove: "firewall-cmd --permanent --direct --get-all-rules # and --remove-rule with each of the tunnel's",
            },
            Leftover {
                path: "/etc/sysctl.d/99-wireguard-forward.conf",
                contains: "forward",
                does: "turns forwarding on for good, tunnel or not",
                remove: "rm /etc/sysctl.d/99-wireguard-forward.conf",
            },
        ],
        note: Some(
            "its rules for NAT and the port are not in this file: Masquerade and OpenPort in it do what they do",
        ),
    },
    Installer {
        name: "PiVPN",
        comment: ("### begin ", " ###"),
        sign: "### begin ",
        leftovers: &[
            Leftover {
                path: "/etc/iptables/rules.v4",
                contains: "wireguard-nat-rule",
                does: "makes the rules for NAT at boot, which Masquerade makes with the tunnel",
                remove: "iptables-save | grep -v -e 'comment wireguard-' | iptables-restore && netfilter-persistent save",
            },
            Leftover {
                path: "/etc/iptables/rules.v6",
                contains: "wireguard-nat-rule",
                does: "makes the rules for NAT at boot, which Masquerade makes with the tunnel",
                remove: "ip6tables-save | grep -v -e 'comment wireguard-' | ip6tables-restore && netfilter-persistent save",
            },
            Leftover {
                path: "/etc/ufw/before.rules",
                contains: "wireguard-nat-rule",
                does: "makes the rules for NAT, which Masquerade makes with the tunnel",
                remove: "sed -i '/wireguard-nat-rule/d' /etc/ufw/before.rules && ufw reload",
            },
            Leftover {
                path: "/etc/sysctl.d/99-pivpn.conf",
                contains: "forward",
                does: "turns forwarding on for good, tunnel or not",
                remove: "rm /etc/sysctl.d/99-pivpn.conf",
            },
        ],
        note: Some(
            "its rules for NAT and the port are not in this file: Masquerade and OpenPort in it do what they do",
        ),
    },
    Installer {
        name: "wg-easy",
        comment: ("# Client: ", " ("),
        sign: "# Client: ",
        leftovers: &[],
        note: Some("wg-easy writes this file anew whenever a client changes: stop it first"),
    },
    Installer {
        name: "easy-wg-quick",
        comment: (": ", " > wgclient_"),
        sign: "# Hub configuration created on ",
        leftovers: &[],
        note: None,
    },
];

/// Whose file this is, if that can be told.
pub(super) fn recognise(text: &str) -> Option<&'static Installer> {
    let is_of = |installer: &&Installer| {
        text.lines()
            .any(|line| line.starts_with(installer.sign) || installer.peer(line).is_some())
    };
    INSTALLERS.iter().find(is_of)
}

impl Installer {
    /// The names of the peers that it wrote.
    pub fn peers<'t>(&self, text: &'t str) -> Vec<&'t str> {
        text.lines().filter_map(|line| self.peer(line)).collect()
    }

    /// The name of a peer, if that is what a line says.
    fn peer<'t>(&self, line: &'t str) -> Option<&'t str> {
        let (before, after) = self.comment;
        let line = line.trim_end();
        let line = line.starts_with('#').then_some(line)?;
        let (_, rest) = if before.starts_with('#') {
            ("", line.strip_prefix(before)?)
        } else {
            line.split_once(before)?
        };
        let name = if after.is_empty() {
            rest
        } else {
            rest.rsplit_once(after)?.0
        };
        Some(name.trim()).filter(|name| !name.is_empty())
    }
}
