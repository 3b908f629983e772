//! `wgq apply` while packets are on their way: of those of a peer that the file says nothing new of none is lost, and no
//! session begins anew. Each test is a script that begins with tests/engine/prelude.sh, foreign.sh, peers.sh and traffic.sh.

use crate::script;

const FOREIGN: &str = include_str!("../engine/foreign.sh");
const PEERS: &str = include_str!("../engine/peers.sh");
const STREAM: &str = include_str!("../engine/stream.pl");
const TRAFFIC: &str = include_str!("../engine/traffic.sh");

/// Runs a script on a server through which a client has traffic. What it prints is shown with `--nocapture`.
fn busy_server(script: &str) {
    let stream = format!("STREAM=$(cat <<'END_OF_STREAM'\n{STREAM}END_OF_STREAM\n)");
    let output = script::host(&format!(
        "{FOREIGN}\n{PEERS}\n{stream}\n{TRAFFIC}\n{script}"
    ));
    print!("{output}");
}

#[test]
fn a_thousand_peers_are_changed_and_one_that_is_not_loses_nothing() {
    busy_server(
        r#"# file MTU MASQUERADE DNS ALLOWEDIPS ALLOWEDIPS NUMBER: the client and 999 others: those of two, and the last
file() {
	keys "MTU = $1" "Masquerade = $2" "DNS = $3"
	{ peer 1 "$4"; peer 2 "$5"; peers 3 998; peers $6 $6; } >>/etc/wireguard/wg0.conf
	cat /etc/wireguard/wg0.conf
}
file 1380 yes 192.0.2.54 '10.8.0.5/32, 10.9.0.0/16' '10.8.0.6/32, 10.10.0.0/16, 10.11.0.0/16' 999 >"$work/this"
file 1420 uplink 192.0.2.55 '10.8.0.5/32, 10.11.0.0/16, 10.12.0.0/16' '10.8.0.6/32, 10.10.0.0/16' 1000 >"$work/that"
follow this up
begin
[[ $(wg show wg0 peers | wc -l) == 1000 ]]
traffic 4
nothing_lost # which is so without `apply`
received=$(received)

# all that can differ does
put that
said=$(wgq --dry-run apply wg0)
for step in 'nft -f' "peer $(peer_key 1) allowed-ips +10.11.0.0/16,+10.12.0.0/16,-10.9.0.0/16" \
	"peer $(peer_key 1000) allowed-ips 10.100.4.0/32" "peer $(peer_key 999) remove" 'mtu 1420' 'route add 10.12.0.0/16' \
	'route delete 10.9.0.0/16' 192.0.2.55; do
	says "$step"
done
begin
traffic 8
back_and_forth that this
nothing_lost
same_session
(($(received) > received))

# a segment that has become too large on its way is the one thing that goes twice, and once
follow that
begin
traffic 4
back_and_forth this that
nothing_lost 30
same_session

# and what is looked at would tell
begin
traffic 4
wgq -q down wg0
wgq -q up wg0
not nothing_lost
lacks ' 0% packet loss' "$work/ping.10.8.0.1"
not same_session"#,
    );
}

#[test]
fn a_peer_that_loses_some_of_its_prefixes_goes_on_with_the_others() {
    busy_server(
        r#"client_peer=$(wg pubkey <<<"$client_private")
some() { seq -f "10.60.%g.0/24" "$1" "$2" | paste -sd,; }
keys 'Masquerade = yes'
cp /etc/wireguard/wg0.conf "$work/few"
sed "s|^AllowedIPs.*|&, $(some 0 99)|" "$work/few" >"$work/this"
sed "s|^AllowedIPs.*|&, $(some 50 149)|" "$work/few" >"$work/that"
follow few up
begin
traffic 6
back_and_forth this few that
nothing_lost
same_session
follow this
[[ $(wg show wg0 allowed-ips | grep "$client_peer" | grep -o 10.60 | wc -l) == 100 ]]
[[ $(wg show wg0 peers) == "$client_peer" ]] # nobody who carried them away"#,
    );
}
