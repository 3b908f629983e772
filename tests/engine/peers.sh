# What every script of tests/packets/forwarding has beside tests/engine/prelude.sh and foreign.sh: a server that forwards nothing
# yet, in a world that does not know the tunnel's addresses but one.
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv6.conf.default.accept_dad=0
ip -n world route delete 10.8.0.0/24
ip -n world route delete fd00:8::/64
ip -n world route add 2001:db8:8::/64 via 2001:db8::2
# the peer's address that is good everywhere
sed -i 's|^AllowedIPs = 10.8.0.2/32.*|&, 2001:db8:8::2/128|' /etc/wireguard/wg0.conf
ip -n client address add 2001:db8:8::2/128 dev tun0 preferred_lft 0

cp /etc/wireguard/wg0.conf "$work/wg0" # for `keys`

# fresh: the client begins a new session with a server that was down, so that either can send first.
fresh() {
	forget
	answers client ping 10.8.0.1
}
forwarding() { sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding | xargs; }

# The LAN: a network behind the server, with a host in it.
add_lan() {
	ip netns add lan
	ip link add lan type veth peer name wire netns lan
	ip -n lan link set lo up
	ip netns exec lan sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip addr add 192.168.7.1/24 dev lan
	ip addr add fd00:7::1/64 dev lan nodad
	ip link set lan up
	ip -n lan addr add 192.168.7.2/24 dev wire
	ip -n lan addr add fd00:7::2/64 dev wire nodad
	ip -n lan link set wire up
	ip -n lan route add default via 192.168.7.1
	ip -n lan route add default via fd00:7::1
}
lan() { ip netns exec lan "$@"; }

# add_second IFNAME NUMBER: a second peer, 10.NUMBER.0.3 and fd00:NUMBER::3, in the file of the tunnel with that name.
add_second() {
	ip netns add second
	ip -n world link add cabin type veth peer name wan netns second
	ip -n world addr add 203.0.112.1/24 dev cabin
	ip -n world link set cabin up
	ip -n second link set lo up
	ip netns exec second sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip -n second addr add 203.0.112.2/24 dev wan
	ip -n second link set wan up
	ip -n second route add default via 203.0.112.1
	second_private=$(wg genkey)
	local port
	port=$(sed -n 's/^ListenPort = //p' "/etc/wireguard/$1.conf")
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.%s.0.3/32, fd00:%s::3/128\n' \
		"$(wg pubkey <<<"$second_private")" "$2" "$2" | tee -a "/etc/wireguard/$1.conf" >>"$work/$1"
	cat >/etc/wireguard/tun1.conf <<-END
		[Interface]
		PrivateKey = $second_private
		Address = 10.$2.0.3/24, fd00:$2::3/64
		[Peer]
		PublicKey = $server
		Endpoint = 192.0.2.2:$port
		AllowedIPs = 10.0.0.0/8, 198.51.100.1/32, fd00::/16, 2001:db8:f::1/128
	END
}
# meet_second: brings it up, when the server is; one that nobody answers waits for five seconds until it asks again.
meet_second() {
	second "$WGQ" -q up tun1 2>/dev/null
	answers second ping "$1"
}
second() { ip netns exec second "$@"; }
