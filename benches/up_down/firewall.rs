//! A server that forwards, behind a firewall that drops: by the keys of wgq, by hooks of the guides, and by nft(8).

use std::fmt::Write as _;

/// All keys that a server can have.
pub(crate) const KEYS: &str = "Forward = yes
Masquerade = yes
OpenPort = yes
PortForward = tcp/8080 -> 10.0.0.2:80
PortForward = tcp/8080 -> [fd00::2]:80
ClampMSS = yes
Isolate = yes
";

/// What is done to the rules of each family: `@` is `iptables`, `!` is `-A` or `-D`, `NET` its network and `TO` the peer.
const RULES: [&str; 12] = [
    "@ ! INPUT -p udp --dport 51820 -j ACCEPT",
    "@ ! FORWARD -i %i -o %i -j DROP",
    "@ ! FORWARD -i %i -j ACCEPT",
    "@ ! FORWARD -o %i -j ACCEPT",
    "@ -t mangle ! FORWARD -i %i -p tcp --tcp-flags SYN SYN -j TCPMSS --clamp-mss-to-pmtu",
    "@ -t mangle ! FORWARD -o %i -p tcp --tcp-flags SYN SYN -j TCPMSS --clamp-mss-to-pmtu",
    "@ -t nat ! PREROUTING -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination TO",
    "@ -t nat ! OUTPUT -p tcp --dport 8080 -m addrtype --dst-type LOCAL -j DNAT --to-destination TO",
    "@ -t nat ! POSTROUTING -s NET ! -o %i -j MASQUERADE",
    "@ -t nat ! POSTROUTING -o %i -m addrtype --src-type LOCAL -m conntrack --ctstate DNAT -j MASQUERADE",
    "@ -t nat ! POSTROUTING -o %i -s NET -m conntrack --ctstate DNAT -j MASQUERADE",
    "sysctl -qw FORWARDING=VALUE",
];

/// Hooks that do what the keys do, each in a line of its own: that is how wg-quick is fastest, since it reads a line in a time
/// that grows with the square of its length, and does not start another shell for it.
pub(crate) fn hooks() -> String {
    let families = [
        (
            "iptables",
            "10.0.0.0/24",
            "10.0.0.2:80",
            "net.ipv4.ip_forward",
        ),
        (
            "ip6tables",
            "fd00::/64",
            "[fd00::2]:80",
            "net.ipv6.conf.all.forwarding",
        ),
    ];
    let ways = [("PostUp", "-A", "1"), ("PostDown", "-D", "0")];
    let mut text = String::new();
    for (phase, verb, value) in ways {
        for (program, network, to, sysctl) in families {
            for rule in RULES {
                let rule = rule.replacen(" ! ", &format!(" {verb} "), 1);
                let rule = rule.replace('@', program).replace("NET", network);
                let rule = rule.replace("TO", to).replace("FORWARDING", sysctl);
                let rule = rule.replace("VALUE", value);
                writeln!(text, "{phase} = {rule}").unwrap();
            }
        }
    }
    text
}

/// A firewall as Docker and ufw leave it, in a script for bash(1).
pub(crate) const DROPPING: &str =
    "for it in iptables ip6tables; do $it -P INPUT DROP; $it -P FORWARD DROP; done";

/// What wgq writes.
pub(crate) const NFT_UP: &str = r#"table inet floor-wg0 {
	chain forwardmangle {
		type filter hook forward priority mangle; policy accept;
		iifname "wg0" tcp flags syn tcp option maxseg size set rt mtu
		oifname "wg0" tcp flags syn tcp option maxseg size set rt mtu
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "wg0" oifname "wg0" drop
	}
	chain dstnat {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local tcp dport 8080 dnat ip to 10.0.0.2:80
		fib daddr type local tcp dport 8080 dnat ip6 to [fd00::2]:80
	}
	chain outdstnat {
		type nat hook output priority -100; policy accept;
		fib daddr type local ip daddr != 127.0.0.0/8 tcp dport 8080 dnat ip to 10.0.0.2:80
		fib daddr type local ip6 daddr != ::1 tcp dport 8080 dnat ip6 to [fd00::2]:80
	}
	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept;
		iifname "wg0" oifname != "wg0" meta nfproto ipv4 masquerade
		iifname "wg0" oifname != "wg0" ip6 saddr fc00::/7 masquerade
		oifname "wg0" fib saddr type local ct status dnat masquerade
		oifname "wg0" iifname "wg0" ct status dnat masquerade
	}
}
insert rule ip filter INPUT udp dport 51820 accept
insert rule ip filter FORWARD iifname "wg0" accept
insert rule ip filter FORWARD oifname "wg0" accept
insert rule ip6 filter INPUT udp dport 51820 accept
insert rule ip6 filter FORWARD iifname "wg0" accept
insert rule ip6 filter FORWARD oifname "wg0" accept
"#;

/// What wgq takes away.
pub(crate) const NFT_DOWN: &str = "delete table inet floor-wg0
flush table ip filter
flush table ip6 filter
";
