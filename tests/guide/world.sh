# What every script of tests/guide has beside tests/engine/prelude.sh. $folder is tests/guide. The world:
#
#	            world: 192.0.2.1, and the internet, 198.51.100.1 and 2001:db8:f::1
#	              |
#	      --------+------------------------
#	      |               |               |
#	   server .2      phone: a net     laptop: another
#	      |
#	     lan 192.168.7.2, fd00:7::2
#
# The host is the server. Nobody in the world knows the tunnel's addresses, and nobody in the LAN.
internet4=198.51.100.1 internet6=2001:db8:f::1
lan4=192.168.7.2 lan6=fd00:7::2
mkdir -p /run/netns /run/wgq /run/wireguard "$work/bin"
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0

# network NAME: a namespace with nothing in it yet
network() {
	ip netns add "$1"
	ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
	ip -n "$1" link set lo up
}
network world
ip link set outside netns world
ip -n world -b - <<END
addr add 192.0.2.1/24 dev outside
addr add 2001:db8::1/64 dev outside nodad
addr add $internet4 dev lo
addr add $internet6 dev lo
link set outside up
END
ip netns exec world sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

network lan
ip link add lan type veth peer name wire netns lan
ip addr add 192.168.7.1/24 dev lan
ip addr add fd00:7::1/64 dev lan nodad
ip link set lan up
ip -n lan -b - <<END
addr add $lan4/24 dev wire
addr add $lan6/64 dev wire nodad
link set wire up
END

# client NAME NUMBER: one at home elsewhere, with a network, files and mounts of its own.
declare -A pid
client() {
	local net=203.0.$2 net6=2001:db8:$2
	network "$1"
	ip -n world link add "$1" type veth peer name uplink netns "$1"
	ip -n world addr add "$net.1/24" dev "$1"
	ip -n world addr add "$net6::1/64" dev "$1" nodad
	ip -n world link set "$1" up
	ip -n "$1" -b - <<-END
		addr add $net.2/24 dev uplink
		addr add $net6::2/64 dev uplink nodad
		link set uplink up
		route add default via $net.1
		route add default via $net6::1
	END
	echo "nameserver $net.1" >"$work/$1.resolv.conf"
	# shellcheck disable=SC2016
	nsenter --net="/run/netns/$1" unshare --mount bash -c 'mount --bind "$1" /etc/resolv.conf
		for folder in /run/wgq /run/wireguard; do mount -t tmpfs tmpfs "$folder"; done
		: >"$2"; exec sleep infinity' bash "$work/$1.resolv.conf" "$work/$1.is-there" &
	pid[$1]=$!
	until [[ -e $work/$1.is-there ]]; do sleep 0.02; done
}
on() { nsenter --net --mount --target "${pid[$1]}" "${@:2}"; }

# wg-quick with the same device, where the kernel has none, and a resolvconf as it wants one
cat >"$work/bin/device" <<'END'
#!/bin/bash
: >"/run/wireguard/said.$1"
setsid "$WGQ" userspace "$1" >"/run/wireguard/said.$1" 2>&1 </dev/null &
until [[ -s /run/wireguard/said.$1 ]]; do sleep 0.01; done
END
cat >"$work/bin/resolvconf" <<'END'
#!/bin/bash
case $1 in
-a) cp /etc/resolv.conf /run/wireguard/resolv.conf; cat >/etc/resolv.conf ;;
-d) cat /run/wireguard/resolv.conf >/etc/resolv.conf ;;
esac
END
chmod +x "$work/bin"/*
# quick HOST UP|DOWN FILE
quick() { on "$1" env PATH="$work/bin:$PATH" WG_QUICK_USERSPACE_IMPLEMENTATION="$work/bin/device" wg-quick "${@:2}" 2>&1; }

for host in world lan; do ip netns exec $host perl "$folder/whom.pl" & done
for host in world lan; do until [[ $(ip netns exec $host ss -Hltn 'sport = 80') ]]; do sleep 0.02; done; done

# seen HOST ADDRESS: whom the one with that address sees when the host connects to it; nothing if it cannot.
# shellcheck disable=SC2016
seen() { on "$1" timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/80" && cat <&3' bash "$2" 2>/dev/null || true; }
# sees ADDRESS HOST SOURCE: the one with that address sees the host as that.
sees() {
	local source
	source=$(seen "$2" "$1")
	[[ $source == "$3" ]] || { printf '%s sees %s as %s, not as %s\n' "$1" "$2" "$source" "$3"; return 1; }
}
# answers COMMAND...: a ping that is answered, soon; the first packets wait for a handshake.
answers() { for _ in {1..30}; do ! "$@" -c1 -W0.3 >/dev/null 2>&1 || return 0; done; printf 'no answer: %s\n' "$*"; return 1; }
silent() { ! "$@" -c3 -i0.2 -W0.5 >/dev/null 2>&1 || { printf 'an answer: %s\n' "$*"; return 1; }; }
