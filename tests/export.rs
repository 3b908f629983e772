//! What `wgq export` prints does with wg-quick itself what the keys did with wgq, with real packets, on hosts of their own
//! with the world of tests/engine/world.sh behind them.
//!
//! Needs root, or a user namespace in which one is root, and /dev/net/tun.

#![allow(missing_docs, reason = "a test")]

mod script;

/// `both SCRIPT`: runs it with the tunnel up, by wgq, and then by wg-quick as exported; after each the host is as it was.
const BOTH: &str = r#"cat >"$work/device" <<'END'
#!/bin/bash
: >"/run/device.$1"
setsid "$WGQ" userspace "$1" >"/run/device.$1" 2>&1 </dev/null &
until [[ -s /run/device.$1 ]]; do sleep 0.01; done
END
chmod +x "$work/device"
export WG_QUICK_USERSPACE_IMPLEMENTATION=$work/device
mkdir "$work/export"
both() {
	sysctl -qw net.ipv4.conf.all.src_valid_mark=1 # wg-quick never takes it back
	remember
	wgq -q up wg0
	"$1"
	wgq export wg0 >"$work/while-up" 2>/dev/null
	wgq -q down wg0
	sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv6.conf.uplink.accept_ra=1
	same
	wgq export wg0 >"$work/export/wg0.conf" 2>"$work/said"
	diff "$work/while-up" "$work/export/wg0.conf"
	wg-quick strip "$work/export/wg0.conf" >"$work/stripped"
	wg-quick up "$work/export/wg0.conf" 2>"$work/log" || { cat "$work/log"; return 1; }
	"$1"
	wg-quick down "$work/export/wg0.conf" 2>"$work/log" || { cat "$work/log"; return 1; }
	while ip link show wg0 &>/dev/null; do sleep 0.02; done
	rm -f /run/device.wg0
	sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv6.conf.uplink.accept_ra=1
	same
}
"#;

fn host(script: &str) {
    let world = include_str!("engine/world.sh");
    script::host(&format!("{world}{BOTH}{script}"));
}

#[test]
fn a_kill_switch_keeps_all_in_but_the_lan_and_what_is_excluded() {
    host(
        r#"ip route add 198.51.100.2 via 192.0.2.1 # another way
tunnel ''
wgq -q up wg0
answers ping 198.51.100.1
answers ping 198.51.100.2
wgq -q down wg0
tunnel 'KillSwitch = yes'
kept_in() {
	answers ping 10.8.0.1
	answers ping 198.51.100.1
	answers ping 2001:db8:f::1
	answers ping 192.0.2.1
	silent ping 198.51.100.2
}
both kept_in
has 'KillSwitch: the rules come with PostUp' "$work/said"
tunnel $'KillSwitch = yes\nExcludeIPs = 198.51.100.2/32, 2001:db8:f::2/128'
excluded() {
	answers ping 198.51.100.1
	answers ping 198.51.100.2
	ip route get 198.51.100.2 | has 'dev uplink'
	ip route get 198.51.100.1 | has 'dev wg0'
	ip route get 2001:db8:f::2 | has 'dev uplink'
	ip route get 2001:db8:f::1 | has 'dev wg0'
}
both excluded"#,
    );
}

#[test]
fn a_server_masquerades_and_forwards_a_port_through_a_firewall_that_drops() {
    host(
        r#"ip netns add lan
ip link add inside type veth peer name port netns lan
ip addr add 10.99.0.1/24 dev inside
ip link set inside up
ip -n lan link set lo up
ip -n lan addr add 10.99.0.2/24 dev port
ip -n lan link set port up
until [[ $(ip -6 -o addr show dev inside scope link -tentative) ]]; do sleep 0.02; done
world wg set tun0 peer "$(wg pubkey <<<"$private")" allowed-ips 10.8.0.2/32,fd00:8::2/128,10.99.0.0/24
ip -n world route add 10.99.0.0/24 dev tun0
world perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 80, Listen => 9, ReuseAddr => 1) or die; while ($c = $s->accept) { print $c $c->peerhost, "\n" }' &
until [[ $(world ss -Hltn 'sport = 80') ]]; do sleep 0.02; done
iptables -P FORWARD DROP
tunnel $'ListenPort = 4567\nOpenPort = yes\nMasquerade = yes\nPortForward = tcp/8080 -> 10.8.0.1:80' 10.8.0.1/32
serves() {
	answers ping 10.8.0.1
	answers world ping 10.99.0.2 # which knows no way back
	[[ $(ip netns exec lan timeout 5 bash -c 'cat </dev/tcp/10.99.0.1/8080') == 10.99.0.2 ]]
	[[ $(timeout 5 bash -c 'cat </dev/tcp/192.0.2.2/8080') == 10.8.0.2 ]]
}
iptables -S >"$work/rules"
both serves
has -- '-[AI] FORWARD .*-j ACCEPT' "$work/export/wg0.conf"
diff "$work/rules" <(iptables -S)"#,
    );
}

#[test]
fn keys_in_files_and_metrics_come_with_hooks() {
    host(
        r#"printf '%s\n' $private >"$work/key"
wg genpsk >"$work/psk"
world wg set tun0 peer "$(wg pubkey <<<"$private")" preshared-key "$work/psk"
tunnel $"Metric = 77" '10.8.0.1/32, 198.51.100.0/24, fd00:8::1/128'
sed -i "s|^PrivateKey = .*|PrivateKeyFile = $work/key|; s|^AllowedIPs|PresharedKeyFile = $work/psk\nAllowedIPs|" /etc/wireguard/wg0.conf
has_both() {
	answers ping 10.8.0.1
	answers ping 198.51.100.1
	ip route show dev wg0 | has -x '198.51.100.0/24 scope link metric 77 *'
	[[ $(ip route show dev wg0 198.51.100.0/24 | wc -l) == 1 ]]
}
both has_both"#,
    );
}

#[test]
fn an_accept_in_a_table_made_by_hand_goes_by_its_comment() {
    host(
        r#"nft -f - <<'END'
table inet mine {
	chain input { type filter hook input priority 0; policy drop; ct state established accept; iifname lo accept; icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }
}
END
tunnel $'ListenPort = 4567\nOpenPort = yes' 10.8.0.1/32
opened() {
	nft list chain inet mine input | has 'udp dport 4567 accept comment "wgq wg0"'
}
both opened"#,
    );
}
