# What every script of tests/peers has beside tests/engine/prelude.sh.
file=/etc/wireguard/wg0.conf
clients=/etc/wireguard/clients/wg0

# state: file, kernel and clients, and all else that is kept beside the file.
state() {
	cat $file
	wg show all dump
	ip -4 route show table all dev wg0 2>/dev/null || true
	ip -6 route show table all dev wg0 2>/dev/null | sed '/fe80/d; /ff00/d' || true
	find /etc/wireguard -mindepth 1 -printf '%M %p\n' | sort
	find /etc/wireguard/clients -type f ! -name fill -exec sha256sum {} + 2>/dev/null | sort || true
}
keep() { cp $file "$work/file"; state >"$work/state"; }
# unchanged: file, kernel and clients are as they were at `keep`.
unchanged() { state | diff "$work/state" - || { printf 'after: %s\n' "$said"; return 1; }; }
# is_file TEXT: the file is that, byte for byte.
is_file() { printf %s "$1" | diff - $file; }
# row KEY: the peer as the kernel has it: endpoint, allowed IPs, handshake, bytes, keepalive.
row() { wg show wg0 dump | awk -F'\t' -v key="$1" '$1 == key {print $3, $4, $5, $8}'; }
# listed NAME [FIELD]: what the JSON of the list says of a peer.
listed() { wgq -q --json peer list | jq -r --arg name "$1" ".peers[] | select(.name == \$name) | ${2:-.public_key}"; }
address() { listed "$1" '.allowed_ips | join(" ")'; }

# server: a file with comments, and a peer that has moved since.
server() {
	cat >$file <<-END
		# the server in the cellar
		[Interface]
		# Endpoint = vpn.example.com:51820
		Address = 10.8.0.1/24, fd00:8::1/64   # both
		ListenPort=51820
		PrivateKey = $private

		  # a site, which was here before
		[Peer] # site
		AllowedIPs = 10.8.0.2/32, 10.20.0.0/16
		PublicKey = $peer1
		Endpoint = 192.0.2.77:1000
	END
}
running() { server; wgq -q up wg0 2>/dev/null; wg set wg0 peer $peer1 endpoint 192.0.2.99:2000; }
