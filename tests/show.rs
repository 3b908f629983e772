//! `wgq show` on the machine's own kernel, in network namespaces, with the embedded WireGuard where the kernel has none. Each test
//! is a script on a host of its own, which begins with tests/engine/prelude.sh.
//!
//! Needs root, or a user namespace in which one is root; tmux for the live table.

#![cfg(feature = "userspace")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod schema;
mod script;

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

/// A server with names of all kinds, and a client of it in another network namespace that is online.
const SERVER: &str = r#"mkdir -p /run/netns
ip netns add world
ip link set outside netns world
ip -n world link set lo up
ip -n world addr add 192.0.2.1/24 dev outside
ip -n world link set outside up
phone=$(wg genkey)
phone_public=$(wg pubkey <<<"$phone")
cat >/etc/wireguard/tun0.conf <<END
[Interface]
PrivateKey = $phone
Address = 10.8.0.2/24
[Peer]
PublicKey = $(wg pubkey <<<"$private")
Endpoint = 192.0.2.2:51820
AllowedIPs = 10.8.0.1/32
PersistentKeepalive = 1
END
config wg0 <<END
Address = 10.8.0.1/24, fd42::1/64
ListenPort = 51820
FwMark = 0x77
Masquerade = yes
PortForward = tcp/8080 -> 10.8.0.2:80
DNS = 10.8.0.1
[Peer]
# Name = phone
PublicKey = $phone_public
AllowedIPs = 10.8.0.2/32, fd42::2/128
[Peer]
# Name = Jörg's "tablet" $(printf '\342\200\256')
PublicKey = $peer1
PresharedKey = $peer2
Endpoint = [2001:db8::77]:51820
AllowedIPs = 10.8.0.3/32
PersistentKeepalive = 25
[Peer]
PublicKey = $peer2
END
wgq -q up wg0 2>/dev/null
(exec ip netns exec world "$WGQ" -q up tun0) 2>/dev/null
until [[ $(wg show wg0 latest-handshakes | sort -k2n | tail -n1 | cut -f2) != 0 ]]; do sleep 0.1; done
"#;

fn host(script: &str) -> String {
    script::host(&format!("{SERVER}{script}"))
}

/// Holds a text to a file in tests/screens, or makes the file anew: `WGQ_BLESS=1 cargo test --test show`.
fn is_golden(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/screens")
        .join(file);
    if env::var_os("WGQ_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{file} is not what it was:\n{found}");
}

#[test]
fn fields_are_those_of_wg_byte_for_byte() {
    host(
        r#"config blue <<<'Netns = blue'
wgq -q up blue 2>/dev/null
# what changes from second to second stands still
wgq -q down tun0 2>/dev/null || ip netns exec world "$WGQ" -q down tun0
wg show interfaces | cmp - <(wgq show interfaces)
for name in wg0 blue all; do
	for field in public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips latest-handshakes \
		transfer persistent-keepalive dump; do
		[[ $name/$field != all/endpoints ]] || continue
		for try in 1 2 3; do
			if cmp <(wg show $name $field) <(wgq show $name $field); then break; fi
			[[ $try != 3 ]]
		done
	done
done
# the wg of Debian 12 (1.0.20210914) has the name of the interface once, where wg(8) says in each line
[[ $(wgq show all endpoints | grep -c '^wg0	') == 3 ]]
diff <(wg show wg0 endpoints | sed 's/^/wg0\t/') <(wgq show all endpoints)"#,
    );
}

#[test]
fn the_text_has_names_and_what_is_beyond_the_device() {
    let text = host(
        r#"wgq show wg0 2>"$work/errors" >"$work/text"
[[ ! $(<"$work/errors") ]]
sed -i 's|10.8.0.3/32|10.8.0.5/32|' /etc/wireguard/wg0.conf
wgq show wg0 | has 'wg0.conf (differs in 1 step: wgq diff wg0)'
[[ $(wgq diff wg0 2>/dev/null | wc -l) == 1 ]]
[[ $(wgq show wg0 | grep -c hidden) == 2 ]]
WG_HIDE_KEYS=never wgq show wg0 | has "$private"
wgq --color always show wg0 | has $'\e\[1;32mwg0\e\[0m'
wgq show | lacks $'\e'
# another program's, of which the socket alone can be seen from here
wgq show tun0 >"$work/tun0"
has 'in another network namespace, driven by a userspace program' "$work/tun0"
has 'endpoint: *192.0.2.2:51820' "$work/tun0"
# whether a handshake was sent to the one that does not answer yet, is as it comes
sed "s|$phone_public|PHONE|; /10.8.0.3/{n; /transfer:/d}; s/192.0.2.1:[0-9]*/192.0.2.1:PORT/; s/[0-9]* seconds\? ago/N seconds ago/; s/Now/N seconds ago/
	s/:  *[0-9].* received, .* sent/:             N received, N sent/; s/, driven by wgq//" "$work/text"
printf '10.8.0.9/32\n' >/etc/wireguard/wg0.conf
wgq show wg0 | has 'wg0.conf (has errors: wgq diff wg0)'
record=$(find /run/wgq -name wg0.json)
cp "$record" "$work/record"
echo damaged >"$record"
said=$(wgq show wg0 2>&1)
says 'this record is damaged'
says 'interface: wg0'
cp "$work/record" "$record"
rm /etc/wireguard/wg0.conf
wgq show wg0 | has 'wg0.conf (No such file or directory'"#,
    );
    is_golden("server.txt", &text);
}

#[test]
fn the_json_is_by_its_schema() {
    let text = host("config blue <<<'Netns = blue'\nwgq -q up blue 2>/dev/null\nwgq show --json");
    let json: Value = serde_json::from_str(&text).unwrap();
    schema::holds("show", &json);
    let interfaces = json["interfaces"].as_array().unwrap();
    let interface = |name: &str| interfaces.iter().find(|it| it["ifname"] == name).unwrap();
    assert_eq!(interface("blue")["netns"], "blue");
    let wg0 = interface("wg0");
    assert_eq!(wg0["drift"]["steps"], 0);
    assert_eq!(wg0["forwarding"]["ipv4"]["by_wgq"], true);
    assert_eq!(wg0["port_forwards"][0], "tcp/8080 -> 10.8.0.2:80");
    assert_eq!(wg0["dns"]["servers"][0], "10.8.0.1");
    let peers = wg0["peers"].as_array().unwrap();
    let names: Vec<_> = peers.iter().map(|peer| peer["name"].as_str()).collect();
    assert_eq!(
        names,
        [Some("phone"), Some("Jörg's \"tablet\" \u{202e}"), None]
    );
    assert_eq!(peers[0]["state"], "online");
    assert_eq!(peers[1]["stale"], true);
    assert_eq!(peers[1]["has_preshared_key"], true);
    assert!(!text.contains("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="));
}

#[test]
fn the_metrics_have_names_for_labels() {
    host(
        r#"wgq show --prometheus >"$work/metrics"
has -F "wireguard_received_bytes_total{interface=\"wg0\",public_key=\"$phone_public\",name=\"phone\",allowed_ips=\"10.8.0.2/32,fd42::2/128\"} " "$work/metrics"
has -F 'name="Jörg'"'"'s \"tablet\" \\u{202e}"' "$work/metrics"
has '^wgq_drift_steps{interface="wg0"} 0$' "$work/metrics""#,
    );
}

#[test]
fn what_is_not_there_is_said_with_what_to_do() {
    host(
        r#"fails 1 wgq show wg7
says "\`wg7' is not up"
says '`wgq show interfaces` names those that are'
config wg7 <<<'Address = 10.7.0.1/24'
fails 1 wgq show wg7
says 'hint: `wgq up wg7`'
fails 1 wgq show wg7 dump
says "\`wg7' is not up"
fails 1 wgq show uplink
says "\`uplink' is not a WireGuard interface"
fails 2 wgq show wg0 nonsense
fails 2 wgq show wg0 dump --json
fails 2 wgq show --json --watch
fails 2 wgq show interfaces --prometheus
fails 1 setpriv --reuid 65534 --clear-groups "$WGQ" show wg0
says 'must be run as root'
fails 1 wgq show --watch </dev/null
says '--watch needs a terminal'
# what another program has made is shown as well, with the file of its name
wgq -q down wg0 2>/dev/null
if [[ -e /dev/net/tun ]]; then (exec -a wgq "$WGQ" userspace wg7) </dev/null >/dev/null 2>&1 & else ip link add wg7 type wireguard; fi
until wg show wg7 >/dev/null 2>&1; do sleep 0.02; done
wgq show wg7 | has 'wg7.conf (differs in [0-9]* steps: wgq diff wg7)'
rm /etc/wireguard/wg7.conf
wgq show wg7 | lacks ' file:'"#,
    );
}

#[test]
fn the_live_table_ends_with_the_terminal_as_it_was() {
    let screens = host(
        r#"export LC_ALL=C.UTF-8
terminal() { tmux -L show -f /dev/null "$@"; }
terminal new-session -d -x 100 -y 16 'bash --norc --noprofile'
trap 'tmux -L show kill-server || true' EXIT
screen() { terminal capture-pane -p; }
# shows PATTERN: sooner or later the screen does
shows() { for _ in {1..100}; do if screen | has "$1"; then return 0; fi; sleep 0.1; done; printf 'not shown: %s\n' "$1"; screen; return 1; }
watch() {
	terminal send-keys "clear; stty -g >$work/tty; $WGQ show wg0 --watch=0.3; echo ended \$?; stty -g | cmp - $work/tty && echo as before" Enter
	shows 'q to quit'
}
masked() {
	screen | perl -CSD -pe '
		if (/received, /) { s|, \S+ \S*B/s received, \S+ \S*B/s sent|, N B/s received, N B/s sent|; next }
		s|( +\S+ \S*B/s)(?= )| " " x (length($1) - 1) . "-"|ge;
		s|( +[\d.]+ (?:[KMG]i)?B)(?= )| " " x (length($1) - 3) . "N B"|ge;
		s|( +\d+s)(?= )| " " x (length($1) - 2) . "Ns"|ge;
		s|192.0.2.1:\d+|192.0.2.1:PORT|; s| +$||'
}
watch
shows '1 of 3 peers online'
terminal resize-window -x 140 -y 9
shows ENDPOINT
masked
terminal resize-window -x 60 -y 6
shows 'and 2 more'
masked
terminal resize-window -x 100 -y 16
for end in q C-c; do
	[[ $end == q ]] || watch
	terminal send-keys $end
	shows '^ended 0'
	shows '^as before'
	screen | lacks 'q to quit'
done
for signal in TERM HUP INT; do
	watch
	kill -$signal "$(pgrep -f 'show wg0 --watch=0.3$' | head -n1)"
	shows "^ended $([[ $signal == INT ]] && echo 0 || echo 1)"
	shows '^as before'
	screen | lacks 'q to quit'
done
watch
wgq -q down wg0 2>/dev/null
shows 'no WireGuard interface is up'
terminal send-keys q
shows '^ended 0'"#,
    );
    is_golden("watch.txt", &screens);
}
