# What every script of tests/packets/client has beside tests/engine/prelude.sh: behind the host's uplink is the world, which is
# also at the other end of the tunnel, so that everything in it can be reached either way. `tell` says by which it was.
mkdir -p /run/netns
ip netns add world
world() { ip netns exec world "$@"; }
ip link set outside netns world
ip -n world link set lo up
world sysctl -qw net.ipv6.conf.default.accept_dad=0
ip -n world addr add 192.0.2.1/24 dev outside
ip -n world addr add 2001:db8::1/64 dev outside nodad
for number in 1 2; do
	ip -n world addr add 198.51.100.$number/32 dev lo
	ip -n world addr add 2001:db8:f::$number/128 dev lo
done
ip -n world link set outside up
until [[ $(ip -n world -6 -o addr show dev outside scope link -tentative) ]]; do sleep 0.02; done
ip route replace default via 192.0.2.1
ip -6 route replace default via 2001:db8::1

world_private=$(wg genkey)
config tun0 <<END
Address = 10.8.0.1/24, fd00:8::1/64
ListenPort = 51820
[Peer]
PublicKey = $(wg pubkey <<<"$private")
AllowedIPs = 10.8.0.2/32, fd00:8::2/128
END
sed -i "s|^PrivateKey = .*|PrivateKey = $world_private|" /etc/wireguard/tun0.conf
world "$WGQ" -q up tun0 2>/dev/null
peer=$(wg pubkey <<<"$world_private")

# tunnel KEYS [ALLOWED]: writes the file of a client with these keys; without ALLOWED all goes through it.
tunnel() {
	config wg0 <<-END
		Address = 10.8.0.2/24, fd00:8::2/64
		$1
		[Peer]
		PublicKey = $peer
		Endpoint = 192.0.2.1:51820
		AllowedIPs = ${2:-0.0.0.0/0, ::/0}
	END
}
# answers COMMAND...: a ping that is answered, soon; the first packets wait for a handshake.
answers() { for _ in {1..20}; do ! "$@" -c1 -W0.3 >/dev/null 2>&1 || return 0; done; printf 'no answer: %s\n' "$*"; return 1; }
silent() { ! "$@" -c3 -i0.2 -W0.5 >/dev/null 2>&1 || { printf 'an answer: %s\n' "$*"; return 1; }; }
# listen: from here on, what comes in from the host is written down.
listen() {
	ip netns exec world tcpdump -Z root --immediate-mode -Q in -i outside -n -U -w "$work/capture" 2>/dev/null &
	listener=$!
	until [[ -s $work/capture ]]; do sleep 0.02; done
}
# heard FILTER: what was written down since `listen`, as far as it was no part of the tunnel and no neighbour discovery.
heard() {
	echo >/dev/udp/192.0.2.1/51820 # one packet to hear in any case
	sleep 0.3
	kill "$listener"
	wait "$listener" || true
	tcpdump -Z root -n -r "$work/capture" 2>/dev/null | has . # it did listen
	tcpdump -Z root -n -r "$work/capture" "not arp and not (udp and dst port 51820) and
		not (icmp6 and (ip6[40] >= 133 and ip6[40] <= 137)) and not (ip6 and ip6[6] == 0) and ($1)"
}
