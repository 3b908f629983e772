//! `wgq apply` and `wgq diff` on the machine's own kernel, in network namespaces, with the embedded WireGuard where the
//! kernel has none. Each test is a script on a host of its own, which begins with tests/engine/prelude.sh.
//!
//! Needs root, or a user namespace in which one is root.

#![allow(missing_docs, reason = "a test")]

mod script;

/// The file is the script's to change, a process may be another one, and the kernel's own routes come when they like.
const FILES: &str = r#"eval "$(declare -f snapshot | sed '1s/snapshot/whole_snapshot/')"
snapshot() { touch -d @0 /etc/wireguard/*.conf; whole_snapshot | sed 's/^[0-9]* wgq userspace/wgq userspace/; s/ nodad//; /table local proto kernel metric 0 /d'; }
"#;

fn host(script: &str) {
    script::host(&format!("{FILES}{script}"));
}

/// A full tunnel with everything that leaves traces.
const FULL_TUNNEL: &str = r"config wg0 <<END
Address = 10.8.0.2/24, fd00::2/64
DNS = 10.8.0.1, example.com
KillSwitch = yes
Masquerade = yes
[Peer]
PublicKey = $peer1
Endpoint = 192.0.2.1:51820
AllowedIPs = 0.0.0.0/0, ::/0
END
remember
wgq -q up wg0
snapshot >$work/up
";

/// Runs a script on a host with that full tunnel.
fn full_tunnel(script: &str) {
    host(&format!("{FULL_TUNNEL}{script}"));
}

#[test]
fn an_unchanged_file_gives_no_steps() {
    full_tunnel(
        r#"fails 0 wgq apply wg0
says 'wg0: nothing to do, it is what the file says'
[[ $said != *'[#]'* ]]
port=$(wg show wg0 listen-port)
fails 0 wgq diff wg0
[[ ! $said ]]
fails 0 wgq --dry-run apply wg0
[[ ! $said ]]
same $work/up
fails 0 wgq reload wg0
[[ $(wg show wg0 listen-port) == "$port" ]]
wgq -q down wg0
same"#,
    );
}

#[test]
fn what_others_took_away_comes_back() {
    full_tunnel(
        r#"ip rule delete pref 32765
ip -6 rule delete pref 32764
nft delete table inet wgq-wg0
ip address delete fd00::2/64 dev wg0
ip route flush table 51820
ip link set wg0 mtu 1300
sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.src_valid_mark=0
wg set wg0 peer $peer2 allowed-ips 10.8.0.9/32
wg set wg0 fwmark 7
fails 1 wgq diff wg0
for step in 'nft -f' 'ip -4 rule add not fwmark 0xca6c table 51820 priority 32765' 'ip -6 rule add table main suppress' \
	'ip -6 address add fd00::2/64' 'ip -4 route add 0.0.0.0/0' 'mtu 1420' 'net.ipv4.ip_forward=1' "peer $peer2 remove" \
	'wg set wg0 fwmark 0xca6c'; do
	says "$step"
done
wgq -q apply wg0
same $work/up
fails 0 wgq diff wg0
wgq -q down wg0
same"#,
    );
}

#[test]
fn a_link_that_is_gone_or_was_made_anew_is_put_right() {
    full_tunnel(
        r"ip link delete wg0
until [[ ! $(pgrep -f '^wgq userspace') ]]; do sleep 0.05; done
sleep 0.2
wgq -q apply wg0
same $work/up
ip link delete wg0
until [[ ! $(pgrep -f '^wgq userspace') ]]; do sleep 0.05; done
sleep 0.2
if [[ -e /dev/net/tun ]]; then (exec -a wgq $WGQ userspace wg0) </dev/null >/dev/null 2>&1 & else ip link add wg0 type wireguard; fi
until wg show wg0 >/dev/null 2>&1; do sleep 0.02; done
wgq -q apply wg0
same $work/up
wgq -q down wg0
same",
    );
}

#[test]
fn an_interface_that_is_not_up_is_brought_up_and_its_hooks_wait() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.1/24
PreUp = echo pre-up >>$work/log
PostUp = echo post-up >>$work/log
PreDown = echo pre-down >>$work/log
PostDown = echo post-down >>$work/log
END
: >"$work/log"
remember
fails 1 wgq diff wg0
fails 0 wgq apply wg0
says 'wg0 is up, but its hooks were not run: that takes --hooks'
[[ ! $(<"$work/log") ]]
wgq -q apply --hooks wg0
[[ $(xargs <"$work/log") == 'pre-down post-down pre-up post-up' ]]
wgq -q apply wg0
[[ $(wc -l <"$work/log") == 4 ]]
wgq -q down wg0
[[ $(tail -n2 "$work/log" | xargs) == 'pre-down post-down' ]]
same"#,
    );
}

#[test]
fn what_hooks_have_made_stays() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.1/24
Table = off
PreUp = ip address add 10.7.0.1/24 dev %i
PostUp = ip route add 10.5.0.0/16 dev %i; wg set %i fwmark 0x77 peer $peer2 allowed-ips 10.5.0.0/16
[Peer]
PublicKey = $peer1
AllowedIPs = 10.8.0.2/32
END
remember
wgq -q up wg0
snapshot >"$work/up"
fails 0 wgq diff wg0
[[ ! $said ]]
sed -i 's/10.8.0.2/10.8.0.3/' /etc/wireguard/wg0.conf
wgq apply wg0 2>&1 | has "^\[#\] wg set wg0 peer $peer1 allowed-ips"
same "$work/up"
wg show wg0 allowed-ips | has "$peer1.10.8.0.3/32"
[[ $(wg show wg0 fwmark) == 0x77 ]]
wg show wg0 peers | has $peer2
wgq -q down wg0
same"#,
    );
}

#[test]
fn what_a_pre_up_hook_alone_has_made_stays() {
    host(
        r"config wg0 <<END
Address = 10.8.0.1/24
PreUp = ip address add 10.7.0.1/24 dev %i
END
remember
wgq -q up wg0
fails 0 wgq diff wg0
sed -i 's/10.8.0.1/10.8.0.3/' /etc/wireguard/wg0.conf
for _ in 1 2; do
	wgq -q apply wg0
	ip -o address show dev wg0 | has 10.7.0.1/24
done
wgq -q down wg0
same",
    );
}

#[test]
fn a_changed_file_becomes_what_is() {
    full_tunnel(
        r#"cat >>/etc/wireguard/wg0.conf <<END
PersistentKeepalive = 25
PresharedKey = $(wg genpsk)
[Peer]
PublicKey = $peer2
AllowedIPs = 10.9.0.0/16
END
sed -i 's/^KillSwitch.*/ListenPort = 4444\nMTU = 1400/; s/^Masquerade.*/OpenPort = yes/; s/^DNS.*//; s/10.8.0.2.24/10.8.0.7\/24/' /etc/wireguard/wg0.conf
wgq -q apply wg0
fails 0 wgq diff wg0
[[ $(wg show wg0 listen-port) == 4444 ]]
ip link show wg0 | has 'mtu 1400'
wg show wg0 persistent-keepalive | has "$peer1.25"
wg show wg0 preshared-keys | lacks "$peer1.(none)"
ip route show dev wg0 | has 10.9.0.0/16
ip -o address show dev wg0 | lacks 10.8.0.2/
ip -4 route show table 51820 | has default
sysctl -n net.ipv4.ip_forward | has 0
cat /etc/resolv.conf | has 192.0.2.53
nft list ruleset | lacks 'KillSwitch\|Masquerade'
# the same as one that comes up so
snapshot >"$work/applied"
wgq -q down wg0
same
wgq -q up wg0
same "$work/applied"
# and no full tunnel any more: its mark goes, too
sed -i 's|^AllowedIPs = 0.*|AllowedIPs = 10.8.0.0/24|' /etc/wireguard/wg0.conf
wgq -q apply wg0
[[ $(wg show wg0 fwmark) == off ]]
ip rule | lacks 51820
wgq -q down wg0
same"#,
    );
}

#[test]
fn a_learned_endpoint_stays_until_the_file_names_another() {
    full_tunnel(
        r"wg set wg0 peer $peer1 endpoint 192.0.2.7:7 # as if it had moved
fails 0 wgq apply wg0
says 'nothing to do'
sed -i 's/^Endpoint.*/Endpoint = 192.0.2.9:51820/' /etc/wireguard/wg0.conf
wgq -q apply wg0
wg show wg0 endpoints | has 192.0.2.9:51820
wgq -q down wg0
same",
    );
}

#[test]
fn peers_that_the_file_does_not_name_stay_if_that_is_asked_for() {
    full_tunnel(
        r"wg set wg0 peer $peer2 allowed-ips 10.8.0.9/32
fails 0 wgq diff --keep-peers wg0
fails 0 wgq apply --keep-peers wg0
wg show wg0 peers | has $peer2
wgq -q apply wg0
wg show wg0 peers | lacks $peer2
wgq -q down wg0
same",
    );
}

#[test]
fn what_does_not_succeed_is_undone() {
    full_tunnel(
        r#"ip link add other type veth peer name another
ip link set other up
cat >>/etc/wireguard/wg0.conf <<END
[Peer]
PublicKey = $peer2
AllowedIPs = 10.9.0.0/16
END
sed -i 's/^KillSwitch.*/ListenPort = 4444/' /etc/wireguard/wg0.conf
ip route add 10.9.0.0/16 dev other
snapshot >"$work/up"
fails 1 wgq apply wg0
says 'ip -4 route add 10.9.0.0/16 dev wg0: File exists'
says 'wg0 was rolled back: nothing was changed'
same "$work/up"
[[ $(wg show wg0 listen-port) != 4444 ]]
ip link delete other
wgq -q apply wg0
wgq -q down wg0
same"#,
    );
}

#[test]
fn what_is_not_in_order_changes_nothing() {
    full_tunnel(
        r#"cp /etc/wireguard/wg0.conf "$work/good"
echo 'AllowedIPs = 10.0.0.0/33' >>/etc/wireguard/wg0.conf
fails 1 wgq apply wg0
says 'prefix length must be 0-32'
fails 2 wgq diff wg0
fails 1 wgq apply nothing
cp "$work/good" /etc/wireguard/wg0.conf
same "$work/up"
ip link add wg1 type veth peer name other
config wg1 <<<'Address = 10.1.0.1/24'
fails 1 wgq apply wg1
says 'not a WireGuard interface but one of kind veth'
ip link delete wg1
rm /etc/wireguard/wg1.conf
wgq -q down wg0
same"#,
    );
}

#[test]
fn a_damaged_record_is_said_and_done_without() {
    full_tunnel(
        r#"record=$(find /run/wgq -name wg0.json)
echo '{' >"$record"
fails 0 wgq apply wg0
says 'this record is damaged'
same "$work/up"
fails 0 wgq apply wg0
says 'nothing to do'
wgq -q down wg0"#,
    );
}

#[test]
fn what_is_not_confirmed_in_time_is_undone() {
    full_tunnel(
        r#"sed -i 's/^KillSwitch.*/ListenPort = 4444/; s/10.8.0.2.24/10.8.0.7\/24/' /etc/wireguard/wg0.conf
fails 1 wgq apply --confirm 1s wg0
says '`wgq confirm wg0` within 1 seconds keeps this'
says 'wg0: not confirmed within 1 seconds'
says 'wg0 was rolled back: nothing was changed'
same "$work/up"
fails 1 wgq confirm wg0
says 'nothing waits to be confirmed'

# the terminal goes away
setsid bash -c '"$WGQ" -q apply --confirm 2s wg0' &
until [[ $(wg show wg0 listen-port) == 4444 ]]; do sleep 0.05; done
pkill -HUP -f 'apply --confirm 2s wg0$' || true
sleep 0.2
[[ $(wg show wg0 listen-port) == 4444 ]]
fails 1 wgq down wg0 # not under its feet
says 'another wgq is working on this interface'
until [[ $(wg show wg0 listen-port) != 4444 ]]; do sleep 0.05; done
until "$WGQ" --dry-run apply wg0 >/dev/null 2>&1 && [[ ! -e $(find /run/wgq -name wg0.confirm) ]]; do sleep 0.05; done
sleep 0.3
same "$work/up"

wgq -q apply --confirm 60s wg0 &
until [[ -S $(find /run/wgq -name wg0.confirm) && $(wg show wg0 listen-port) == 4444 ]]; do sleep 0.05; done
wgq -q confirm wg0
wait $!
[[ $(wg show wg0 listen-port) == 4444 ]]
fails 0 wgq apply --confirm 1s wg0
says 'nothing to do'
wgq -q down wg0
same"#,
    );
}

#[test]
fn steps_are_shown_as_json() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.1/24
Masquerade = yes
PostUp = wg set %i private-key <(echo $private)
PresharedKeyFile = /dev/null
END
sed -i '/PresharedKeyFile/d' /etc/wireguard/wg0.conf
remember
wgq --dry-run --json up wg0 2>/dev/null >"$work/steps"
perl -MJSON::PP -0777 -ne 'my $shown = decode_json($_); $shown->{version} == 1 && $shown->{ifname} eq "wg0" or die;
	my %action = map { $_->{action} => $_ } @{$shown->{steps}};
	$action{"add-link"}{command} =~ /^(ip link add dev|wgq userspace) wg0/ or die;
	$action{"add-address"}{command} eq "ip -4 address add 10.8.0.1/24 dev wg0" or die;
	$action{"set-nft-table"}{nftables}{nftables}[0] or die;
	$action{"run-hook"} or die;' "$work/steps"
lacks -F "$private" "$work/steps"
same
wgq -q up wg0
[[ $(wgq --json diff wg0 | perl -MJSON::PP -0777 -ne 'print scalar @{decode_json($_)->{steps}}') == 0 ]]
wgq --json --dry-run down wg0 | has delete-link
wgq -q down wg0
same"#,
    );
}

#[test]
fn without_room_for_the_record_nothing_is_changed() {
    full_tunnel(
        r#"sed -i 's/^KillSwitch.*/ListenPort = 4444/' /etc/wireguard/wg0.conf
snapshot >"$work/up"
# /run is full
small=$(mktemp -d "$work/small.XXXX")
mount -t tmpfs -o size=64k tmpfs "$small"
cp -a /run/wgq/. "$small"
mount --bind "$small" /run/wgq
cat /dev/zero >"$small/fill" 2>/dev/null || true
fails 1 wgq apply wg0
says 'wg0.json: cannot be written: No space left on device'
rm "$small/fill"
same "$work/up"
cat /dev/zero >"$small/fill" 2>/dev/null || true
wgq -q down wg0 # which writes nothing
[[ ! -e $(find /run/wgq -name wg0.json) ]]
fails 1 wgq up wg0
says 'cannot be written: No space left on device'
ip link | lacks wg0
# or read-only
rm "$small/fill"
mount -o remount,ro,bind /run/wgq
fails 1 wgq up wg0
says 'Read-only file system'
umount /run/wgq
umount "$small"
rm -rf /run/wgq
same"#,
    );
}

#[test]
fn a_disk_that_is_full_while_the_file_is_saved_costs_nothing() {
    full_tunnel(
        r#"small=$(mktemp -d "$work/small.XXXX")
mount -t tmpfs -o size=64k tmpfs "$small"
cp -a /etc/wireguard/. "$small"
mount --bind "$small" /etc/wireguard
cp /etc/wireguard/wg0.conf "$work/file"
wg set wg0 peer $peer2 allowed-ips 10.8.0.9/32
cat /dev/zero >"$small/fill" 2>/dev/null || true
fails 1 wgq save wg0
says 'No space left on device'
cmp "$work/file" /etc/wireguard/wg0.conf
[[ $(ls /etc/wireguard | xargs) == 'fill wg0.conf' ]]
rm "$small/fill"
wgq -q save wg0
has $peer2 /etc/wireguard/wg0.conf
lacks -i fwmark /etc/wireguard/wg0.conf # it was chosen, not asked for
umount /etc/wireguard
wgq -q down wg0
same"#,
    );
}

#[test]
fn what_wg_quick_brought_up_is_taken_over_with_its_session() {
    let world = include_str!("engine/world.sh");
    host(&format!(
        r#"{world}tunnel $'ListenPort = 4567\nPostUp = true'
remember
cat >"$work/device" <<'END'
#!/bin/bash
: >"/run/device.$1"
setsid "$WGQ" userspace "$1" >"/run/device.$1" 2>&1 </dev/null &
until [[ -s /run/device.$1 ]]; do sleep 0.01; done
END
chmod +x "$work/device"
export WG_QUICK_USERSPACE_IMPLEMENTATION=$work/device
wg-quick up wg0 2>/dev/null
nft list ruleset | has wg-quick-wg0
ip route add 10.66.0.0/16 dev wg0 # as by PostUp
answers ping 10.8.0.1
session=$(wg show wg0 latest-handshakes)
wgq -q apply wg0
[[ $(wg show wg0 latest-handshakes) == "$session" ]]
nft list ruleset | lacks wg-quick-wg0
ping -c3 -i0.2 -W1 10.8.0.1 >/dev/null
fails 0 wgq diff wg0
fails 0 wgq apply wg0
says 'nothing to do'
ip route show dev wg0 | has 10.66.0.0/16
ip route delete 10.66.0.0/16
snapshot >"$work/applied"
wgq -q down wg0
rm -f /run/device.wg0
sysctl -qw net.ipv4.conf.all.src_valid_mark=0 # wg-quick never does
same
wgq -q up wg0
same "$work/applied"
wgq -q down wg0
same"#
    ));
}

#[test]
fn a_peer_that_is_the_interface_itself_is_none() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.1/24
[Peer]
PublicKey = $(wg pubkey <<<"$private")
AllowedIPs = 10.9.0.0/16
END
wgq -q up wg0
fails 0 wgq diff wg0
[[ ! $(wg show wg0 peers) ]]
ip route | lacks 10.9.0.0/16
wgq -q down wg0"#,
    );
}
