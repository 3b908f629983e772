# What every script of tests/blocks.rs has beside tests/engine/prelude.sh. $case is a folder of tests/migrate, $words say what
# the host is beside it, $probe is tests/engine/probe.pl. The world:
#
#	                    world 192.0.2.1, 198.51.100.1 and others
#	                      |
#	       ---------------+------------------
#	       |              |                 |
#	    server .10    phone .7          laptop .8
#	       |
#	      lan 192.168.1.2
#
# The file is the server's. Phone and laptop are its peers; where the file sends everything to its peer, the phone has the
# addresses of the world too, and by who answers it is told which way was taken.
for program in dbus-daemon firewall-cmd firewalld ip6tables iptables nft perl ufw wg wg-quick; do
	command -v $program >/dev/null || { echo "$program is missing: tests/install installs it"; exit 1; }
done
hosts=(world phone laptop lan)
config=/etc/wireguard/wg0.conf
outside=(198.51.100.1 198.51.100.7 203.0.113.1 203.0.114.1 192.168.77.1 2001:db8:f::1 2001:db8:e::1 fd00:5::1)
on() { nsenter --net="/run/netns/$1" "${@:2}"; }

# here.txt says how the interfaces of the host are called
uplink=eth0 downlink=eth1
if [[ -e $case/here.txt ]]; then
	uplink=$(sed -n 's/^default \([^ ]*\).*/\1/p' "$case/here.txt")
	downlink=$(sed -n "/ lo\$/d; / $uplink\$/d; s/^interface //p" "$case/here.txt")
fi
# addresses PATTERN: those of the lines of the file that match, one a line
addresses() { sed -n "s/^ *$1 *= *//p" "$case/wg0.conf" | tr -d ' \r' | tr ',' '\n'; }
client=
if addresses AllowedIPs | has '/0$'; then client=yes; fi

sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.uplink.accept_dad=0
mkdir -p /run/netns
for host in "${hosts[@]}"; do
	ip netns add $host
	on $host sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip -n $host link set lo up
done
ip -b - <<END
link set uplink down
link set uplink name $uplink
addr flush dev $uplink
addr add 192.0.2.10/24 dev $uplink
addr add 2001:db8::10/64 dev $uplink nodad
link set $uplink up
route add default via 192.0.2.1
route add default via 2001:db8::1
link set outside netns world
link add ${downlink:-unused} type veth peer name lan netns lan
link add phone netns world type veth peer name uplink netns phone
link add laptop netns world type veth peer name uplink netns laptop
END
# what leaks past a tunnel that has everything else: only a kill switch stops it
if [[ $client ]]; then
	ip route add 203.0.114.1 via 192.0.2.1
	ip route add 2001:db8:e::1 via 2001:db8::1
fi
if [[ $downlink ]]; then
	ip addr add 192.168.1.1/24 dev $downlink
	ip addr add fd00:99::1/64 dev $downlink nodad
	ip link set $downlink up
else
	ip link del unused
	ip -n lan link add lan type veth peer name nowhere
fi
{
	echo link add bridge type bridge
	for port in outside phone laptop; do echo link set $port up master bridge; done
	echo link set bridge up
	for address in 192.0.2.1/24 2001:db8::1/64; do echo addr add $address dev bridge; done
	for address in "${outside[@]}"; do echo addr add $address dev lo; done
	for net in 10.0.0.0/8 192.168.1.0/24; do echo route add $net via 192.0.2.10; done
	for net in fd00::/8 2001:db8:1::/64; do echo route add $net via 2001:db8::10; done
} | ip -n world -b -
for number in 7 8; do
	host=phone
	[[ $number == 7 ]] || host=laptop
	ip -n $host -b - <<-END
		addr add 192.0.2.$number/24 dev uplink
		addr add 2001:db8::$number/64 dev uplink nodad
		link set uplink up
		route add default via 192.0.2.1
		route add default via 2001:db8::1
	END
done
ip -n lan -b - <<END
addr add 192.168.1.2/24 dev lan
addr add fd00:99::2/64 dev lan nodad
link set lan up
route add default via 192.168.1.1
route add default via fd00:99::1
END
for link in $uplink $downlink; do
	until [[ $(ip -6 -o addr show dev $link scope link -tentative) ]]; do sleep 0.02; done
done

# The file, with the keys of this world.
private=$(wg genkey)
server=$(wg pubkey <<<"$private")
declare -A key
for host in phone laptop; do key[$host]=$(wg genkey); done
sed "s|^PrivateKey = .*|PrivateKey = $private|; s|$peer1|$(wg pubkey <<<"${key[phone]}")|; s|$peer2|$(wg pubkey <<<"${key[laptop]}")|" \
	"$case/wg0.conf" >$config
for file in private.key wg0.key; do printf '%s\n' "$private" >/etc/wireguard/$file; done
cp $config "$work/old.conf"
grep -viE '^\s*(pre|post)(up|down)\s*=' $config >"$work/plain.conf"

# names, and the peers
printf '%s\n' '192.0.2.10 eth0' '2001:db8::10 eth0' '192.168.1.1 eth1' 'fd00:99::1 eth1' '192.168.1.2 lan' 'fd00:99::2 lan' \
	'192.0.2.1 gateway' '2001:db8::1 gateway' '192.168.20.1 site' '127.0.0.1 lo' '::1 lo' >"$work/names"
printf '%s world\n' "${outside[@]}" >>"$work/names"
for address in $(addresses Address); do
	printf '%s wg0\n' "${address%/*}" >>"$work/names"
	if [[ $address == *:* ]]; then server6=${address%/*}; else server4=${address%/*}; fi
done
# peer HOST ADDRESS...: the host is a peer with these addresses
peer() {
	local host=$1 address
	shift
	{
		printf '[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0, ::/0\n' "$server"
		[[ $client ]] || printf 'Endpoint = 192.0.2.10:51820\nPersistentKeepalive = 25\n'
	} >"$work/$host.peer"
	# with a larger MTU than the server's, so that it is seen when somebody else makes segments smaller
	{
		printf '[Interface]\nPrivateKey = %s\nListenPort = 51820\nTable = off\nMTU = 1500\n' "${key[$host]}"
		printf 'Address = %s\n' "$@"
		cat "$work/$host.peer"
	} >"$work/$host.conf"
	on $host "$WGQ" -q up "$work/$host.conf" 2>/dev/null
	{
		for net in 10.0.0.0/8 192.168.0.0/16 fd00::/8 2001:db8:1::/64; do echo route add $net dev $host; done
		for address in "${outside[@]}"; do
			if [[ $client ]]; then echo addr add $address dev lo; else echo route add $address dev $host; fi
		done
	} | on $host ip -b -
	for address; do printf '%s %s\n' "${address%/*}" $host >>"$work/names"; done
	peers+=($host)
}
peers=()
if [[ $client ]]; then
	peer phone 10.0.0.1/32 fd42:1::1/128
	phone4=10.0.0.1 phone6=fd42:1::1
else
	for host in phone laptop; do
		mine=$(awk -v RS= -v n=$([[ $host == phone ]] && echo 1 || echo 2) '/\[Peer\]/ && ++i == n' <(sed 's/\r//; s/^\[\(Peer\|Interface\)\]/\n&/' "$case/wg0.conf") |
			sed -n 's/^AllowedIPs *= *//p' | tr -d ' \r' | tr ',' '\n')
		[[ $mine ]] || continue
		# of a network the first address
		mine=$(sed -E '/\/(32|128)$/!s/\.0\/.*/.1\/32/' <<<"$mine")
		peer $host $mine
		declare "${host}4=$(sed -n '/:/d; s/\/.*//p' <<<"$mine" | head -1)" "${host}6=$(sed -n '/:/s/\/.*//p' <<<"$mine" | head -1)"
	done
fi

# What is asked. row ASKER SOURCE ADDRESSEE FAMILY ADDRESS PROTOCOL/PORT...: without an address, nothing.
row() {
	local question
	[[ $5 && $2 ]] || return 0
	for question in "${@:6}"; do
		echo "$1>$3$4:$question $1 $2 $5 ${question%/*} ${question#*/}"
	done
}
# the same for both families
both() {
	local from=$1 source4=$2 source6=$3 to=$4 to4=$5 to6=$6
	shift 6
	row $from "$source4" $to '' "$to4" "$@"
	row $from "$source6" $to 6 "$to6" "$@"
}
{
	world=(198.51.100.1 2001:db8:f::1)
	both server - - phone "${phone4:-}" "${phone6:-}" tcp/22
	both server - - world ${world[@]} tcp/80 udp/53
	both phone - - server "${server4:-}" "${server6:-}" tcp/22
	both lan - - world ${world[@]} tcp/80
	both lan - - server 192.168.1.1 fd00:99::1 tcp/22
	both world ${world[@]} server 192.0.2.10 2001:db8::10 tcp/22
	if [[ $client ]]; then
		both server - - lan 192.168.1.2 fd00:99::2 tcp/80
		both server - - gateway 192.0.2.1 2001:db8::1 tcp/80
		both server - - net 192.168.77.1 fd00:5::1 tcp/80
		both server - - bypass 203.0.114.1 2001:db8:e::1 tcp/80 udp/53
		row server - other '' 203.0.113.1 tcp/80
		row server - single '' 198.51.100.7 tcp/80
	else
		both server - - server 192.0.2.10 2001:db8::10 tcp/8080
		both phone - - laptop "${laptop4:-}" "${laptop6:-}" tcp/22
		both phone - - world ${world[@]} tcp/80 udp/53 mss/80
		both phone - - lan 192.168.1.2 fd00:99::2 tcp/80
		both phone - - server "${server4:-}" "${server6:-}" tcp/8080 udp/53
		both laptop - - phone "${phone4:-}" "${phone6:-}" tcp/22
		[[ ! ${laptop4:-} ]] || both laptop - - world ${world[@]} tcp/80
		both lan - - phone "${phone4:-}" "${phone6:-}" tcp/22
		both lan - - server 192.0.2.10 2001:db8::10 tcp/8080
		both world ${world[@]} phone "${phone4:-}" "${phone6:-}" tcp/22 mss/80
		both world ${world[@]} server 192.0.2.10 2001:db8::10 tcp/80 tcp/443 tcp/8080 udp/53 udp/27020
	fi
	if addresses AllowedIPs | has '^192.168.20.0'; then
		row server - site '' 192.168.20.1 tcp/22
		row lan - site '' 192.168.20.1 tcp/22
		row phone 192.168.20.1 lan '' 192.168.1.2 tcp/80
	fi
} >"$work/plan"

# What the host is beside the file.
mkdir "$work/bin"
export PATH=$PATH:$work/bin
command -v sudo >/dev/null || printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
printf '#!/bin/sh\n' >/etc/wireguard/pre.sh
chmod 700 "$work/bin"/* /etc/wireguard/pre.sh
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
both_iptables() { iptables "$@"; ip6tables "$@"; }
forwarding() { sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; }
# as an administrator drops by iptables what is to be forwarded
dropping() {
	both_iptables -P FORWARD DROP
	both_iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
}
# and what is for the host itself
closed() {
	both_iptables -P INPUT DROP
	both_iptables -A INPUT -i lo -j ACCEPT
	ip6tables -A INPUT -p ipv6-icmp -j ACCEPT
	both_iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	both_iptables -A INPUT -p tcp --dport 22 -i $uplink -j ACCEPT
}
# but the tunnel's port
listening() { both_iptables -A INPUT -p udp --dport 51820 -j ACCEPT; }
# as Docker leaves it
docker() {
	both_iptables -P FORWARD DROP
	both_iptables -N DOCKER-USER
	both_iptables -A DOCKER-USER -j RETURN
	both_iptables -A FORWARD -j DOCKER-USER
	both_iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
}
# as somebody writes it who knows nft
nftables() {
	nft -f - <<-'END'
		table inet filter {
			chain input {
				type filter hook input priority filter; policy drop
				ct state established,related accept
				iifname lo accept
				meta l4proto ipv6-icmp accept
				tcp dport 22 accept
				udp dport 51820 accept
			}
			chain forward {
				type filter hook forward priority filter; policy drop
				ct state established,related accept
			}
		}
		table ip nat {
			chain postrouting {
				type nat hook postrouting priority srcnat
			}
		}
	END
}
ufw_enabled() {
	mkdir "$work/ufw"
	cp -a /usr/share/ufw/iptables/. /etc/ufw/. "$work/ufw"
	mount --bind "$work/ufw" /etc/ufw
	cp /etc/default/ufw "$work/default"
	mount --bind "$work/default" /etc/default/ufw
	mount -t tmpfs tmpfs /var/log
	ufw --force enable
	ufw allow 22/tcp
	ufw allow 51820
}
firewalld_running() {
	mkdir -p /run/dbus "$work/firewalld"
	mount --bind "$work/firewalld" /etc/firewalld
	mount -t tmpfs tmpfs /var/log
	cat >"$work/bus.conf" <<-END
		<busconfig>
		<type>system</type>
		<listen>unix:path=/run/dbus/system_bus_socket</listen>
		<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
		</busconfig>
	END
	dbus-daemon --config-file="$work/bus.conf" --fork
	firewalld --nofork --nopid &>"$work/firewalld.log" &
	until [[ $(firewall-cmd --state 2>/dev/null) == running ]]; do sleep 0.1; done
	firewall-cmd --zone=public --add-interface=$uplink
	firewall-cmd --add-port=51820/udp
}
for word in $words; do $word >/dev/null; done

# wg-quick's own device, where the kernel has none
cat >"$work/bin/device" <<'END'
#!/bin/bash
: >"/run/device.$1"
setsid "$WGQ" userspace "$1" >"/run/device.$1" 2>&1 </dev/null &
until [[ -s /run/device.$1 ]]; do sleep 0.01; done
END
chmod +x "$work/bin/device"
quick() { WG_QUICK_USERSPACE_IMPLEMENTATION=$work/bin/device wg-quick "$@"; }

# Between the server and its peers are new sessions, if there can be any. Who has an endpoint begins; a peer that begins
# forgets its session with a device that is no more.
fresh() {
	local host try
	if [[ $client ]]; then
		ping -c1 -W0.1 $phone4 >/dev/null 2>&1 &
		for ((try = 0; try < 40; try++)); do
			[[ $(wg show wg0 latest-handshakes 2>&1) != *[0-9] || $(wg show wg0 latest-handshakes) == *$'\t0' ]] || return 0
			sleep 0.02
		done
		return 0
	fi
	for host in "${peers[@]}"; do
		on $host wg set $host peer "$server" remove
		on $host wg addconf $host "$work/$host.peer"
		on $host ping -c1 -W0.1 $server4 >/dev/null 2>&1 &
	done
	for ((try = 0; try < 40; try++)); do
		for host in "${peers[@]}"; do
			[[ $(on $host wg show $host latest-handshakes) != *$'\t0' ]] || { sleep 0.02; continue 2; }
		done
		return 0
	done
}
# measure NAME: who reaches whom now, printed
measure() {
	local folder=$work/$1 host
	mkdir "$folder"
	cp "$work/plan" "$work/names" "$folder"
	fresh
	for host in "${hosts[@]}"; do on $host perl "$probe" $host "$folder" "$patience" >"$folder/answers.$host" & pids+=($!); done
	perl "$probe" server "$folder" "$patience" >"$folder/answers.server"
	for host in "${pids[@]}"; do wait "$host"; done
	pids=()
	cat "$folder"/answers.* | sed "s/^/$1\t/"
}
pids=()
# phase NAME PROGRAM: up, measured, down
phase() {
	local did=ok
	"$2" up wg0 >"$work/$1.log" 2>&1 || did=failed
	printf '%s\tup\t%s\n' "$1" $did
	cat "$work/$1.log" >&2
	measure "$1"
	did=ok
	"$2" down wg0 >>"$work/$1.log" 2>&1 || did=failed
	while ip link show wg0 >/dev/null 2>&1; do sleep 0.02; done
	printf '%s\tdown\t%s\n' "$1" $did
}
cp "$work/plain.conf" $config
phase without quick
cp "$work/old.conf" $config
"$WGQ" migrate --write wg0 >&2
remember
phase wgq wgq
# with its hooks gone, nothing is left
grep -qiE '^\s*(pre|post)(up|down)\s*=\s*\S' $config || same >&2
cp "$work/old.conf" $config
phase wg-quick quick
