# What every script of tests/packets/apply.rs has beside tests/engine/prelude.sh, foreign.sh and peers.sh: pings and streams
# of bytes that are on their way from the client to the server and through it, while the server follows one file or another.
printf '%s\n' "$STREAM" >"$work/stream.pl"
world perl "$work/stream.pl" echo 81 &
until [[ $(world ss -Hltn 'sport = 81') ]]; do sleep 0.02; done
# A segment is sent again when it is missed for 3 seconds, not when it or its answer is late or overtaken.
for namespace in client world; do
	ip netns exec $namespace sysctl -qw net.ipv4.tcp_early_retrans=0 net.ipv4.tcp_recovery=0 net.ipv4.tcp_reordering=100
done
ip -n client route change 198.51.100.1/32 dev tun0 rto_min 3s
ip -n client route change 2001:db8:f::1/128 dev tun0 rto_min 3s
ip -n world route add 192.0.2.2/32 dev outside rto_min 3s
ip -n world route add 2001:db8::2/128 dev outside rto_min 3s

# peer_key NUMBER: a public key; it belongs to nobody.
peer_key() { printf '%042dA=' "$1"; }
# peer NUMBER ALLOWEDIPS: its section of a file.
peer() { printf '[Peer]\nPublicKey = %s\nAllowedIPs = %s\n' "$(peer_key "$1")" "$2"; }
# peers FROM TO: the sections of all of these, each with an address of its own.
peers() {
	local number
	for ((number = $1; number <= $2; number++)); do peer $number 10.100.$((number / 250)).$((number % 250))/32; done
}
# put FILE: makes this the file of the server.
put() {
	cp "$work/$1" /etc/wireguard/wg0.conf
	touch -d yesterday /etc/wireguard/wg0.conf # it is not wgq that wrote it
}
# follow FILE [up]: and has the server follow it.
follow() {
	put "$1"
	wgq -q "${2:-apply}" wg0
}
# back_and_forth FILE...: has it follow one after the other as long as traffic is on its way, the last one in the end.
back_and_forth() {
	local file times=0
	while is_going || ((!times)); do
		for file in "$@"; do
			follow "$file"
			((++times))
		done
	done
	printf 'applied %d times\n' $times
}

# traffic SECONDS: begins pings to and through the server, and streams through it.
pause=5 # ms
[[ -e /dev/net/tun ]] || pause=20 # the virtual machine, which may be an emulated one
traffic() {
	local host count
	count=$(($1 * 1000 / pause))
	begun=()
	rm -f "$work"/ping.* "$work"/stream.[0-9]*
	for host in 10.8.0.1 198.51.100.1 fd00:8::1 2001:db8:f::1; do
		client ping -q -i "${pause}e-3" -W 5 -c "$count" $host >"$work/ping.$host" 2>&1 &
		begun+=($!)
	done
	for host in 198.51.100.1 2001:db8:f::1; do
		client perl "$work/stream.pl" run $host 81 $((count / 2)) "$((2 * pause))e-3" >"$work/stream.$host" 2>&1 &
		begun+=($!)
	done
}
# is_going: some of it is still on its way.
is_going() { kill -0 "${begun[@]}" 2>/dev/null; }
# nothing_lost [SEGMENTS]: all that `traffic` has begun has come back, once; at most so many segments of a stream went again.
nothing_lost() {
	local process file again
	for process in "${begun[@]}"; do wait "$process" || true; done
	tail -n2 "$work"/ping.* "$work"/stream.[0-9]*
	for file in "$work"/ping.*; do
		lacks -e duplicates -e errors "$file" || return 1
		has ' 0% packet loss' "$file" || return 1
	done
	for file in "$work"/stream.[0-9]*; do
		again=$(sed -n 's/.* ms, \([0-9]*\) again/\1/p' "$file")
		[[ $again ]] && ((again <= ${1:-0})) || return 1
	done
}
# sessions: how the server and the client know each other: endpoints and times of handshakes.
sessions() {
	wg show wg0 endpoints | awk '$2 != "(none)"'
	wg show wg0 latest-handshakes | awk '$2 > 0'
	client wg show tun0 latest-handshakes
}
# begin: the client and the server have a new session. Two minutes later they would have another one in any case.
begin() {
	local host
	fresh
	for host in 198.51.100.1 fd00:8::1 2001:db8:f::1; do answers client ping $host; done # all neighbours are known
	sessions >"$work/sessions"
}
# same_session: they have it still, at the same addresses.
same_session() { sessions | diff "$work/sessions" -; }
# received: how much the server has had from the client.
received() { wg show wg0 transfer | awk '$2 > 0 { print $2 }'; }
