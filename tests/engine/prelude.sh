# What every script of tests/engine.rs begins with: a host of its own, in a network and a mount namespace.
set -euo pipefail
trap 'printf "line %s: %s\n" "$LINENO" "$BASH_COMMAND"' ERR # else what fails in silence does so
export LC_ALL=C
mount --make-rprivate /
mount -t tmpfs tmpfs /run
work=$(mktemp -d /run/work.XXXX)
mkdir "$work/wireguard"
# a folder of the real host is covered, never written to
[[ -d /etc/wireguard ]] || { mkdir "$work/etc"; cp -a /etc/. "$work/etc" 2>/dev/null || true; mkdir -p "$work/etc/wireguard"; mount --bind "$work/etc" /etc; }
mount --bind "$work/wireguard" /etc/wireguard
printf 'nameserver 192.0.2.53\n' >"$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf
umask 077
ip link set lo up
ip link add uplink type veth peer name outside
ip addr add 192.0.2.2/24 dev uplink
ip addr add 2001:db8::2/64 dev uplink nodad
ip link set outside up
ip link set uplink up
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8::1
# link-local addresses come when they like: wait for both links'
for link in uplink outside; do
	until [[ $(ip -6 -o addr show dev "$link" scope link -tentative) ]]; do sleep 0.02; done
done

private=yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
peer1=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
peer2=TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=

# config NAME: writes the file of an interface from standard input, its key in front.
config() {
	{ printf '[Interface]\nPrivateKey = %s\n' "$private"; cat; } >"/etc/wireguard/$1.conf"
}

# Everything of the host that a tunnel can touch.
snapshot() {
	ip -o link show | sed 's/^[0-9]*: //; s/ qlen.*//'
	ip -o addr show | sed 's/^[0-9]*: //; s/ tentative//'
	for family in -4 -6; do
		ip $family route show table all
		ip $family rule show
	done
	nft -s list ruleset 2>/dev/null
	sysctl -n net.ipv4.conf.all.src_valid_mark net.ipv4.ip_forward net.ipv6.conf.all.forwarding
	grep . /proc/sys/net/ipv[46]/conf/*/{forwarding,accept_redirects} /proc/sys/net/ipv6/conf/*/accept_ra
	cat /etc/resolv.conf
	find /run/wgq /run/wireguard -not -type d 2>/dev/null || true
	find /etc/wireguard -newer "$work/before" -type f 2>/dev/null || true
	pgrep -a -f '^wgq userspace' || true
}

remember() { : >"$work/before"; snapshot >"$work/before"; }
# same [FILE]: the host is as it was remembered (or in the file), once processes that have let go of everything have ended.
same() {
	local before=${1:-$work/before}
	for _ in {1..10}; do
		snapshot >"$work/now"
		if diff "$before" "$work/now" >"$work/difference"; then return 0; fi
		sleep 0.1
	done
	cat "$work/difference"
	return 1
}
# fails CODE COMMAND...: the command ends with that code; what it says is in $said.
fails() {
	local code=$1 status=0
	shift
	said=$("$@" 2>&1) || status=$?
	[[ $status == "$code" ]] || { printf 'expected exit %s, got %s of: %s\n%s\n' "$code" "$status" "$*" "$said"; return 1; }
}
# says TEXT: the last command that failed said so.
says() { [[ $said == *"$1"* ]] || { printf 'not said: %s\nbut: %s\n' "$1" "$said"; return 1; }; }
# has PATTERN...: grep that reads to the end, so that what writes to it is not killed.
has() { grep "$@" >/dev/null; }
lacks() { ! has "$@"; }
# not COMMAND...: the command fails. After a bare `! COMMAND` that does not, bash goes on all the same.
not() { ! "$@"; }
wgq() { "$WGQ" "$@"; }
