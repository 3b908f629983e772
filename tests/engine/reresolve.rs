//! Endpoints that move: what `wgq reresolve` does with peers that do not answer.

use crate::host;

/// A file by which names are looked up, and a server at 192.0.2.1 that a tunnel can be made to.
const NAMES: &str = r#"trap 'echo "failed: $BASH_COMMAND (${said-})"' ERR
names() { printf '%s\n' '127.0.0.1 localhost' "$@" >"$work/hosts"; }
names
mount --bind "$work/hosts" /etc/hosts
printf 'hosts: files\n' >"$work/nsswitch"
mount --bind "$work/nsswitch" /etc/nsswitch.conf
export WG_ENDPOINT_RESOLUTION_RETRIES=0
ip netns add far
ip link set outside netns far
ip -n far link set lo up
ip -n far addr add 192.0.2.1/24 dev outside
ip -n far link set outside up
server_private=$(wg genkey)
server=$(wg pubkey <<<"$server_private")
cat >/etc/wireguard/far.conf <<END
[Interface]
PrivateKey = $server_private
ListenPort = 51820
Address = 10.8.0.1/24
[Peer]
PublicKey = $(wg pubkey <<<"$private")
AllowedIPs = 10.8.0.2/32
END
ip netns exec far "$WGQ" -q up far 2>/dev/null
# to_server [LINE]: a tunnel to it, by its name
to_server() {
	config wg0 <<END
Address = 10.8.0.2/24
[Peer]
PublicKey = $server
Endpoint = vpn.example:51820
AllowedIPs = 10.8.0.1/32
$*
END
}
# is_at ADDRESS: where the peer is
is_at() { [[ $(wg show wg0 endpoints) == *$'\t'"$1" ]] || { wg show wg0 endpoints; return 1; }; }
answers() { for _ in {1..100}; do if wg show wg0 latest-handshakes | has -P '\t[1-9]'; then return 0; fi; sleep 0.1; done; return 1; }
"#;

fn with_names(script: &str) {
    host(&format!("{NAMES}{script}"));
}

#[test]
fn a_peer_is_found_where_its_name_leads_now_and_then_left_alone() {
    with_names(
        r#"names '192.0.2.9 vpn.example'
to_server PersistentKeepalive = 1
remember
wgq up wg0
is_at 192.0.2.9:51820
said=$(wgq reresolve wg0 2>&1)
says 'wg0: no endpoint to change'
names '192.0.2.1 vpn.example'
wgq --dry-run reresolve wg0 >"$work/plan"
[[ $(cat "$work/plan") == "wg set wg0 peer $server endpoint 192.0.2.1:51820" ]]
is_at 192.0.2.9:51820
said=$(wgq reresolve wg0 2>&1)
says "[#] wg set wg0 peer $server endpoint 192.0.2.1:51820"
is_at 192.0.2.1:51820
answers
wg show wg0 >"$work/up"
names '192.0.2.9 vpn.example'
[[ ! $(wgq -q reresolve wg0 2>&1) ]]
names # nor is it looked up
[[ ! $(wgq -q reresolve wg0 2>&1) ]]
is_at 192.0.2.1:51820
ping -c1 -W5 10.8.0.1
wgq down wg0
same"#,
    );
}

#[test]
fn a_dead_address_gives_way_to_the_next() {
    with_names(
        r#"names '2001:db8::9 vpn.example' '192.0.2.1 vpn.example'
to_server PersistentKeepalive = 1
wgq up wg0
is_at '[2001:db8::9]:51820'
wgq reresolve wg0
is_at 192.0.2.1:51820
answers
wgq reresolve wg0
is_at 192.0.2.1:51820
wgq down wg0
# one that cannot be reached is not tried
ip -6 route delete default
ip -6 route flush dev uplink
wgq up wg0
is_at 192.0.2.1:51820
ip netns exec far "$WGQ" -q down far
wg set wg0 peer "$server" remove
wg set wg0 peer "$server" endpoint 192.0.2.1:51820 persistent-keepalive 1
wgq reresolve wg0
is_at 192.0.2.1:51820"#,
    );
}

#[test]
fn a_peer_that_nothing_is_sent_to_is_not_taken_for_dead() {
    with_names(
        r"names '2001:db8::9 vpn.example' '192.0.2.1 vpn.example'
to_server
wgq up wg0
said=$(wgq reresolve wg0 2>&1)
says 'whether there is anything to send to silent peers'
says 'no endpoint to change'
is_at '[2001:db8::9]:51820'
ping -q -i0.2 10.8.0.1 >/dev/null 2>&1 &
wgq reresolve wg0
is_at 192.0.2.1:51820
answers
wg show wg0 endpoints | has 192.0.2.1",
    );
}

#[test]
fn a_name_that_has_no_address_yet_gets_one_later() {
    with_names(
        r#"to_server PersistentKeepalive = 1
printf '[Peer]\nPublicKey = %s\nEndpoint = other.example:7\n' "$peer1" >>/etc/wireguard/wg0.conf
sed 's/vpn.example:51820/other.example:7/; s|10.8.0.2/24|10.9.0.2/24|' /etc/wireguard/wg0.conf >/etc/wireguard/wg1.conf
remember
wgq up --ignore-unresolved wg0
wgq -q up --ignore-unresolved wg1
wg show wg0 endpoints | lacks ':'
fails 1 wgq reresolve wg0
says "wg0.conf:6:12: Endpoint: \`vpn.example:51820': "
says " 6 | Endpoint = vpn.example:51820"
says "wg0.conf:11:12: Endpoint: \`other.example:7': "
names '192.0.2.1 vpn.example'
fails 1 wgq reresolve # wg0 and wg1: what can be set is
says "wg0.conf:11:12: Endpoint: \`other.example:7': "
says "wg1.conf:6:12: Endpoint: \`other.example:7': "
says "[#] wg set wg0 peer $server endpoint 192.0.2.1:51820"
wg show wg0 endpoints | has 192.0.2.1:51820
answers
wgq down wg0
wgq down wg1
same"#,
    );
}

#[test]
fn reresolve_changes_nothing_else() {
    with_names(
        r#"names '192.0.2.9 vpn.example'
to_server PersistentKeepalive = 1
fails 1 wgq reresolve wg0
says "\`wg0' is not up"
wgq reresolve # there is nothing to do
wgq up wg0
names '192.0.2.1 vpn.example'
# another wgq is at work
mkfifo "$work/held"
flock /run/wgq/wg0.lock cat "$work/held" &
until [[ -e /run/wgq/wg0.lock ]]; do sleep 0.02; done
fails 1 wgq reresolve wg0
says "wg0: another wgq is working on this interface"
echo >"$work/held"
wait
# a peer that was removed does not come back, and one without a name is not looked at
wg set wg0 peer "$server" remove
wg set wg0 peer "$peer1" endpoint 192.0.2.7:1
wgq reresolve wg0
[[ $(wg show wg0 endpoints) == "$peer1"$'\t'192.0.2.7:1 ]]
wgq -q down wg0
# what runs after standard input cannot be looked up again
wgq up - --name wg7 </etc/wireguard/wg0.conf
fails 1 wgq reresolve wg7
says "\`wg7' was brought up from standard input"
wgq reresolve"#,
    );
}

#[test]
fn a_resolver_that_is_silent_does_not_hold_up_the_interface() {
    with_names(
        r#"printf 'hosts: dns\n' >"$work/nsswitch"
ip -n far addr add 192.0.2.53/24 dev outside
ip netns exec far nft 'table inet silent { chain input { type filter hook input priority 0; udp dport 53 drop; }; }'
to_server
start=$SECONDS
said=$(wgq up --ignore-unresolved wg0 2>&1)
says "\`vpn.example:51820': no answer within 2 seconds; leaving this peer without endpoint"
((SECONDS - start < 5))
wg show wg0 | has "peer: $server""#,
    );
}

#[test]
fn a_dead_full_tunnel_is_found_by_asking_past_it() {
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vm/lab/dns-server");
    with_names(&format!(
        r#"printf 'hosts: files dns\n' >"$work/nsswitch"
ip -n far addr add 192.0.2.53/24 dev outside
to_server PersistentKeepalive = 1
sed -i 's|^AllowedIPs.*|AllowedIPs = 0.0.0.0/0|; s|^Address.*|&\nDNS = 10.8.0.1\nKillSwitch = yes|' /etc/wireguard/wg0.conf
remember
wgq up --ignore-unresolved wg0
has '^nameserver 10.8.0.1' /etc/resolv.conf
fails 1 wgq reresolve wg0
says "vpn.example:51820': "
ip netns exec far {server} 192.0.2.53=192.0.2.1 &
until [[ $(ip netns exec far ss -Hlun 'sport = 53') ]]; do sleep 0.02; done
wgq reresolve wg0
is_at 192.0.2.1:51820
answers
ping -c1 -W5 10.8.0.1
wgq down wg0
same"#
    ));
}
