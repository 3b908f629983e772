//! `KillSwitch`: what leaves past the tunnel.

use super::client;

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
	not bash -c 'echo x >/dev/udp/$0/9' $target
	not timeout 1 bash -c 'echo x >/dev/tcp/$0/9' $target
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
heard 'host {stopped}' >$work/seen
lacks . $work/seen
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
ip addr add fd00:7::1/64 dev inside nodad
ip -n guest addr add fd00:7::2/64 dev wan nodad
ip -n guest route add default via fd00:7::1
ip -n world route add fd00:7::/64 via 2001:db8::2
ip -n guest route add default via 192.168.7.1
ip -n world route add 192.168.7.0/24 via 192.0.2.2
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
guest() { ip netns exec guest $@; }
tunnel 'KillSwitch = yes'
answers guest ping 198.51.100.1
answers guest ping 2001:db8:f::1
wgq -q up wg0
answers guest ping 192.168.7.1
answers ping 192.168.7.2
answers guest ping 192.0.2.1
listen
for target in 198.51.100.1 2001:db8:f::1; do silent guest ping $target; done
ip link delete wg0
for target in 198.51.100.1 2001:db8:f::1; do silent guest ping $target; done
heard 'host 198.51.100.1 or host 2001:db8:f::1' >$work/seen
lacks . $work/seen",
    );
}

#[test]
fn nothing_leaves_while_the_link_is_up_whatever_is_killed() {
    for allowed in ["0.0.0.0/0, ::/0", "0.0.0.0/0"] {
        client(&format!(
            r#"tunnel 'KillSwitch = yes' '{allowed}'
# flood: sends without end, and says in each packet whether the link was up before it left and after
flood() {{
	perl -MSocket=:all -e '
		my @to = ([AF_INET, pack_sockaddr_in(7777, inet_aton("198.51.100.2"))],
			[AF_INET6, pack_sockaddr_in6(7777, inet_pton(AF_INET6, "2001:db8:f::2"))]);
		socket($_->[2], $_->[0], SOCK_DGRAM, 0) or die $! for @to;
		# SIOCGIFFLAGS, IFF_UP
		sub up {{ my $request = pack("a16x24", "wg0"); ioctl($to[0][2], 0x8913, $request) && unpack("x16S", $request) & 1 }}
		my $was = up();
		while (1) {{
			for my $to (@to) {{
				# one that is sent while it comes up or goes says nothing; so what was up stays so until it is sent
				send($to->[2], $was && up() ? "LEAK" : "free", 0, $to->[1]);
			}}
			$was = up();
			select(undef, undef, undef, 0.0005);
		}}' &
}}
listen
flood
for moment in 0.0{{2,4,6,8}} 0.1{{0,2}}; do
	$WGQ -q up wg0 2>/dev/null &
	sleep $moment
	kill -KILL $! 2>/dev/null || true
	wait $! || true
	$WGQ -q up wg0 2>/dev/null || true
	$WGQ -q down wg0 2>/dev/null &
	sleep $moment
	kill -KILL $! 2>/dev/null || true
	wait $! || true
	$WGQ -q down wg0 2>/dev/null || true
done
kill %?flood 2>/dev/null || kill $(jobs -p | tail -1) || true
heard 'udp port 7777' >$work/all
tcpdump -Z root -A -n -r $work/capture 'udp port 7777' 2>/dev/null >$work/text
has free $work/text
lacks LEAK $work/text"#
        ));
    }
}

#[test]
fn a_kill_switch_lets_the_host_keep_its_address_and_its_neighbours_and_nothing_else() {
    client(
        r#"tunnel 'KillSwitch = yes'
wgq -q up wg0
answers ping 198.51.100.1
listen
# datagram FROM TO ADDRESS: as a DHCP client sends it, by the uplink
datagram() {
	perl -MSocket=:all -e '
		my ($from, $to, $address) = @ARGV;
		my $six = $address =~ /:/;
		socket(my $socket, $six ? AF_INET6 : AF_INET, SOCK_DGRAM, 0) or die $!;
		setsockopt($socket, SOL_SOCKET, 25, "uplink") or die $!; # SO_BINDTODEVICE
		setsockopt($socket, SOL_SOCKET, SO_BROADCAST, 1);
		bind($socket, $six ? pack_sockaddr_in6($from, inet_pton(AF_INET6, "::")) : pack_sockaddr_in($from, INADDR_ANY)) or die $!;
		my $peer = inet_pton($six ? AF_INET6 : AF_INET, $address);
		send($socket, "x", 0, $six ? pack_sockaddr_in6($to, $peer) : pack_sockaddr_in($to, $peer))' "$@" || true
}
datagram 68 67 255.255.255.255
datagram 546 547 ff02::1:2
# who is bound to the uplink does not ask the rules
for target in 198.51.100.2 2001:db8:f::2; do
	datagram 5000 53 $target
	silent ping -I uplink $target
	silent ping -m 51820 $target
done
ip neigh flush all
answers ping 192.0.2.1
answers ping 2001:db8::1
answers ping 198.51.100.1
heard 'udp or host 198.51.100.2 or host 2001:db8:f::2' >$work/seen
cat $work/seen
has '192.0.2.2.68 > 255.255.255.255.67' $work/seen
has '.546 > ff02::1:2.547' $work/seen
lacks -v '\.67:\|\.547:' $work/seen"#,
    );
}
