# What tests/tunnels.rs does on each of its hosts: `sequences` random ones of ups, downs and applies of five tunnels, by `seed`.
nft -f - <<END
table inet mine {
	chain in { type filter hook input priority 0; policy drop; }
	chain through { type filter hook forward priority 0; policy drop; }
}
END
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 net.ipv4.conf.all.src_valid_mark=0
RANDOM=$seed
tunnels=(wg0 wg1 wg2 wg3 wg4)

# file NAME: keeps a file for `take`; its key is in front.
file() { { printf '[Interface]\nPrivateKey = %s\n' "$private"; cat; } >"$work/$1.conf"; }
take() { cp "$work/$1.$2.conf" "/etc/wireguard/$1.conf"; } # take TUNNEL VARIANT
# all of IPv4
file wg0.a <<END
Address = 10.0.0.2/24
ListenPort = 50000
DNS = 10.0.0.1
[Peer]
PublicKey = $peer1
Endpoint = 192.0.2.1:51820
AllowedIPs = 0.0.0.0/0
END
file wg0.b <<END
Address = 10.0.0.2/24, 10.0.0.3/24
ListenPort = 50010
MTU = 1400
KeepInbound = yes
Masquerade = yes
[Peer]
PublicKey = $peer1
Endpoint = 198.51.100.1:51820
AllowedIPs = 0.0.0.0/0, 10.50.0.0/16
[Peer]
PublicKey = $peer2
AllowedIPs = 10.51.0.0/16
END
# all of IPv6
file wg1.a <<END
Address = fd01::2/64
ListenPort = 50001
DNS = fd01::1, one.example
[Peer]
PublicKey = $peer1
Endpoint = [2001:db8::1]:51820
AllowedIPs = ::/0
END
file wg1.b <<END
Address = fd01::3/64, 10.1.0.2/24
ListenPort = 50001
DNS = fd01::9
Forward = yes
[Peer]
PublicKey = $peer2
Endpoint = 192.0.2.1:51820
AllowedIPs = ::/0, 10.1.0.0/16
END
# servers
file wg2.a <<END
Address = 10.2.0.1/24, fd02::1/64
ListenPort = 50002
Masquerade = yes
OpenPort = yes
[Peer]
PublicKey = $peer1
AllowedIPs = 10.2.0.2/32, fd02::2/128
END
file wg2.b <<END
Address = 10.2.0.1/24
ListenPort = 50012
OpenPort = yes
Isolate = yes
[Peer]
PublicKey = $peer1
AllowedIPs = 10.2.0.3/32
[Peer]
PublicKey = $peer2
AllowedIPs = 10.2.0.2/32
END
file wg3.a <<END
Address = 10.3.0.1/24
ListenPort = 50003
PortForward = tcp/8080 -> 10.3.0.2:80
[Peer]
PublicKey = $peer1
AllowedIPs = 10.3.0.2/32
END
file wg3.b <<END
Address = fd03::1/64
ListenPort = 50003
Forward = yes
[Peer]
PublicKey = $peer1
AllowedIPs = fd03::2/128, 10.31.0.0/16
END
# networks elsewhere
file wg4.a <<END
Address = 10.4.0.1/32
ListenPort = 50004
Table = 1234
FwMark = 0x77
[Peer]
PublicKey = $peer1
AllowedIPs = 10.4.0.0/16, fd04::/48
END
file wg4.b <<END
Address = 10.4.0.1/24, fd04::1/64
ListenPort = 50004
ExcludeIPs = 10.41.7.0/24
[Peer]
PublicKey = $peer1
AllowedIPs = 10.41.0.0/16, fd41::/48
END

# What there is, a line for a thing, but for what all tunnels share. Which of the full tunnels came first, its table and its
# rules' priority tell; all have one mark.
things() {
	{
		ip -o link show | sed 's/^[0-9]*: //; s/ qlen.*//'
		ip -o addr show | sed 's/^[0-9]*: //'
		for family in -4 -6; do
			ip $family route show table all | sed "s/^/$family /; /proto kernel metric 0 /d"
			ip $family rule show | sed "s/^[0-9]*:/$family rule/"
		done | sed 's/\(table\|lookup\) 5182[0-9]/\1 full/'
		nft -s list ruleset | awk '/^table/ { table = $3; chain = "" } /^\tchain/ { chain = $2 } { print table, chain, $0 }'
		find /run/wgq /run/wireguard -not -type d 2>/dev/null || true
		pgrep -a -f '^wgq userspace' | sed 's/^[0-9]* //' || true
		wg show all dump | cut -f 1-5,9
	} | sort -u
}
# The kernel variables: those of tunnels first.
variables() { grep . /proc/sys/net/ipv4/conf/all/src_valid_mark /proc/sys/net/ipv[46]/conf/*/{forwarding,accept_redirects} /proc/sys/net/ipv6/conf/*/accept_ra; }
shared() { variables | grep -v /wg; cat /etc/resolv.conf; }

declare -A running
wrong() {
	printf '%s after%s (seed %s):\n' "$1" "$story" "$seed"
	printf '%s\n' "${said:-}"
	cat "$work/difference" 2>/dev/null || true
	exit 1
}
run() { said=$("$WGQ" -q "$@" 2>&1) || wrong "$*"; }

# That a thing goes may take a moment.
compare() { # compare COMMAND FILE WHAT
	for _ in {1..20}; do
		$1 >"$work/now"
		if diff "$2" "$work/now" >"$work/difference"; then return 0; fi
		sleep 0.1
	done
	wrong "$3"
}

# The host is all that those which run make of it alone. Of those that tell the resolver, one has the word.
check() {
	local tunnel parts=("$work/nothing.things") shared=() spoke=()
	for tunnel in "${!running[@]}"; do
		local alone=$work/$tunnel.${running[$tunnel]}
		parts+=("$alone.things")
		shared+=("$alone.shared")
		if grep -q '^# written' "$alone.shared"; then spoke+=("$alone.shared"); fi
	done
	sort -u "${parts[@]}" >"$work/expected"
	compare things "$work/expected" 'not what runs'
	# a variable is what one of them makes of it, or as it was before
	awk -F: 'FILENAME == ARGV[1] { before[$1] = $0; now[$1] = $0; next } $0 != before[$1] { now[$1] = $0 }
		END { for (name in now) print now[name] }' <(grep ^/proc "$work/nothing.shared") "${shared[@]}" | grep ^/proc | sort >"$work/expected"
	compare shared_variables "$work/expected" 'other variables'
	variables | awk -F: '/\/forwarding:/ { split($1, at, "/"); is[at[5], at[7]] = $2; names[at[7]]; }
		END { for (it in is) { split(it, at, SUBSEP); if (at[2] ~ /^wg/ && is[it] != is[at[1], "all"]) exit 1 } }' || wrong 'a tunnel does not forward as the others do'
	local said_by=
	for tunnel in "${spoke[@]:-$work/nothing.shared}"; do
		if [[ $(grep -v ^/proc "$tunnel") == "$(</etc/resolv.conf)" ]]; then said_by=$tunnel; fi
	done
	[[ $said_by ]] || { said=$(</etc/resolv.conf); wrong 'another resolv.conf'; }
	for tunnel in "${!running[@]}"; do run diff "$tunnel"; done
}
shared_variables() { variables | grep -v /wg | sort; }

# alone TUNNEL VARIANT: what there is when it runs and no other does.
alone() {
	story=" $1.$2 alone"
	take "$1" "$2"
	run up "$1"
	sleep 0.3
	things >"$work/$1.$2.things"
	shared >"$work/$1.$2.shared"
	run down "$1"
	compare things "$work/nothing.things" 'left'
	[[ ! $(comm -23 "$work/nothing.things" "$work/$1.$2.things") ]] || wrong 'something went'
}

things >"$work/nothing.things"
shared >"$work/nothing.shared"
for tunnel in "${tunnels[@]}"; do alone "$tunnel" a; alone "$tunnel" b; done

pick() { # pick WORD...: one of them, into `picked`
	local words=("$@")
	picked=${words[RANDOM % $#]}
}
step() {
	pick "${tunnels[@]}"
	local tunnel=$picked command=down
	pick a b
	local variant=$picked
	if [[ ! ${running[$tunnel]:-} ]]; then
		pick up up apply
		command=$picked
	elif ((RANDOM % 3)); then
		command=apply
	fi
	story+=" $command $tunnel${variant}"
	if [[ $command != down ]]; then take "$tunnel" "$variant"; fi
	run "$command" "$tunnel"
	if [[ $command == down ]]; then unset "running[$tunnel]"; else running[$tunnel]=$variant; fi
	check
}

for ((sequence = 0; sequence < sequences; ++sequence)); do
	story=
	for _ in {1..6}; do step; done
	while ((${#running[@]})); do
		pick "${!running[@]}"
		story+=" down $picked"
		run down "$picked"
		unset "running[$picked]"
	done
	check
done
echo "$sequences"
