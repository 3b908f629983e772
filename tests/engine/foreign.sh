# What every script of tests/packets/firewalls.rs and tests/packets/forwarding has beside tests/engine/prelude.sh: a server behind whose uplink are a client and
# the rest of the world, each in a namespace of its own.
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
lacks() { ! has "$@"; }
# The client reaches the world by the tunnel, and is reached by it.
works() {
	# with a new session: it takes 15 seconds until one is given up that the server has forgotten
	client wg set tun0 peer "$server" remove
	client wg addconf tun0 "$work/peer"
	answers client ping 198.51.100.1
	answers client ping 2001:db8:f::1
	answers world ping -I 198.51.100.1 10.8.0.2
	answers world ping -I 2001:db8:f::1 fd00:8::2
}
# Nothing comes through the tunnel.
broken() {
	silent client ping 198.51.100.1
	silent client ping 2001:db8:f::1
}
