//! Forwarding, NAT and port forwarding by keys of the file, with real packets: who can reach whom, with which source
//! address, and what is left afterwards. Each test is a script that begins with tests/engine/prelude.sh and foreign.sh.
//!
//! Needs root, or a user namespace in which one is root.

#![allow(missing_docs, reason = "a test")]

mod script;

const FOREIGN: &str = include_str!("engine/foreign.sh");

/// A host that forwards nothing, in a world that does not know the tunnel's addresses; and TCP, as the far end sees it.
const SERVER: &str = r#"
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
ip -n world route delete 10.8.0.0/24
ip -n world route delete fd00:8::/64
remember
# fresh: the client forgets its session with a server that was down
fresh() { client wg set tun0 peer "$server" remove; client wg addconf tun0 "$work/peer"; }
forwarding() { sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding | xargs; }
# listen PORT: tells who connects from where they come
listen() {
	perl -MIO::Socket::INET -e 'my $l = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die;
		while (my $c = $l->accept) { print $c $c->peerhost; close $c }' "$1" &
}
# from ADDRESS TO:PORT [NAMESPACE...]: what the far end says
from() {
	local address=$1 to=$2
	shift 2
	"$@" perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(PeerAddr => $ARGV[1], LocalAddr => $ARGV[0] || undef,
		Timeout => 3) or exit 1; print <$s>' "$address" "$to"
}
"#;

fn server(script: &str) {
    script::host(&format!("{FOREIGN}\n{SERVER}\n{script}"));
}

#[test]
fn masquerade_needs_nothing_else() {
    server(
        r#"wgq up wg0
[[ $(forwarding) == '1 1' ]]
fresh
answers client ping 198.51.100.1
answers client ping 2001:db8:f::1
wgq down wg0
same
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
fn a_forwarded_port_is_the_peers_for_all() {
    server(
        r#"sed -i 's/^OpenPort.*/PortForward = tcp\/8080 -> 10.8.0.2:80/' /etc/wireguard/wg0.conf
remember
wgq up wg0
fresh
answers client ping 198.51.100.1
ip netns exec client bash -c "$(declare -f listen); listen 80; wait" &
for _ in {1..50}; do [[ ! $(client ss -Hltn sport = 80) ]] || break; sleep 0.05; done
[[ $(from 198.51.100.1 192.0.2.2:8080 ip netns exec world) == 198.51.100.1 ]]
[[ $(from '' 192.0.2.2:8080) == 10.8.0.1 ]]
[[ $(from 10.8.0.2 10.8.0.1:8080 ip netns exec client) == 10.8.0.1 ]]
wgq down wg0
same"#,
    );
}

#[test]
fn two_tunnels_that_forward_leave_each_other_alone() {
    server(
        r"config wg1 <<END
Address = 10.9.0.1/24
Forward = yes
END
remember
wgq up wg0
wgq up wg1
wgq down wg0
[[ $(forwarding) == '1 0' ]] # wg1 has nothing to do with IPv6
wgq up wg0
wgq down wg1
[[ $(forwarding) == '1 1' ]]
fresh
answers client ping 198.51.100.1
wgq down wg0
same",
    );
}
