//! What is brought up and down.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::firewall;
use crate::tool::Tool;

/// Where everything is kept: in memory.
pub(crate) const FOLDER: &str = "/run/bench";

/// What each file is about.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    interface: &'static str,
    /// Lines of `[Interface]` that wgq has alone, and those that do the same for wg-quick.
    keys: &'static str,
    hooks: fn() -> String,
    /// For `nft -f`, up and down.
    nft: Option<[&'static str; 2]>,
    /// The kernel variables that are 1 while it is up, and 0 without.
    pub(crate) sysctls: &'static [&'static str],
    /// Whether a firewall is there that drops what nobody has let in.
    pub(crate) has_firewall: bool,
    peers: usize,
    allowed_ips: usize,
    full_tunnel: bool,
    /// How often wg-quick is run, which takes minutes for 1,000 routes.
    wg_quick_rounds: usize,
    /// How often the others are run.
    pub(crate) rounds: usize,
}

const ROUTER: Case = Case {
    name: "",
    interface: "ListenPort = 51820\nAddress = 10.0.0.1/24\n",
    keys: "",
    hooks: String::new,
    nft: None,
    sysctls: &[],
    has_firewall: false,
    peers: 1,
    allowed_ips: 1,
    full_tunnel: false,
    wg_quick_rounds: 5,
    rounds: 5,
};

/// Neither has DNS: telling the resolver is other programs' time. Where there are many peers or `AllowedIPs`, each has a
/// /32 outside of the interface's subnet, so that there is a route for each.
pub(crate) const CASES: [Case; 6] = [
    Case {
        name: "server, 1 peer",
        ..ROUTER
    },
    Case {
        name: "full-tunnel client",
        interface: "Address = 10.0.0.2/24, fd00::2/64\n",
        full_tunnel: true,
        nft: Some([NFT_UP, "delete table inet floor-wg0\n"]),
        sysctls: &["net.ipv4.conf.all.src_valid_mark"],
        ..ROUTER
    },
    Case {
        name: "server, all keys",
        interface: "ListenPort = 51820\nAddress = 10.0.0.1/24, fd00::1/64\n",
        keys: firewall::KEYS,
        hooks: firewall::hooks,
        nft: Some([firewall::NFT_UP, firewall::NFT_DOWN]),
        sysctls: &["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"],
        has_firewall: true,
        ..ROUTER
    },
    Case {
        name: "100 peers",
        peers: 100,
        wg_quick_rounds: 1,
        ..ROUTER
    },
    Case {
        name: "1,000 peers",
        peers: 1000,
        wg_quick_rounds: 1,
        ..ROUTER
    },
    Case {
        name: "1,000 AllowedIPs",
        allowed_ips: 1000,
        wg_quick_rounds: 1,
        ..ROUTER
    },
];

/// A case and its files, each made for one program.
pub(crate) struct Prepared {
    pub(crate) case: &'static Case,
    pub(crate) wgq: PathBuf,
    pub(crate) wg_quick: PathBuf,
    /// For `wg setconf`.
    pub(crate) setconf: PathBuf,
    /// For `ip -batch` and `ip -6 -batch`, up and down.
    pub(crate) batches: [[Option<PathBuf>; 2]; 2],
    /// For `nft -f`, up and down.
    pub(crate) nft: Option<[PathBuf; 2]>,
}

impl Case {
    /// Writes the files.
    pub(crate) fn prepare(&'static self) -> Prepared {
        let folder = Path::new(FOLDER).join(self.name.replace([' ', ','], ""));
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path
        };
        let key = format!("PrivateKey = {}\n", key(0));
        let peers = self.peer_sections();
        let of_wg = |line: &&str| !line.starts_with("Address");
        let mut setconf = format!("[Interface]\n{key}");
        setconf.extend(
            self.interface
                .lines()
                .filter(of_wg)
                .flat_map(|line| [line, "\n"]),
        );
        if self.full_tunnel {
            setconf += "FwMark = 0xca6c\n";
        }
        let config = |more: &str| format!("[Interface]\n{key}{}{more}{peers}", self.interface);
        let (up, up6, down, down6) = self.batches();
        let write_some = |name: &str, text: String| (!text.is_empty()).then(|| write(name, &text));
        Prepared {
            case: self,
            wgq: write("wgq/wg0.conf", &config(self.keys)),
            wg_quick: write("wg-quick/wg0.conf", &config(&(self.hooks)())),
            setconf: write("setconf", &(setconf + &peers)),
            batches: [
                [write_some("up", up), write_some("up6", up6)],
                [write_some("down6", down6), write_some("down", down)],
            ],
            nft: self
                .nft
                .map(|[up, down]| [write("nft-up", up), write("nft-down", down)]),
        }
    }

    fn peer_sections(&self) -> String {
        let mut text = String::new();
        for peer in 1..=self.peers {
            write!(text, "\n[Peer]\nPublicKey = {}\n", key(peer)).unwrap();
            if self.full_tunnel {
                text += "Endpoint = 192.0.2.10:51820\n";
            }
            for prefix in self.prefixes(peer) {
                writeln!(text, "AllowedIPs = {prefix}").unwrap();
            }
        }
        text
    }

    fn prefixes(&self, peer: usize) -> Vec<String> {
        if self.full_tunnel {
            return vec!["0.0.0.0/0".to_owned(), "::/0".to_owned()];
        }
        if self.peers == 1 && self.allowed_ips == 1 {
            // within the interface's subnet, as in the guides
            let prefixes = ["10.0.0.2/32", "fd00::2/128"].map(str::to_owned).to_vec();
            return prefixes[..if self.keys.is_empty() { 1 } else { 2 }].to_vec();
        }
        let numbers = (peer - 1) * self.allowed_ips..peer * self.allowed_ips;
        numbers
            .map(|number| format!("10.1.{}.{}/32", number / 250, number % 250 + 1))
            .collect()
    }

    /// The same work as by wg-quick and wgq, for `ip -batch` and `ip -6 -batch`: up and down.
    fn batches(&self) -> (String, String, String, String) {
        let mut up = String::new();
        for address in self
            .interface
            .lines()
            .filter_map(|line| line.strip_prefix("Address = "))
        {
            for address in address.split(", ") {
                writeln!(up, "address add {address} dev wg0").unwrap();
            }
        }
        up += "link set mtu 1420 up dev wg0\n";
        let mut down = "link delete dev wg0\n".to_owned();
        if self.full_tunnel {
            let rules = "rule add lookup main suppress_prefixlength 0 priority 32764\n\
                rule add not fwmark 0xca6c lookup 51820 priority 32765\n";
            let family =
                |default: &str| format!("route add {default} dev wg0 table 51820\n{rules}");
            let rules_down = "rule delete priority 32764\nrule delete priority 32765\n".to_owned();
            up += &family("0.0.0.0/0");
            down.insert_str(0, &rules_down);
            return (up, family("::/0"), down, rules_down);
        }
        if self.peers * self.allowed_ips > 1 {
            for prefix in (1..=self.peers).flat_map(|peer| self.prefixes(peer)) {
                writeln!(up, "route add {prefix} dev wg0").unwrap();
            }
        }
        (up, String::new(), down, String::new())
    }
}

impl Prepared {
    pub(crate) fn is_small(&self) -> bool {
        self.case.peers == 1 && self.case.allowed_ips == 1
    }

    pub(crate) fn rounds_of(&self, tool: &Tool) -> usize {
        match tool {
            Tool::WgQuick(_) => self.case.wg_quick_rounds,
            Tool::Wgq(_) | Tool::Floor => self.case.rounds,
        }
    }
}

/// A key like any other: 32 bytes in base64.
fn key(number: usize) -> String {
    format!("{number:042}A=")
}

/// What wgq writes for a full tunnel.
const NFT_UP: &str = r#"table inet floor-wg0 {
	chain preraw {
		type filter hook prerouting priority raw; policy accept;
		iifname != "wg0" ip daddr 10.0.0.2 fib saddr type != local drop
		iifname != "wg0" ip6 daddr fd00::2 fib saddr type != local drop
	}
	chain premangle {
		type filter hook prerouting priority mangle; policy accept;
		meta l4proto udp ct mark 0xca6c meta mark set ct mark
	}
	chain postmangle {
		type filter hook postrouting priority mangle; policy accept;
		meta l4proto udp meta mark 0xca6c ct mark set meta mark
	}
}
"#;
