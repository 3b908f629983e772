//! `PortForward`: who reaches a peer by a port of the server, and whom the peer sees.

use super::server;

/// A LAN, a second peer, and a peer that all of them can be answered by.
const ALL: &str = r"
add_lan
add_second wg0 8
sed -i 's/^AllowedIPs.*/&, 192.168.7.0\/24, fd00:7::\/64/' $work/peer
ip -n client route add 192.168.7.0/24 dev tun0
ip -n client route add fd00:7::/64 dev tun0
start() { wgq -q up wg0; fresh; meet_second 10.8.0.1; }
";

fn forwarded(script: &str) {
    server(&format!("{ALL}\n{script}"));
}

#[test]
fn a_port_is_a_peer_s_for_all_and_the_peer_sees_who_they_are() {
    forwarded(
        r"keys 'PortForward = tcp/8080 -> 10.8.0.2:80' 'PortForward = udp/8080 -> 10.8.0.2:80' \
	'PortForward = tcp/8443 -> [fd00:8::2]:80' 'PortForward = udp/8443 -> [fd00:8::2]:80'
tell client 80
unheard tcp 192.0.2.2 8080 -- world
remember
start
# from outside
sees 198.51.100.1 192.0.2.2 8080 198.51.100.1 -- world
sees 2001:db8:f::1 2001:db8::2 8443 2001:db8:f::1 -- world
# from the LAN, by any of the server's addresses
for address in 192.168.7.1 192.0.2.2; do sees 192.168.7.2 $address 8080 -- lan; done
for address in fd00:7::1 2001:db8::2; do sees fd00:7::2 $address 8443 -- lan; done
# from the server itself, and from a peer, both of which are answered by the server
for address in 192.0.2.2 192.168.7.1 10.8.0.1; do sees 10.8.0.1 $address 8080; done
for address in 2001:db8::2 fd00:7::1 fd00:8::1; do sees fd00:8::1 $address 8443; done
sees 10.8.0.1 10.8.0.1 8080 -- second
sees fd00:8::1 fd00:8::1 8443 -- second
# and from the peer itself
sees 10.8.0.1 10.8.0.1 8080 -- client
sees fd00:8::1 fd00:8::1 8443 -- client
# what is for others is not caught
unheard tcp 198.51.100.1 8080 -- client
wgq -q down wg0
second $WGQ -q down tun1
same
unheard tcp 192.0.2.2 8080 -- world",
    );
}

#[test]
fn a_range_of_ports_keeps_its_numbers() {
    server(
        r"keys 'PortForward = udp/27015-27017 -> 10.8.0.2' 'PortForward = tcp/27015-27017 -> 10.8.0.2' \
	'PortForward = udp/28015-28017 -> fd00:8::2' 'PortForward = tcp/28015-28017 -> fd00:8::2'
tell client 27014 27015 27017 27018 28015 28017
wgq -q up wg0
fresh
for port in 27015 27017; do sees 198.51.100.1 192.0.2.2 $port 198.51.100.1 -- world; done
for port in 28015 28017; do sees 2001:db8:f::1 2001:db8::2 $port 2001:db8:f::1 -- world; done
for port in 27014 27018; do unheard tcp 192.0.2.2 $port -- world; unheard udp 192.0.2.2 $port -- world; done",
    );
}

#[test]
fn an_interface_limits_it_to_who_comes_by_it() {
    forwarded(
        r"keys 'PortForward = lan:tcp/8080 -> 10.8.0.2:80' 'PortForward = lan:udp/8080 -> 10.8.0.2:80' \
	'PortForward = uplink:tcp/8443 -> [fd00:8::2]:80' 'PortForward = uplink:udp/8443 -> [fd00:8::2]:80'
tell client 80
start
sees 192.168.7.2 192.168.7.1 8080 -- lan
sees 2001:db8:f::1 2001:db8::2 8443 2001:db8:f::1 -- world
unheard tcp 192.0.2.2 8080 -- world
unheard udp 192.0.2.2 8080 -- world
unheard tcp fd00:7::1 8443 -- lan
unheard tcp 192.0.2.2 8080
unheard tcp 10.8.0.1 8080 -- second",
    );
}

#[test]
fn the_peer_sees_the_server_where_masquerade_names_the_tunnel() {
    forwarded(
        r#"tell client 80
ports=('PortForward = tcp/8080 -> 10.8.0.2:80' 'PortForward = udp/8080 -> 10.8.0.2:80'
	'PortForward = tcp/8443 -> [fd00:8::2]:80' 'PortForward = udp/8443 -> [fd00:8::2]:80')
# by itself it is for what comes out of the tunnel
keys 'Masquerade = yes' "${ports[@]}"
start
sees 198.51.100.1 192.0.2.2 8080 198.51.100.1 -- world
sees 2001:db8:f::1 2001:db8::2 8443 2001:db8:f::1 -- world
wgq -q down wg0
keys 'Masquerade = wg0' "${ports[@]}"
# so that the peer need not know a way back to all the world
sed -i '/AllowedIPs/s/ 198.51.100.1.32,//; s/, 2001:db8:f::1.128//' "$work/peer"
ip -n client route delete 198.51.100.1
ip -n client route delete 2001:db8:f::1
wgq -q up wg0
fresh
sees 10.8.0.1 192.0.2.2 8080 198.51.100.1 -- world
sees fd00:8::1 2001:db8::2 8443 2001:db8:f::1 -- world
sees 10.8.0.1 192.168.7.1 8080 -- lan
sees fd00:8::1 fd00:7::1 8443 -- lan"#,
    );
}
