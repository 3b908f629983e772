//! The recipes of README.md and of the man page, which are the files in examples/: each is run from end to end, with real
//! packets, as it is written. Only the keys of the peers are put in.

use crate::script;

mod texts;

const HOSTS: &str = include_str!("../engine/hosts.sh");
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

fn hosts(script: &str) {
    script::host(&format!("EXAMPLES='{EXAMPLES}'\n{HOSTS}\n{script}"));
}

#[test]
fn a_server_gives_its_clients_the_internet() {
    hosts(
        r"endpoint 192.0.2.2
host server
host client
uplink server world 192.0.2 2001:db8:2
uplink client world 203.0.113
firewall server
recipe server server/server.conf CLIENT=client
recipe client server/client.conf SERVER=server
serve world 80
seen 203.0.113.2 client 198.51.100.1 80
up server
up client
seen 192.0.2.2 client 198.51.100.1 80
seen 2001:db8:2::2 client 2001:db8:f::1 80
reaches client 10.0.0.1
reaches client fd00::1
on client cat /etc/resolv.conf | has 9.9.9.9
down client
seen 203.0.113.2 client 198.51.100.1 80
down server",
    );
}

#[test]
fn a_router_sends_its_lan_through_the_tunnel_or_nowhere() {
    hosts(
        r#"endpoint 192.0.2.2
host provider
host router
host lan
uplink provider world 192.0.2 2001:db8:2
uplink router world 203.0.113 2001:db8:3
uplink lan router 192.168.1 2001:db8:31
router router world
on world ip route add 2001:db8:31::/64 via 2001:db8:3::2
recipe provider server/server.conf CLIENT=router
recipe router router/router.conf PROVIDER=provider
serve world 80
seen 203.0.113.2 lan 198.51.100.1 80
seen 2001:db8:31::2 lan 2001:db8:f::1 80
up provider
up router
listen world router "$tunnel_or_leak"
for host in router lan; do
	seen 192.0.2.2 $host 198.51.100.1 80
	seen 2001:db8:2::2 $host 2001:db8:f::1 80
done
reaches lan 192.168.1.1
reaches router 192.168.1.2
# its DHCP server answers those who have no address yet
listen lan router 'udp sport 67 udp dport 68 ip daddr 255.255.255.255 counter'
offer router lan
[[ $(heard lan) == 1 ]]
on router ip link delete wg0
for host in router lan; do
	misses $host 198.51.100.1
	misses $host 2001:db8:f::1
	seen '' $host 198.51.100.1 80
	seen '' $host 2001:db8:f::1 80
done
reaches lan 192.168.1.1
no_leak world
down router
seen 203.0.113.2 lan 198.51.100.1 80
seen 2001:db8:31::2 lan 2001:db8:f::1 80
down provider"#,
    );
}

#[test]
fn two_sites_reach_each_others_hosts_by_their_own_addresses() {
    hosts(
        r"endpoint 192.0.2.2
for host in gate-a gate-b pc-a pc-b; do host $host; done
uplink gate-a world 192.0.2
uplink gate-b world 203.0.113
uplink pc-a gate-a 192.168.10 fd00:10
uplink pc-b gate-b 192.168.20 fd00:20
for gate in gate-a gate-b; do firewall $gate; done
recipe gate-a site-to-site/site-a.conf SITE-B=gate-b
recipe gate-b site-to-site/site-b.conf SITE-A=gate-a
for pc in pc-a pc-b; do serve $pc 80; done
misses pc-a 192.168.20.2
up gate-a
up gate-b
# the first packet may come from the side that could not find the other by itself
seen 192.168.10.2 pc-a 192.168.20.2 80
seen fd00:10::2 pc-a fd00:20::2 80
seen 192.168.20.2 pc-b 192.168.10.2 80
seen fd00:20::2 pc-b fd00:10::2 80
seen 10.0.0.1 gate-a 192.168.20.2 80
seen fd00::2 gate-b fd00:10::2 80
down gate-a
misses pc-a 192.168.20.2
down gate-b",
    );
}

/// A server and a laptop at home, behind a router's NAT, behind the carrier's NAT; and a server on the internet.
const CARRIER_GRADE_NAT: &str = r"endpoint 192.0.2.2
for host in vps isp router home laptop; do host $host; done
uplink vps world 192.0.2 2001:db8:2
uplink isp world 203.0.113
uplink router isp 100.64.0
uplink home router 192.168.1
neighbour laptop router home 192.168.1
firewall vps
router isp world
router router isp
for port in 80 443; do serve home $port; done
visitors_fail() {
	seen '' world 192.0.2.2 80 198.51.100.1
	seen '' world 2001:db8:2::2 443 2001:db8:f::1
}
visitors_fail
";

#[test]
fn a_server_behind_carrier_grade_nat_is_reached_at_another_ones_address() {
    hosts(&format!(
        r"{CARRIER_GRADE_NAT}
recipe vps cgnat/vps.conf HOME=home
recipe home cgnat/home.conf VPS=vps
up vps
up home
for port in 80 443; do
	seen 10.0.0.1 world 192.0.2.2 $port 198.51.100.1
	seen fd00::1 world 2001:db8:2::2 $port 2001:db8:f::1
	for host in laptop home vps; do seen 10.0.0.1 $host 192.0.2.2 $port; done
	seen fd00::1 vps 2001:db8:2::2 $port
done
# what the server at home sends goes where it went
serve world 80
seen 203.0.113.2 home 198.51.100.1 80
down home
visitors_fail
down vps"
    ));
}

#[test]
fn a_server_behind_carrier_grade_nat_sees_its_visitors_addresses() {
    hosts(&format!(
        r"{CARRIER_GRADE_NAT}
recipe vps cgnat-real-addresses/vps.conf HOME=home
recipe home cgnat-real-addresses/home.conf VPS=vps
up vps
up home
for port in 80 443; do
	seen 198.51.100.1 world 192.0.2.2 $port 198.51.100.1
	seen 2001:db8:f::1 world 2001:db8:2::2 $port 2001:db8:f::1
	seen 203.0.113.2 laptop 192.0.2.2 $port
	for host in home vps; do seen 10.0.0.1 $host 192.0.2.2 $port; done
	seen fd00::1 vps 2001:db8:2::2 $port
done
# what the server at home sends goes through the tunnel, but to its LAN
serve world 80
seen 192.0.2.2 home 198.51.100.1 80
seen 2001:db8:2::2 home 2001:db8:f::1 80
seen 192.168.1.3 laptop 192.168.1.2 80
down home
visitors_fail
down vps"
    ));
}

#[test]
fn nothing_leaves_past_a_kill_switch() {
    hosts(
        r#"endpoint 192.0.2.2
host server
host client
uplink server world 192.0.2 2001:db8:2
uplink client world 203.0.113 2001:db8:3
recipe server server/server.conf CLIENT=client
recipe client kill-switch/client.conf SERVER=server
serve world 80
up server
up client
listen world client "$tunnel_or_leak"
seen 192.0.2.2 client 198.51.100.1 80
seen 2001:db8:2::2 client 2001:db8:f::1 80
on client ip link delete wg0
for address in 198.51.100.1 2001:db8:f::1; do
	misses client $address
	seen '' client $address 80
done
no_leak world
down client
seen 203.0.113.2 client 198.51.100.1 80
seen 2001:db8:3::2 client 2001:db8:f::1 80
down server"#,
    );
}
