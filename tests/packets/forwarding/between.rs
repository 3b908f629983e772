//! What passes through the tunnel: `Isolate`, `ClampMSS`, and what is told of a firewall that cannot be looked at.

use super::server;

#[test]
fn isolated_peers_reach_the_server_and_the_world_but_not_each_other() {
    server(
        r"add_second wg0 8
tell client 80
tell world 80
through() { sees $1 198.51.100.1 80 -- client; sees $2 2001:db8:f::1 80 fd00:8::2 -- client; }
keys 'Masquerade = yes'
wgq -q up wg0
fresh
meet_second 10.8.0.1
through 192.0.2.2 2001:db8::2
sees 10.8.0.3 10.8.0.2 80 -- second
sees fd00:8::3 fd00:8::2 80 -- second
wgq -q down wg0
second $WGQ -q down tun1
keys 'Masquerade = yes' 'Isolate = yes' 'PortForward = tcp/8080 -> 10.8.0.2:80'
wgq -q up wg0
fresh
meet_second 10.8.0.1
through 192.0.2.2 2001:db8::2
answers second ping fd00:8::1
tell second 80
for target in 10.8.0.2 fd00:8::2; do
	silent second ping $target
	unheard tcp $target 80 -- second
	unheard udp $target 80 -- second
done
for target in 10.8.0.3 fd00:8::3; do unheard tcp $target 80 -- client; done
# nor by a port that is open to all others
unheard tcp 10.8.0.1 8080 -- second
sees 10.8.0.1 10.8.0.2 80
sees fd00:8::1 fd00:8::2 80
wgq -q down wg0",
    );
}

#[test]
fn a_segment_fits_the_tunnel_in_both_directions() {
    // 1420 less 40 bytes of IPv4 and TCP, and 60 of IPv6 and TCP; without the key as the ends think that it fits
    for (keys, v4, v6) in [
        ("'Forward = yes'", 1380, 1360),
        ("'Masquerade = yes' 'ClampMSS = yes'", 1380, 1360),
        ("'Forward = yes' 'ClampMSS = no'", 1460, 1440),
    ] {
        server(&format!(
            r#"keys {keys}
ip -n world route add 10.8.0.0/24 via 192.0.2.2
ip -n world route add fd00:8::/64 via 2001:db8::2
# what the client thinks of its way is not what the server knows
ip -n client link set tun0 mtu 1500
ip -n client route replace 198.51.100.1 dev tun0
ip -n client route replace 2001:db8:f::1 dev tun0
tell client 80
tell world 80
wgq -q up wg0
fresh
# mss NAMESPACE INTERFACE FILTER ASK...: what the first SYN asks for where it arrives
mss() {{
	local namespace=$1 interface=$2 filter=$3
	shift 3
	ip netns exec $namespace timeout 60 tcpdump -Z root --immediate-mode -Q in -i $interface -n -c1 -v "$filter" >$work/syn 2>$work/ready &
	local listener=$!
	until has listening $work/ready; do sleep 0.02; done
	ask tcp "$@" >/dev/null || echo unanswered >>$work/ready
	wait $listener || true
	sed -n 's/.*mss \([0-9]*\).*/\1/p' $work/syn
}}
syn='tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn'
# tcp[] does not read behind the header of IPv6
syn6='ip6[6] == 6 and ip6[53] & 18 == 2'
clamped() {{
	local expected=$1 found
	shift
	found=$(mss "$@")
	[[ $found == "$expected" ]] || {{ printf 'expected %s, seen %s: %s\n' "$expected" "$found" "$*"; cat $work/syn $work/ready; return 1; }}
}}
clamped {v4} world outside "$syn" 198.51.100.1 80 -- client
clamped {v6} world outside "$syn6" 2001:db8:f::1 80 fd00:8::2 -- client
clamped {v4} client tun0 "$syn" 10.8.0.2 80 198.51.100.1 -- world
clamped {v6} client tun0 "$syn6" fd00:8::2 80 2001:db8:f::1 -- world"#
        ));
    }
}

#[test]
fn a_firewall_that_cannot_be_looked_at_is_told() {
    server(
        r#"iptables-legacy -P FORWARD DROP
program=$(realpath "$(type -P iptables-legacy)")
keys 'Forward = yes'
remember
said=$(PATH=/nowhere "$WGQ" up wg0 2>&1)
says 'warning: the table filter of iptables-legacy may drop what the tunnel needs, and cannot be looked at: '
says 'No such file or directory (os error 2); it is in the package iptables'
wgq -q down wg0
mount --bind /dev/null "$program"
said=$(wgq up wg0 2>&1)
says 'cannot be looked at: iptables-legacy: Permission denied'
wgq -q down wg0
same
# who needs nothing of it is not told of it
keys
wgq up wg0 2>&1 | lacks legacy
wgq -q down wg0"#,
    );
}
