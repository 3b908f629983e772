# What every script of tests/packets/firewalls.rs and tests/packets/forwarding has beside tests/engine/prelude.sh: a server behind whose
# uplink are a client and the rest of the world, each in a namespace of its own; and connections, as the far end sees them.
mkdir -p /run/netns
ip netns add world
ip netns add client
world() { ip netns exec world "$@"; }
client() { ip netns exec client "$@"; }
ip link add home netns world type veth peer name wan netns client
for namespace in world client; do
	ip -n $namespace link set lo up
	ip netns exec $namespace sysctl -qw net.ipv6.conf.default.accept_dad=0
done
ip link set outside netns world
ip -n world addr add 192.0.2.1/24 dev outside
ip -n world addr add 2001:db8::1/64 dev outside nodad
ip -n world addr add 203.0.113.1/24 dev home
ip -n world addr add 198.51.100.1/32 dev lo
ip -n world addr add 2001:db8:f::1/128 dev lo
ip -n world link set outside up
ip -n world link set home up
world sysctl -qw net.ipv4.ip_forward=1
ip -n client addr add 203.0.113.2/24 dev wan
ip -n client link set wan up
ip -n client route add default via 203.0.113.1
# for connections that are made to the client
ip -n world route add 10.8.0.0/24 via 192.0.2.2
ip -n world route add fd00:8::/64 via 2001:db8::2

client_private=$(wg genkey)
config wg0 <<END
Address = 10.8.0.1/24, fd00:8::1/64
ListenPort = 51820
Masquerade = yes
OpenPort = yes
[Peer]
PublicKey = $(wg pubkey <<<"$client_private")
AllowedIPs = 10.8.0.2/32, fd00:8::2/128
END
server=$(wg pubkey <<<"$private")
cat >"$work/peer" <<END
[Peer]
PublicKey = $server
Endpoint = 192.0.2.2:51820
AllowedIPs = 10.8.0.0/24, 198.51.100.1/32, fd00:8::/64, 2001:db8:f::1/128
END
{ printf '[Interface]\nPrivateKey = %s\nAddress = 10.8.0.2/24, fd00:8::2/64\n' "$client_private"; cat "$work/peer"; } >/etc/wireguard/tun0.conf
client "$WGQ" -q up tun0 2>/dev/null

# without a record nobody knows what these were before
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# answers COMMAND...: a ping that is answered, soon; the first packets wait for a handshake.
answers() { for _ in {1..20}; do ! "$@" -c1 -W0.3 >/dev/null 2>&1 || return 0; done; printf 'no answer: %s\n' "$*"; return 1; }
silent() { ! "$@" -c3 -i0.2 -W0.5 >/dev/null 2>&1 || { printf 'an answer: %s\n' "$*"; return 1; }; }
# keys LINE...: writes the server's file with these keys in the place of Masquerade and OpenPort.
cp /etc/wireguard/wg0.conf "$work/wg0"
keys() {
	sed -e '/^Masquerade/d' -e '/^OpenPort/d' "$work/wg0" >/etc/wireguard/wg0.conf
	local key
	for key in "$@"; do sed -i "/^ListenPort/a $key" /etc/wireguard/wg0.conf; done
	touch -d yesterday /etc/wireguard/wg0.conf # it is not wgq that wrote it
}

# tell NAMESPACE PORT...: there, whoever comes to one of these ports, by TCP or UDP, is told its own address.
tell() {
	local namespace=$1 addresses
	shift
	# an answer to a datagram comes from the address that was asked only if its socket has that address
	addresses=$(ip -n "$namespace" -o address show scope global | sed 's/.*inet6\? \([^ /]*\).*/\1/')
	ip netns exec "$namespace" perl -MIO::Socket::IP -MIO::Select -e '
		my $all = IO::Select->new;
		my %is_udp;
		my @addresses = split " ", shift;
		for my $port (@ARGV) {
			$all->add(IO::Socket::IP->new(LocalHost => "::", LocalPort => $port, V6Only => 0, Listen => 9, ReuseAddr => 1) // die $@);
			for my $address (@addresses) {
				my $socket = IO::Socket::IP->new(LocalHost => $address, LocalPort => $port, Proto => "udp") // die $@;
				$is_udp{$socket} = 1;
				$all->add($socket);
			}
		}
		while (my @ready = $all->can_read) {
			for my $socket (@ready) {
				my $from = $is_udp{$socket} ? $socket : $socket->accept // next;
				$from->recv(my $data, 9) if $is_udp{$socket};
				(my $host = $from->peerhost) =~ s/^::ffff://;
				$from->send("$host\n");
			}
		}' "$addresses" "$@" &
	until [[ $(ip netns exec "$namespace" ss -Hltn "sport = ${*: -1}") ]]; do sleep 0.02; done
}
# ask PROTOCOL HOST PORT [FROM] [-- COMMAND...]: what is told there; fails where nobody answers. The command runs it.
ask() {
	local words=()
	while (($#)) && [[ $1 != -- ]]; do words+=("$1"); shift; done
	((!$#)) || shift
	"$@" perl -MIO::Socket::IP -MIO::Select -e '
		my ($protocol, $host, $port, $from) = @ARGV;
		my $socket = IO::Socket::IP->new(Proto => $protocol, PeerHost => $host, PeerPort => $port, Timeout => $ENV{PATIENCE} // 5,
			$from ? (LocalHost => $from) : ()) // exit 1;
		$socket->send("?") if $protocol eq "udp";
		IO::Select->new($socket)->can_read($ENV{PATIENCE} // 5) or exit 1;
		$socket->recv(my $data, 99) // exit 1;
		print $data' "${words[@]}"
}
# heard WHOM...: somebody answers, by TCP and by UDP.
heard() {
	local protocol
	for protocol in tcp udp; do
		ask $protocol "$@" >/dev/null || { printf 'nobody: %s %s\n' $protocol "$*"; return 1; }
	done
}
# neither WHOM...: nobody answers, by TCP or by UDP.
neither() { unheard tcp "$@" && unheard udp "$@"; }
# unheard ASK...: nobody answers.
unheard() { ! PATIENCE=0.5 ask "$@" || { printf 'an answer: %s\n' "$*"; return 1; }; }
# sees EXPECTED ASK...: whoever is asked, by TCP and by UDP, is asked from that address.
sees() {
	local expected=$1 protocol found
	shift
	for protocol in tcp udp; do
		found=$(ask $protocol "$@" || echo nobody)
		[[ $found == "$expected" ]] || { printf 'expected %s, seen %s: %s %s\n' "$expected" "$found" $protocol "$*"; return 1; }
	done
}

# forget: the client begins a new session, by a new flow: neither the server nor connection tracking knows of it. Of an old
# session it takes 15 seconds until it is given up where the server has forgotten it.
client_port=30000
forget() {
	client wg set tun0 listen-port $((++client_port)) peer "$server" remove
	client wg addconf tun0 "$work/peer"
}
# is_met: the server knows of it.
is_met() { [[ $(wg show wg0 endpoints) == *203.0.113.2:$client_port* ]]; }
# meet: it has begun.
meet() {
	forget
	for _ in {1..20}; do
		client ping -c1 -W0.2 10.8.0.1 >/dev/null || true
		if is_met; then return 0; fi
	done
	echo 'no session'
	return 1
}
tell world 80
tell client 80
# works: with a new session the client reaches the world, by any protocol: some firewalls let every ping pass.
works() {
	meet
	answers client ping 198.51.100.1
	answers client ping 2001:db8:f::1
	heard 198.51.100.1 80 -- client
	heard 2001:db8:f::1 80 fd00:8::2 -- client
}
# stays_in: the client begins no connection to the world.
stays_in() {
	neither 198.51.100.1 80 -- client
	neither 2001:db8:f::1 80 fd00:8::2 -- client
}
# reached: the world begins connections to the client.
reached() {
	heard 10.8.0.2 80 198.51.100.1 -- world
	heard fd00:8::2 80 2001:db8:f::1 -- world
}
unreached() {
	neither 10.8.0.2 80 198.51.100.1 -- world
	neither fd00:8::2 80 2001:db8:f::1 -- world
}
# closed: no session begins, and so nothing comes through the tunnel.
closed() {
	forget
	silent client ping 198.51.100.1
	silent client ping 2001:db8:f::1
	if is_met; then echo 'a session'; return 1; fi
}
# not_forwarded: there is a session, but nothing comes to the world.
not_forwarded() {
	meet
	silent client ping 198.51.100.1
	silent client ping 2001:db8:f::1
	stays_in
}
