//! `Netns`: tunnels that live in a network namespace by name, while their UDP sockets stay in that of birth. Each test is a
//! script on a host of its own, which begins with tests/engine/prelude.sh.
//!
//! Needs root, or a user namespace in which one is root.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod script;

#[path = "netns/kernel.rs"]
mod kernel;

/// What the scripts here have beside the prelude: all of the host that a namespace may touch, without numbers that are
/// others each time.
const LOOKS: &str = r#"eval "$(declare -f snapshot | sed '1s/snapshot/whole_snapshot/')"
snapshot() {
	touch -d @0 /etc/wireguard/*.conf
	whole_snapshot | sed 's/^[0-9]* wgq userspace/wgq userspace/'
	ip netns list | sed 's/ (id.*//' | sort
	find /etc/netns /run/netns 2>/dev/null | grep -v '^/run/netns$' || true
}
# inside of the namespace `work', and what of a tunnel is there
inside() { ip netns exec work "$@"; }
inner() { inside bash -c "$(declare -f whole_snapshot); work=$work; whole_snapshot" | sed 's/^[0-9]* wgq userspace/wgq userspace/'; }
mkdir -p /etc/netns
mount -t tmpfs tmpfs /etc/netns
sysctl -qw net.ipv6.conf.default.accept_dad=0
"#;

/// A tunnel into `work` with everything that leaves traces.
const WORK: &str = r"config wg0 <<END
Address = 10.8.0.2/24, fd00::2/64
DNS = 10.8.0.1, example.com
ListenPort = 51820
Netns = work
KillSwitch = yes
Masquerade = yes
[Peer]
PublicKey = $peer1
Endpoint = 192.0.2.1:51820
AllowedIPs = 0.0.0.0/0, ::/0
END
";

fn host(script: &str) {
    script::host(&format!("{LOOKS}{script}"));
}

#[test]
fn all_of_a_tunnel_but_its_socket_is_in_the_namespace() {
    host(&format!(
        r#"{WORK}remember
wgq up wg0
ip netns list | has '^work'
inside ip -o link show lo | has LOOPBACK,UP
inside ip -o address show dev wg0 | has 10.8.0.2/24
inside ip -o address show dev wg0 | has fd00::2/64
inside ip -4 rule | has '^32765:.*not.*fwmark 0xca6c lookup 51820'
inside ip -6 route show table 51820 | has '^default dev wg0'
inside nft list ruleset | has 'table inet wgq-wg0'
[[ $(inside sysctl -n net.ipv4.ip_forward) == 1 ]]
inside ss -uln | lacks :51820
ss -uln | has :51820
printf '# written by wgq for wg0; `wgq down wg0` puts back what was here before\nnameserver 10.8.0.1\nsearch example.com\n' |
	diff - /etc/netns/work/resolv.conf
[[ $(stat -c %a /etc/netns/work /etc/netns/work/resolv.conf | xargs) == '755 644' ]]
# the host is as it was, but for files of its tunnel
snapshot | grep -v '^wgq userspace' >"$work/up"
diff "$work/before" "$work/up" >"$work/difference" || true
[[ $(sort "$work/difference" | grep '^[<>]' | xargs) == "> /etc/netns/work > /etc/netns/work/resolv.conf > /run/netns/work > /run/wgq/"*"/resolv.conf/netns-work.json"* ||
	$(grep -c '^<' "$work/difference") == 0 ]]
grep '^>' "$work/difference" | lacks -v ' /etc/netns/work\| /run/\|^> work$'
wgq down wg0
same"#
    ));
}

#[test]
fn a_peer_is_reached_from_inside_by_the_way_of_those_outside() {
    host(
        r#"ip netns add peer
ip link add way type veth peer name way netns peer
ip address add 10.99.0.1/24 dev way
ip link set way up
ip -n peer address add 10.99.0.2/24 dev way
ip -n peer link set way up
other=$(wg genkey)
config wg0 <<END
Address = 10.8.0.2/24
Netns = work
[Peer]
PublicKey = $(wg pubkey <<<"$other")
Endpoint = 10.99.0.2:51821
AllowedIPs = 0.0.0.0/0
END
cat >/etc/wireguard/wg1.conf <<END
[Interface]
PrivateKey = $other
Address = 10.8.0.1/24
ListenPort = 51821
[Peer]
PublicKey = $(wg pubkey <<<"$private")
AllowedIPs = 10.8.0.2/32
END
remember
ip netns exec peer "$WGQ" -q up wg1
wgq up wg0
inside ping -qc3 -i0.2 -W5 10.8.0.1
not inside ping -qc1 -W1 10.99.0.1 # nothing but the tunnel leads out
not ping -qc1 -W1 10.8.0.1
[[ $(inside wg show wg0 transfer | awk '{ print ($2 > 0) }') == 1 ]]
[[ $(inside ip link show wg0) == *'mtu 1420'* ]]
wgq down wg0
ip netns exec peer "$WGQ" -q down wg1
same"#,
    );
}

#[test]
fn the_path_to_a_peer_is_that_of_those_outside() {
    host(
        r#"ip link set uplink mtu 1380
ip link set outside mtu 1380
echo '192.0.2.1 vpn.example.com' >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
config wg0 <<END
Address = 10.8.0.2/24
Netns = work
[Peer]
PublicKey = $peer1
Endpoint = vpn.example.com:51820
AllowedIPs = 10.8.0.0/24
END
remember
wgq up wg0
[[ $(inside ip link show wg0) == *'mtu 1300'* ]]
inside wg show wg0 endpoints | has 192.0.2.1:51820
fails 0 wgq diff wg0
wgq down wg0
same"#,
    );
}

#[test]
fn a_namespace_that_was_there_stays_as_it_was() {
    host(&format!(
        r#"{WORK}ip netns add work
inside ip link set lo up
inside ip link add eth0 type veth peer name eth1
inside ip address add 10.50.0.1/24 dev eth0
mkdir /etc/netns/work
echo 'nameserver 192.0.2.99' >/etc/netns/work/resolv.conf
inner >"$work/inner"
remember
wgq -q up wg0
has 10.8.0.1 /etc/netns/work/resolv.conf
wgq -q down wg0
same
inner | diff "$work/inner" -
[[ $(</etc/netns/work/resolv.conf) == 'nameserver 192.0.2.99' ]]"#
    ));
}

#[test]
fn what_fails_is_undone_and_the_namespace_with_it() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.2/24
Netns = work
DNS = 10.8.0.1
PostUp = ip -br link show wg0
PostUp = false
[Peer]
PublicKey = $peer1
AllowedIPs = 0.0.0.0/0
END
remember
fails 1 wgq up wg0
says 'wg0 was rolled back'
says 'ip netns delete work'
same
ip netns add work
remember
fails 1 wgq up wg0
lacks 'ip netns delete' <<<"$said"
same
# a name that cannot be had: nothing is done
ip netns delete work
echo 'not a namespace' >/run/netns/work
remember
fails 1 wgq up wg0
says 'File exists'
same"#,
    );
}

#[test]
fn a_dry_run_makes_no_namespace() {
    host(&format!(
        r#"{WORK}remember
plan=$(wgq --dry-run up wg0)
same
[[ $(head -n1 <<<"$plan") == 'ip netns add work; ip -n work link set lo up' ]]
has '^ip link add dev wg0 netns work type wireguard\|^wgq userspace wg0 --netns work' <<<"$plan"
has '^ip -n work -4 route add 0.0.0.0/0 dev wg0 table 51820' <<<"$plan"
has '^ip netns exec work nft -f' <<<"$plan"
has '/etc/netns/work/resolv.conf$' <<<"$plan"
wgq -q up wg0
snapshot >"$work/up"
[[ $(wgq --dry-run down wg0 2>&1 | tail -n1) == 'ip netns delete work' ]]
[[ ! $(wgq --dry-run apply wg0) ]]
same "$work/up"
wgq -q down wg0
same"#
    ));
}

#[test]
fn two_tunnels_share_a_namespace_and_the_last_one_takes_it_away() {
    host(
        r"for n in 0 1; do config wg$n <<END
Address = 10.$n.0.1/24
Netns = work
DNS = 10.$n.0.2
Forward = yes
END
done
remember
for first in 0 1; do
	wgq -q up wg0
	wgq -q up wg1
	inside ip -br link | has wg0
	inside ip -br link | has wg1
	wgq -q down wg$first
	ip netns list | has work
	[[ $(inside sysctl -n net.ipv4.ip_forward) == 1 ]]
	has 10.$((1 - first)).0.2 /etc/netns/work/resolv.conf
	wgq -q down wg$((1 - first))
	same
done
# at the same time, too
for _ in 1 2 3; do
	wgq -q up wg0 & one=$!
	wgq -q up wg1 & two=$!
	wait $one; wait $two
	inside ip -br link | has wg0
	inside ip -br link | has wg1
	wgq -q down wg0 & one=$!
	wgq -q down wg1 & two=$!
	wait $one; wait $two
	same
done",
    );
}

#[test]
fn tunnels_here_and_there_do_not_count_for_each_other() {
    host(&format!(
        r#"{WORK}sed '/Netns/d; s/51820/51821/; s/wg0/wg1/' /etc/wireguard/wg0.conf >/etc/wireguard/wg1.conf
remember
wgq -q up wg1
snapshot >"$work/one"
wgq -q up wg0
inside ip -4 rule | has '^32765:.*lookup 51820'
[[ $(inside ip -4 rule | wc -l) == 5 ]]
wgq -q down wg0
same "$work/one"
wgq -q up wg0
wgq -q down wg1
[[ $(inside sysctl -n net.ipv4.ip_forward) == 1 ]]
[[ $(sysctl -n net.ipv4.ip_forward) == 0 ]]
wgq -q down wg0
same"#
    ));
}

#[test]
fn apply_follows_the_file_in_the_namespace_and_moves_nothing() {
    host(&format!(
        r#"{WORK}remember
wgq -q up wg0
fails 0 wgq diff wg0
fails 0 wgq apply wg0
says 'nothing to do'
inside ip -4 rule delete pref 32765
inside nft flush ruleset
fails 1 wgq diff wg0
says 'ip -n work -4 rule add not fwmark 0xca6c table 51820'
wgq -q apply wg0
fails 0 wgq diff wg0
sed -i 's/^KillSwitch.*/MTU = 1300/; s/10.8.0.1,/10.8.0.7,/; s/10.8.0.2.24/10.8.0.9\/24/' /etc/wireguard/wg0.conf
wgq -q apply wg0
fails 0 wgq diff wg0
inside ip -o address show dev wg0 | has 10.8.0.9/24
inside ip link show wg0 | has 'mtu 1300'
has 10.8.0.7 /etc/netns/work/resolv.conf
cp /etc/wireguard/wg0.conf "$work/file"
for line in 's/^Netns.*//' 's/^Netns.*/Netns = other/'; do
	sed "$line" "$work/file" >/etc/wireguard/wg0.conf
	fails 1 wgq apply wg0
	says "\`wg0' was brought up in the network namespace \`work'"
	says 'wgq down wg0'
	fails 1 wgq up wg0
	fails 2 wgq diff wg0
done
cp "$work/file" /etc/wireguard/wg0.conf
fails 0 wgq diff wg0
# one that is not up is brought up
wgq -q down wg0
same
wgq -q apply wg0
fails 0 wgq diff wg0
wgq -q down wg0
same
# one that runs here
sed 's/^Netns.*//' "$work/file" >/etc/wireguard/wg0.conf
wgq -q up wg0
cp "$work/file" /etc/wireguard/wg0.conf
fails 1 wgq apply wg0
says "\`wg0' was brought up in no network namespace but this one"
wgq -q down wg0
same"#
    ));
}

#[test]
fn apply_mends_a_namespace_that_was_deleted() {
    host(&format!(
        r#"{WORK}remember
wgq -q up wg0
inner >"$work/inner"
ip netns delete work
wgq -q apply wg0
inner | diff "$work/inner" -
fails 0 wgq diff wg0
wgq -q down wg0
same"#
    ));
}

#[test]
fn down_needs_neither_the_file_nor_the_namespace() {
    host(&format!(
        r#"{WORK}remember
wgq -q up wg0
mv /etc/wireguard/wg0.conf "$work"
wgq -q down wg0
same
mv "$work/wg0.conf" /etc/wireguard
wgq -q up wg0
ip netns delete work
sleep 0.5
wgq -q down wg0
same
# another one of that name is not ours
wgq -q up wg0
ip netns delete work
ip netns add work
sleep 0.5
wgq -q down wg0
ip netns list | has '^work'
ip netns delete work
same
# a record that cannot be read
wgq -q up wg0
echo '{{' >"$(find /run/wgq -name wg0.json)"
wgq -q down wg0 2>&1 | has 'this record is damaged'
ip netns list | has '^work'
inside ip -br link | lacks wg0"#
    ));
}

#[test]
fn hooks_run_inside_and_save_finds_what_is_there() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.2/24
Netns = work
PreUp = ip -br link >$work/pre-up
PostUp = ip -br link >$work/post-up; ip address add 10.7.0.1/24 dev %i
PreDown = ip -br link >$work/pre-down
PostDown = ip -br link >$work/post-down
END
: >"$work/log"
remember
wgq -q up wg0
for phase in pre-up post-up; do
	has wg0 "$work/$phase"
	lacks uplink "$work/$phase"
done
fails 0 wgq diff wg0
inside wg set wg0 peer $peer2 allowed-ips 10.8.0.9/32
wgq -q save wg0
has "$peer2" /etc/wireguard/wg0.conf
has '^Netns = work$' /etc/wireguard/wg0.conf
wgq -q down wg0
has wg0 "$work/pre-down"
lacks 'wg0\|uplink' "$work/post-down"
same"#,
    );
}

#[test]
fn a_link_of_the_name_outside_is_in_the_way() {
    host(&format!(
        r#"{WORK}ip link add wg0 type veth peer name other
remember
fails 1 wgq up wg0
says "\`wg0' exists already, outside of the file's network namespace"
same"#
    ));
}

#[test]
fn what_a_killed_one_left_is_cleared_away() {
    host(&format!(
        r#"{WORK}remember
echo 'PostUp = kill -9 $PPID' >"$work/hook"
sed -i "/^Netns/r $work/hook" /etc/wireguard/wg0.conf
wgq -q up wg0 || true
wgq -q down wg0
same
sed -i 's/^PostUp/PreUp/' /etc/wireguard/wg0.conf
wgq -q up wg0 || true
sed -i '/^PreUp/d' /etc/wireguard/wg0.conf
sleep 0.5
wgq -q apply wg0 || wgq -q apply wg0
fails 0 wgq diff wg0
wgq -q down wg0
same"#
    ));
}

#[test]
fn a_boot_without_a_down_leaves_no_servers_of_before() {
    host(&format!(
        r"{WORK}remember
wgq -q up wg0
# what is in memory is gone, and what is on disk is not
for process in $(pgrep -f '^wgq userspace'); do kill -KILL $process; done
ip link delete wg0 2>/dev/null || ip -n work link delete wg0 2>/dev/null || true
ip netns delete work
rm -rf /run/wgq /run/wireguard
wgq -q up wg0
wgq -q down wg0
rmdir /etc/netns/work # whose it was is not known any more
same"
    ));
}

#[test]
fn another_program_is_started_outside_and_its_link_moved() {
    host(&format!(
        r#"{WORK}cat >"$work/program" <<'END'
#!/bin/bash
"$WGQ" userspace "$1" </dev/null >/dev/null 2>&1 &
until [[ -S /var/run/wireguard/$1.sock && -e /sys/class/net/$1 || $((waited++)) -gt 500 ]]; do sleep 0.01; done
END
chmod +x "$work/program"
export WG_QUICK_USERSPACE_IMPLEMENTATION=$work/program
mkdir "$work/sys"
mount -t sysfs sysfs /sys # that of this network namespace
remember
wgq --dry-run up --userspace wg0 | has "^$work/program wg0; ip link set wg0 netns work"
wgq -q up --userspace wg0
inside ip -o address show dev wg0 | has 10.8.0.2/24
inside ss -uln | lacks :51820
ss -uln | has :51820
fails 0 wgq diff wg0
wgq -q down wg0
same"#
    ));
}
