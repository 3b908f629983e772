//! A client that keeps what leaves it under control, with real packets: the kill switch, what is carved out of a tunnel, and
//! who came in past it. Each test is a script that begins with tests/engine/prelude.sh and world.sh.
//!
//! Needs root, or a user namespace in which one is root, and tcpdump(8).

#![allow(missing_docs, reason = "a test")]

mod script;

const WORLD: &str = include_str!("engine/world.sh");

fn client(script: &str) {
    script::host(&format!("{WORLD}\n{script}"));
}

#[test]
fn with_a_kill_switch_nothing_leaves_when_the_tunnel_is_torn_away() {
    client(
        r"tunnel 'KillSwitch = yes'
remember
wgq -q up wg0
listen
answers ping 198.51.100.1
answers ping 2001:db8:f::1
# the LAN is spared, but not what a router on it claims to lead to
answers ping 192.0.2.1
answers ping 2001:db8::1
ip route add 198.51.100.2 via 192.0.2.1
silent ping 198.51.100.2
ip link delete wg0
for target in 198.51.100.{1,2} 2001:db8:f::{1,2}; do
	silent ping $target
	! bash -c 'echo x >/dev/udp/$0/9' $target
	! timeout 1 bash -c 'echo x >/dev/tcp/$0/9' $target
done
answers ping 192.0.2.1
heard 'not dst net 192.0.2.0/24 and not dst net 2001:db8::/64' >$work/leak
cat $work/leak
[[ ! -s $work/leak ]]
ip route delete 198.51.100.2
wgq -q down wg0
answers ping 198.51.100.1
answers ping 2001:db8:f::1
same",
    );
}

#[test]
fn a_kill_switch_stops_the_family_that_the_tunnel_has_not() {
    for (allowed, stopped) in [("0.0.0.0/0", "2001:db8:f::1"), ("::/0", "198.51.100.1")] {
        client(&format!(
            r"tunnel 'KillSwitch = yes' {allowed}
wgq -q up wg0
listen
silent ping {stopped}
! heard 'host {stopped}' | has .
wgq -q down wg0
answers ping {stopped}"
        ));
    }
}

#[test]
fn with_a_kill_switch_the_endpoint_may_move_out_of_the_lan() {
    client(
        r#"tunnel 'KillSwitch = yes'
wgq -q up wg0
answers ping 198.51.100.1
world wg set tun0 listen-port 51999
for endpoint in 198.51.100.2:51999 [2001:db8:f::2]:51999; do
	wg set wg0 peer $peer endpoint $endpoint
	answers ping 198.51.100.1
	[[ $(wg show wg0 endpoints) == *"$endpoint" ]]
done"#,
    );
}

#[test]
fn a_kill_switch_stops_what_is_passed_on_too() {
    client(
        r"ip netns add guest
ip link add inside type veth peer name wan netns guest
ip addr add 192.168.7.1/24 dev inside
ip link set inside up
ip -n guest addr add 192.168.7.2/24 dev wan
ip -n guest link set wan up
ip -n guest route add default via 192.168.7.1
ip -n world route add 192.168.7.0/24 via 192.0.2.2
sysctl -qw net.ipv4.ip_forward=1
guest() { ip netns exec guest $@; }
tunnel 'KillSwitch = yes'
answers guest ping 198.51.100.1
wgq -q up wg0
answers guest ping 192.168.7.1
answers ping 192.168.7.2
answers guest ping 192.0.2.1
listen
silent guest ping 198.51.100.1
ip link delete wg0
silent guest ping 198.51.100.1
! heard 'host 198.51.100.1' | has .",
    );
}

#[test]
fn what_is_excluded_goes_past_the_tunnel_and_the_kill_switch() {
    for keys in ["", "KillSwitch = yes"] {
        client(&format!(
            r"tunnel 'ExcludeIPs = 198.51.100.2, 2001:db8:f::2
{keys}'
remember
wgq -q up wg0
for target in 198.51.100.1 2001:db8:f::1; do ip route get $target | has 'dev wg0'; done
for target in 198.51.100.2 2001:db8:f::2; do ip route get $target | has 'dev uplink'; done
listen
for target in 198.51.100.{{1,2}} 2001:db8:f::{{1,2}}; do answers ping $target; done
heard 'icmp or icmp6' >$work/seen
cat $work/seen
has 198.51.100.2: $work/seen
has 2001:db8:f::2: $work/seen
lacks -e 198.51.100.1: -e 2001:db8:f::1: $work/seen
wgq -q down wg0
same"
        ));
    }
}

#[test]
fn what_is_excluded_is_carved_out_of_a_wide_split_tunnel() {
    client(
        r"tunnel 'ExcludeIPs = 198.51.100.2, 2001:db8:f::2' '198.51.0.0/16, 2001:db8:f::/48'
remember
wgq -q up wg0
for target in 198.51.100.1 198.51.7.7 2001:db8:f::1; do ip route get $target | has 'dev wg0'; done
for target in 198.51.100.2 2001:db8:f::2; do ip route get $target | has 'dev uplink'; answers ping $target; done
answers ping 198.51.100.1
wgq -q down wg0
same",
    );
}

#[test]
fn who_came_in_past_the_tunnel_is_answered_past_it() {
    for keys in ["", "KillSwitch = yes"] {
        client(&format!(
            r"
sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.uplink.rp_filter=1
reached() {{
	$1 world ping -I 198.51.100.1 192.0.2.2
	$1 world ping -I 2001:db8:f::1 2001:db8::2
}}
# an RST is an answer, too
refused() {{ (world timeout 2 bash -c 'echo x >/dev/tcp/192.0.2.2/22' 2>&1 || true) | has refused; }}
ip -n world route change 192.0.2.0/24 dev outside src 198.51.100.1
tunnel '{keys}'
reached answers
refused
wgq -q up wg0
reached silent
wgq -q down wg0
tunnel 'KeepInbound = yes
{keys}'
remember
wgq -q up wg0
reached answers
refused
# and all else goes through the tunnel still
listen
for target in 198.51.100.1 2001:db8:f::1; do answers ping $target; done
! heard 'icmp or icmp6' | has .
world ping -q -c1 -W2 10.8.0.2 >/dev/null
wgq -q down wg0
same"
        ));
    }
}
