//! What `wgq peer add` and `wgq show --json` cost with thousands of peers: `cargo bench --bench peers`.
//!
//! It runs in namespaces of its own, with the embedded device. What it prints are milliseconds of user CPU, and ratios.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark fails by panicking"
)]

use std::process::Command;

const PRELUDE: &str = include_str!("../tests/engine/prelude.sh");

const SCRIPT: &str = r#"
TIMEFORMAT='%R %U %S'
# file PEERS NETWORK: a server whose peers have the first addresses of its network
file() {
	printf '[Interface]\nPrivateKey = %s\nAddress = 10.9.0.1/16\nListenPort = 51820\n# Endpoint = 192.0.2.2:51820\n' "$private"
	perl -MMIME::Base64 -e 'for (2 .. $ARGV[0] + 1) {
		printf "[Peer]\n# Name = peer %d\nPublicKey = %s\nAllowedIPs = 10.9.%d.%d/32\n", $_, encode_base64(pack("N x28", $_), ""), $_ >> 8, $_ & 255
	}' "$1"
}
# user COMMAND...: the least user CPU of five runs, in milliseconds
user() {
	for _ in {1..5}; do
		{ time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $2 * 1000 }'
	done | sort -n | head -1
}
wall() {
	for _ in {1..5}; do
		{ time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ print $1 * 1000 }'
	done | sort -n | head -1
}

add() { wgq -q peer add "new $EPOCHREALTIME" --no-store --dns none && touch "$work/added"; }
for peers in 10000 20000 65000; do
	file $peers >/etc/wireguard/wg0.conf
	printf 'peer add to %s peers that are down: %s ms of user CPU\n' $peers "$(user add)"
done
file 10000 >/etc/wireguard/wg0.conf
wgq -q up wg0 2>/dev/null
printf 'peer add to 10000 peers that are up: %s ms of user CPU\n' "$(user add)"
dump=$(wall wg show wg0 dump)
json=$(wall wgq show wg0 --json)
awk -v json="$json" -v dump="$dump" 'BEGIN { printf "show --json of 10000 peers / wg show dump: %.2f\n", json / dump }'
"#;

fn main() {
    let mut host = Command::new("unshare");
    host.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "bash",
        "-c",
    ]);
    host.arg(format!("{PRELUDE}\n{SCRIPT}"));
    let ended = host.env("WGQ", env!("CARGO_BIN_EXE_wgq")).status().unwrap();
    assert!(ended.success(), "{ended}");
}
