# What tests/pairs/hosts.rs does with the pairs in the folder `pairs`: 0.a and 0.b, 1.a and 1.b ...
nft -f - <<END
table inet mine {
	chain in { type filter hook input priority 0; policy drop; }
	chain through { type filter hook forward priority 0; policy drop; }
}
END
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
# Which of the device's values the file asks for: its port, and the endpoints of peers that have one. Whoever is at a peer's
# without, and which port a tunnel without has, is left as it was.
asked_for() {
	awk 'NR == FNR { split($0, it, " = "); if (it[1] == "ListenPort") port = 1; if (it[1] == "PublicKey") key = it[2]
			if (it[1] == "Endpoint") has[key] = 1; next }
		{ split($0, it, "\t") }
		FNR == 1 { print "device", it[1], port ? it[3] : "any", it[4]; next }
		{ print "peer", it[1], it[2], has[it[1]] ? it[3] : "any", it[8]
			count = split(it[4], ips, ","); for (i = 1; i <= count; ++i) print "peer", it[1], ips[i] }' /etc/wireguard/wg0.conf - 2>/dev/null
}
eval "$(declare -f snapshot | sed '1s/snapshot/whole_snapshot/')"
# The kernel's own routes come when they like, and which address of a network is the first one is by age.
snapshot() {
	{
		whole_snapshot | sed 's/^[0-9]* wgq userspace/wgq userspace/; s/ secondary / /; /dev wg0 .*proto kernel/s/ src [^ ]*//' |
			grep -v '^/etc/wireguard\|table local proto kernel metric 0 '
		wg show wg0 dump 2>/dev/null | asked_for || true
	} | sort
}
wrong() {
	printf '%s, pair %s of %s:\n' "$1" "$number" "$pairs"
	printf '%s\n' "${said:-}"
	cat "$work/difference" 2>/dev/null || true
	head -n100 "$pairs/$number".[ab]
	exit 1
}
take() { cp "$pairs/$number.$1" /etc/wireguard/wg0.conf; }
# run ARGUMENTS...: the command must succeed.
run() { said=$("$WGQ" -q "$@" 2>&1) || wrong "$*"; }

remember
for ((number = 0; ; ++number)); do
	[[ -e $pairs/$number.a ]] || break
	rm -f "$work/difference"
	take b
	run up wg0
	snapshot >"$work/fresh"
	run down wg0
	same >/dev/null || wrong 'down of b'
	take a
	run up wg0
	take b
	run apply wg0
	same "$work/fresh" >/dev/null || wrong 'a, and b applied (> is what was reached)'
	run diff wg0
	run down wg0
	same >/dev/null || wrong 'a, b applied, down'
done
echo "$number"
