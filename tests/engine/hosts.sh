# What every script of tests/packets/recipes.rs has beside tests/engine/prelude.sh: hosts, each with a network, keys and files of its
# own, behind each other and behind `world`. The world knows the way to no private address.
declare -A process
trap 'echo "failed: $BASH_COMMAND"' ERR

# host NAME: a host with a key for its tunnel.
host() {
	local folder=$work/$1
	mkdir -p "$folder/wireguard" /run/wgq /run/wireguard
	printf 'nameserver 192.0.2.53\n' >"$folder/resolv.conf"
	wg genkey >"$folder/wireguard/wg0.key"
	wg pubkey <"$folder/wireguard/wg0.key" >"$folder/key"
	unshare --net --mount bash -ec '
		mount -t tmpfs tmpfs /run/wgq
		mount -t tmpfs tmpfs /run/wireguard
		mount --bind "$0/wireguard" /etc/wireguard
		mount --bind "$0/resolv.conf" /etc/resolv.conf
		ip link set lo up
		sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv6.conf.default.accept_dad=0
		: >"$0/ready"
		exec sleep infinity' "$folder" &
	process[$1]=$!
	until [[ -e $folder/ready ]]; do sleep 0.01; done
}
# on HOST COMMAND...
on() { local at=${process[$1]}; shift; nsenter --net --mount --target "$at" -- "$@"; }

# uplink HOST ROUTER IPV4 [IPV6]: HOST is number 2 of these networks, and its default route is by ROUTER, number 1. Each
# has an interface named after the other.
uplink() {
	local host=$1 router=$2 ipv4=$3 ipv6=${4-}
	ip link add "$router" netns "${process[$host]}" type veth peer name "$host" netns "${process[$router]}"
	attach "$router" "$host" "$ipv4.1/24" ${ipv6:+"$ipv6::1/64"}
	attach "$host" "$router" "$ipv4.2/24" ${ipv6:+"$ipv6::2/64"}
	on "$host" ip route add default via "$ipv4.1"
	[[ ! $ipv6 ]] || on "$host" ip route add default via "$ipv6::1"
	settled "$host" "$router"
	settled "$router" "$host"
}
# neighbour HOST ROUTER OTHER IPV4: HOST is in the network of OTHER, behind the same ROUTER.
neighbour() {
	local host=$1 router=$2 other=$3 ipv4=$4
	ip link add "$router" netns "${process[$host]}" type veth peer name "$host" netns "${process[$router]}"
	on "$router" ip link add lan type bridge
	for port in "$host" "$other"; do on "$router" ip link set "$port" up master lan; done
	on "$router" ip addr flush dev "$other" scope global
	attach "$router" lan "$ipv4.1/24"
	attach "$host" "$router" "$ipv4.3/24"
	on "$host" ip route add default via "$ipv4.1"
}
# attach HOST INTERFACE ADDRESS...
attach() {
	local address
	for address in "${@:3}"; do on "$1" ip addr add "$address" dev "$2"; done
	on "$1" ip link set "$2" up
}
# firewall HOST: lets nothing in but pings, and nothing through.
firewall() {
	on "$1" nft 'table inet filter {
		chain input { type filter hook input priority 0; policy drop; ct state established,related accept; meta l4proto { icmp, ipv6-icmp } accept; }
		chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; }
	}'
}
# settled HOST INTERFACE: its link-local address comes when it likes
settled() { until [[ $(on "$1" ip -6 -o addr show dev "$2" scope link -tentative) ]]; do sleep 0.02; done; }
# router HOST [UPLINK]: forwards, and what leaves by UPLINK has its IPv4 address.
router() {
	on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	[[ ! ${2-} ]] || on "$1" nft "table ip nat { chain post { type nat hook postrouting priority srcnat; oifname $2 masquerade; }; }"
}

# recipe HOST FILE [NAME=HOST...]: gives the host a file of examples/, with the key of each NAME put in. Without a HOST the
# NAME is one.
recipe() {
	local file=$work/$1/wireguard/wg0.conf example=$2 name
	cp "$EXAMPLES/$example" "$file"
	shift 2
	for name; do
		sed -i "s|^PublicKey = PUBLIC-KEY-OF-${name%=*}\$|PublicKey = $(<"$work/${name#*=}/key")|" "$file"
	done
	lacks PUBLIC-KEY-OF "$file"
}
# endpoint ADDRESS: who vpn.example.org is
endpoint() { printf '%s\n' '127.0.0.1 localhost' "$1 vpn.example.org" >"$work/hosts"; mount --bind "$work/hosts" /etc/hosts; }

# state HOST: all that a tunnel can touch; processes are everybody's
state() { on "$1" bash -c "$(declare -f snapshot); work=$work snapshot" | sed '/wgq userspace/d'; }
# up HOST, down HOST: down leaves nothing.
up() {
	state "$1" >"$work/$1/before"
	on "$1" "$WGQ" -q up wg0 2>"$work/$1/told" || { cat "$work/$1/told"; return 1; }
	# but that there is no WireGuard in this kernel, there is nothing to say
	not grep -v -e 'has no WireGuard' -e 'userspace' "$work/$1/told"
}
down() {
	on "$1" "$WGQ" -q down wg0
	for _ in {1..20}; do
		state "$1" >"$work/$1/after"
		if diff "$work/$1/before" "$work/$1/after" >"$work/$1/left"; then return 0; fi
		sleep 0.1
	done
	cat "$work/$1/left"
	return 1
}

# serve HOST PORT: from here on, who connects is told from where.
serve() {
	on "$1" perl -MIO::Socket::IP -e '
		my $listener = IO::Socket::IP->new(LocalHost => "::", LocalPort => $ARGV[0], V6Only => 0, Listen => 9, ReuseAddr => 1) or die;
		while (my $client = $listener->accept) { print $client $client->peerhost =~ s/^::ffff://r; close $client }' "$2" &
	until [[ $(on "$1" ss -Hltn "sport = $2") ]]; do sleep 0.02; done
}
# visit SECONDS HOST ADDRESS PORT [FROM]: what it is told there; nothing if there is no way.
visit() {
	on "$2" perl -MIO::Socket::IP -e '
		my ($patience, $to, $port, $from) = @ARGV;
		my $server = IO::Socket::IP->new(PeerHost => $to, PeerPort => $port, $from ? (LocalHost => $from) : (), Timeout => $patience);
		print <$server> if $server' "$1" "${@:3}"
}
# seen WANTED HOST ADDRESS PORT [FROM]: as whom the host is seen there; the first packets wait for a handshake.
seen() {
	local as
	as=$(visit "$([[ $1 ]] && echo 5 || echo 1)" "${@:2}")
	[[ $as == "$1" ]] || { printf '%s: seen as "%s", not as "%s"\n' "${*:2}" "$as" "$1"; return 1; }
}
# reaches HOST ADDRESS, misses HOST ADDRESS
reaches() { for _ in {1..20}; do ! on "$1" ping -c1 -W0.3 "$2" >/dev/null 2>&1 || return 0; done; printf '%s does not reach %s\n' "$@"; return 1; }
misses() { ! on "$1" ping -c3 -i0.1 -W0.4 "$2" >/dev/null 2>&1 || { printf '%s reaches %s\n' "$@"; return 1; }; }

# offer HOST INTERFACE: an answer of a DHCP server to one who has no address yet; 25 is SO_BINDTODEVICE
offer() {
	on "$1" perl -MSocket -e '
		socket my $socket, PF_INET, SOCK_DGRAM, 0 or die;
		bind $socket, pack_sockaddr_in 67, INADDR_ANY or die;
		setsockopt $socket, SOL_SOCKET, SO_BROADCAST, 1 or die;
		setsockopt $socket, SOL_SOCKET, 25, $ARGV[0] or die;
		send $socket, "offer", 0, pack_sockaddr_in(68, INADDR_BROADCAST) or die "$!\n"' "$2"
}

# listen HOST INTERFACE RULES: what comes in there is counted from here on. (tcpdump would need rights that a user namespace
# does not give.)
listen() {
	on "$1" nft "table inet heard {
		chain in {
			type filter hook prerouting priority raw; iifname != $2 accept
			icmpv6 type { mld-listener-report, mld2-listener-report, nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept
			$3
		}
	}"
}
# heard HOST: what each counter of the RULES has counted
heard() { sleep 0.1; on "$1" nft list table inet heard | sed -n 's/.*counter packets \([0-9]*\).*/\1/p' | xargs; }
# no_leak HOST: what was heard by the tunnel's rule is all that was heard
tunnel_or_leak='udp dport 51820 ip daddr 192.0.2.2 counter accept; counter'
no_leak() { [[ $(heard "$1") == [1-9]*' 0' ]] || { on "$1" nft list table inet heard; return 1; }; }

host world
router world
on world ip addr add 198.51.100.1/32 dev lo
on world ip addr add 2001:db8:f::1/128 dev lo
