//! Peers beside what else there is: full tunnels, key files, peers that others added, comments that look like ours.

use super::host;

#[test]
fn one_whose_going_changes_more_than_peers_is_cut_off_all_the_same() {
    host(
        r"server
printf '[Peer]\n# Name = exit\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0\n' $peer2 >>$file
wgq -q up wg0 2>/dev/null
fails 0 wgq peer disable exit
says 'exit is disabled in the file; more than peers changes by that, which `wgq apply wg0` does'
wg show wg0 peers | lacks $peer2
wgq -q apply wg0
fails 0 wgq diff wg0
fails 0 wgq peer enable exit
wg show wg0 peers | has $peer2
wgq -q apply wg0
fails 0 wgq peer remove exit
wg show wg0 peers | lacks $peer2",
    );
}

#[test]
fn a_preshared_key_in_a_file_stays_with_new_keys() {
    host(
        r#"server
wg genpsk >/etc/wireguard/psk
printf '[Peer]\n# Name = phone\nPublicKey = %s\nPresharedKeyFile = /etc/wireguard/psk\nAllowedIPs = 10.8.0.9/32\n' $peer2 >>$file
wgq -q up wg0 2>/dev/null
wgq -q peer rekey phone >"$work/config"
grep -qxF "PresharedKey = $(</etc/wireguard/psk)" "$work/config"
[[ $(wg show wg0 preshared-keys | awk -v key="$(listed phone)" '$1 == key {print $2}') == "$(</etc/wireguard/psk)" ]]
grep -q '^PresharedKeyFile = /etc/wireguard/psk' $file
wgq -q peer disable phone
fails 1 wgq peer rekey phone
says 'is disabled'"#,
    );
}

#[test]
fn an_address_of_a_peer_that_runs_is_not_given_again() {
    host(
        r"running
wg set wg0 peer $peer2 allowed-ips 10.8.0.3/32,fd00:8::2/128
wgq -q peer add phone >/dev/null
[[ $(address phone) == '10.8.0.4/32 fd00:8::3/128' ]]
wg show wg0 allowed-ips | grep $peer2 | has 10.8.0.3/32",
    );
}

#[test]
fn comments_that_look_like_a_disabled_peer_are_comments() {
    host(
        r"server
sed -i '/^\[Peer\]/i #-------- sites --------\n#- ask Ann' $file
fails 0 wgq peer list
lacks disabled <<<$said
wgq -q peer add phone --no-store >/dev/null
has '^#- ask Ann' $file",
    );
}

#[test]
fn a_client_with_a_split_tunnel_is_given_no_resolver_that_it_cannot_reach() {
    host(
        r"server
sed -i 's/^ListenPort/# DNS = 192.168.1.1\n&/' $file
wgq -q peer add full | has '^DNS = 192.168.1.1'
said=$(wgq peer add split --split 2>&1)
says 'keeps its own resolvers'
lacks '^DNS' <<<$said
wgq -q peer add routed --split --route 192.168.1.0/24 | has '^DNS = 192.168.1.1'
wgq -q peer add asked --split --dns 192.168.1.1 | has '^DNS = 192.168.1.1'
wgq -q peer add lan --allowed-ips 10.30.0.0/16 | has '^AllowedIPs = 10.8.0.0/24'
sed -i 's/# DNS = .*/# DNS = ask Bob/' $file
fails 1 wgq peer add other
says 'that is `# DNS` of /etc/wireguard/wg0.conf'",
    );
}

#[test]
fn a_dry_run_changes_nothing_or_is_refused() {
    host(
        r"running
wgq -q peer add phone >/dev/null
keep
fails 0 wgq --dry-run endpoint wg0 other.example.org
says 'nothing is changed'
unchanged
fails 0 wgq --dry-run init wg5 --up
says 'nothing was written'
[[ ! -e /etc/wireguard/wg5.conf && ! $(ip -br link show wg5 2>/dev/null) ]]
fails 2 wgq --dry-run peer remove phone
unchanged",
    );
}

#[test]
fn a_changed_port_is_told_with_what_clients_were_told() {
    host(
        r"running
sed -i 's/51820/51999/; s/^ListenPort.*/ListenPort = 51999/; s/com:51999/com:51820/' $file
fails 0 wgq apply wg0
says 'nobody listens there from now on: `wgq endpoint wg0 vpn.example.com:51999`'
fails 0 wgq apply wg0
lacks 'from now on' <<<$said",
    );
}

#[test]
fn hooks_that_have_changed_are_told() {
    host(
        r"running
sed -i 's/^ListenPort.*/&\nPostUp = true/' $file
fails 0 wgq apply wg0
says 'its hooks have changed, and were not run: that takes --hooks'",
    );
}

#[test]
fn a_peer_whose_time_is_over_is_not_stripped_for_wg() {
    host(
        r"server
printf '[Peer]\nPublicKey = %s\nExpires = 2020-01-01\n' $peer2 >>$file
wgq strip wg0 | lacks $peer2
wgq strip wg0 | has $peer1",
    );
}
