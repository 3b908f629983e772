//! `Masquerade`: whose address the far end sees.

use super::server;

#[test]
fn what_leaves_has_the_server_s_address_but_what_is_good_everywhere() {
    server(
        r#"keys 'Masquerade = yes'
remember
tell world 80
unheard tcp 198.51.100.1 80 -- client
wgq up wg0
[[ $(forwarding) == '1 1' ]]
fresh
sees 192.0.2.2 198.51.100.1 80 -- client
sees 2001:db8::2 2001:db8:f::1 80 fd00:8::2 -- client
sees 2001:db8:8::2 2001:db8:f::1 80 2001:db8:8::2 -- client
answers client ping 198.51.100.1
answers client ping 2001:db8:f::1
wgq down wg0
same
unheard tcp 198.51.100.1 80 -- client
# what is right already is neither written nor put back
sysctl -qw net.ipv4.ip_forward=1
remember
said=$(wgq up wg0 2>&1)
says 'net.ipv6.conf.all.forwarding=1'
lacks ip_forward <<<"$said"
wgq down wg0
same"#,
    );
}

#[test]
fn named_interfaces_limit_it() {
    server(
        r"add_lan
sed -i 's/^AllowedIPs.*/&, 192.168.7.0\/24, fd00:7::\/64/' $work/peer
ip -n client route add 192.168.7.0/24 dev tun0
ip -n client route add fd00:7::/64 dev tun0
ip -n world route add 10.8.0.0/24 via 192.0.2.2
ip -n world route add fd00:8::/64 via 2001:db8::2
tell world 80
tell lan 80
in_world() { sees $1 198.51.100.1 80 -- client; sees $2 2001:db8:f::1 80 fd00:8::2 -- client; }
in_lan() { sees $1 192.168.7.2 80 -- client; sees $2 fd00:7::2 80 fd00:8::2 -- client; }
keys 'Masquerade = lan'
wgq -q up wg0
fresh
in_world 10.8.0.2 fd00:8::2
in_lan 192.168.7.1 fd00:7::1
wgq -q down wg0
keys 'Masquerade = uplink, wlan0'
wgq -q up wg0
fresh
in_world 192.0.2.2 2001:db8::2
in_lan 10.8.0.2 fd00:8::2
wgq -q down wg0
keys 'Masquerade = uplink lan'
wgq -q up wg0
fresh
in_world 192.0.2.2 2001:db8::2
in_lan 192.168.7.1 fd00:7::1",
    );
}

#[test]
fn traffic_between_peers_and_replies_are_not_touched() {
    server(
        r"add_second wg0 8
keys 'Masquerade = yes'
ip -n world route add 10.8.0.0/24 via 192.0.2.2
ip -n world route add fd00:8::/64 via 2001:db8::2
wgq -q up wg0
fresh
meet_second 10.8.0.1
tell second 80
tell client 80
sees 10.8.0.2 10.8.0.3 80 -- client
sees fd00:8::2 fd00:8::3 80 fd00:8::2 -- client
sees 10.8.0.3 10.8.0.2 80 -- second
# who comes from outside sees the peer that it asked, and is seen by it
sees 198.51.100.1 10.8.0.2 80 198.51.100.1 -- world
sees 2001:db8:f::1 fd00:8::2 80 2001:db8:f::1 -- world
sees 10.8.0.1 10.8.0.2 80",
    );
}

#[test]
fn the_uplink_may_change_while_the_tunnel_is_up() {
    server(
        r"ip link add wifi type veth peer name air netns world
ip addr add 192.0.3.2/24 dev wifi
ip addr add 2001:db8:3::2/64 dev wifi nodad
ip link set wifi up
ip -n world addr add 192.0.3.1/24 dev air
ip -n world addr add 2001:db8:3::1/64 dev air nodad
ip -n world link set air up
# the tunnel's own packets stay on their way: the client follows the server to an address, but not back from one that is gone
ip route add 203.0.113.0/24 via 192.0.2.1
keys 'Masquerade = yes'
tell world 80
wgq -q up wg0
fresh
sees 192.0.2.2 198.51.100.1 80 -- client
sees 2001:db8::2 2001:db8:f::1 80 fd00:8::2 -- client
ip route replace default via 192.0.3.1
ip -6 route replace default via 2001:db8:3::1
sees 192.0.3.2 198.51.100.1 80 -- client
sees 2001:db8:3::2 2001:db8:f::1 80 fd00:8::2 -- client
# and it may be one that was not there before
ip link add wwan type veth peer name tower netns world
ip addr add 192.0.4.2/24 dev wwan
ip addr add 2001:db8:4::2/64 dev wwan nodad
ip link set wwan up
ip -n world addr add 192.0.4.1/24 dev tower
ip -n world addr add 2001:db8:4::1/64 dev tower nodad
ip -n world link set tower up
ip route replace default via 192.0.4.1
ip -6 route replace default via 2001:db8:4::1
ip link delete wifi
sees 192.0.4.2 198.51.100.1 80 -- client
sees 2001:db8:4::2 2001:db8:f::1 80 fd00:8::2 -- client",
    );
}

#[test]
fn two_tunnels_do_not_disturb_each_other() {
    server(
        r"config wg1 <<END
Address = 10.9.0.1/24, fd00:9::1/64
ListenPort = 51821
Masquerade = yes
END
keys 'Masquerade = yes'
tell world 80
wgq -q up wg0
add_second wg1 9
wgq -q up wg1
by_wg0() { sees 192.0.2.2 198.51.100.1 80 -- client; sees 2001:db8::2 2001:db8:f::1 80 fd00:8::2 -- client; }
by_wg1() { sees 192.0.2.2 198.51.100.1 80 -- second; sees 2001:db8::2 2001:db8:f::1 80 -- second; }
fresh
meet_second 10.9.0.1
by_wg0
by_wg1
# from one to the other, as to anywhere else
tell client 80
sees 10.8.0.1 10.8.0.2 80 -- second
wgq -q down wg0
[[ $(forwarding) == '1 1' ]]
by_wg1
wgq -q up wg0
fresh
by_wg0
by_wg1
wgq -q down wg1
[[ $(forwarding) == '1 1' ]]
by_wg0
wgq -q down wg0
[[ $(forwarding) == '0 0' ]]",
    );
}
