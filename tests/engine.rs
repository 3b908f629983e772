//! The whole command on the machine's own kernel, in network namespaces, with the embedded WireGuard where the kernel has
//! none: up, down, and everything that can go wrong between them. Each test is a script on a host of its own, which begins
//! with tests/engine/prelude.sh.
//!
//! Needs root, or a user namespace in which one is root.

#![allow(missing_docs, reason = "a test")]

mod script;

#[path = "engine/dns.rs"]
mod dns;
#[path = "engine/files.rs"]
mod files;
#[path = "engine/hooks.rs"]
mod hooks;
#[path = "engine/reresolve.rs"]
mod reresolve;

use script::host;

/// The file of a full-tunnel client with everything that leaves traces.
const FULL_TUNNEL: &str = r"config wg0 <<END
Address = 10.8.0.2/24, fd00::2/64
DNS = 10.8.0.1, example.com
[Peer]
PublicKey = $peer1
Endpoint = 192.0.2.1:51820
AllowedIPs = 0.0.0.0/0, ::/0
END
";

#[test]
fn a_server_goes_up_and_down_and_leaves_nothing() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.1/24, fd00::1/64
ListenPort = 51820
[Peer]
PublicKey = $peer1
AllowedIPs = 10.8.0.2/32, fd00::2/128
[Peer]
PublicKey = $peer2
AllowedIPs = 10.8.0.3/32, 192.168.7.0/24
END
remember
wgq up wg0
[[ $(wg show wg0 listen-port) == 51820 ]]
[[ $(wg show wg0 allowed-ips | wc -l) == 2 ]]
ip route show dev wg0 | has 192.168.7.0/24
ip route show dev wg0 | lacks 10.8.0.2 # the address's own route covers it
wgq down wg0
same
fails 1 wgq down wg0
says "\`wg0' is not up""#,
    );
}

#[test]
fn a_full_tunnel_goes_up_and_down_and_leaves_nothing() {
    host(&format!(
        r"{FULL_TUNNEL}remember
wgq up wg0
for family in -4 -6; do
	ip $family rule | has '^32764:.*suppress_prefixlength 0'
	ip $family rule | has '^32765:.*not.*fwmark 0xca6c lookup 51820'
	ip $family route show table 51820 | has '^default dev wg0'
done
ip route get 198.51.100.1 | has 'dev wg0'
ip route get 198.51.100.1 mark 0xca6c | has 'dev uplink'
ip route get 192.0.2.77 | has 'dev uplink' # the LAN is exempt
[[ $(sysctl -n net.ipv4.conf.all.src_valid_mark) == 1 ]]
nft list table inet wgq-wg0 | has 'fib saddr type != local drop'
has '^nameserver 10.8.0.1' /etc/resolv.conf
wgq down wg0
same"
    ));
}

#[test]
fn a_config_can_come_from_standard_input() {
    host(
        r"config wg0 <<<'Address = 10.8.0.1/24'
remember
wgq up - --name wg7 </etc/wireguard/wg0.conf
ip -o addr show dev wg7 | has 10.8.0.1/24
wgq down wg7
same",
    );
}

#[test]
fn down_needs_neither_the_file_nor_the_link() {
    host(&format!(
        r#"{FULL_TUNNEL}remember
wgq up wg0
mv /etc/wireguard/wg0.conf "$work"
wgq down wg0
same
mv "$work/wg0.conf" /etc/wireguard
wgq up wg0
ip link delete wg0
sleep 0.5
wgq down wg0
same"#
    ));
}

#[test]
fn a_name_alone_is_the_file_that_up_used() {
    host(
        r#"log=$work/log
config wg0 <<<"PostDown = echo installed >>$log"
cp /etc/wireguard/wg0.conf "$work/original"
mkdir "$work/here"
sed 's/installed/here/; $a SaveConfig = true' /etc/wireguard/wg0.conf >"$work/here/wg0.conf"
remember
for save in save down; do
	(cd "$work/here" && wgq up ./wg0.conf)
	wg set wg0 peer $peer1 allowed-ips 10.8.0.9/32
	said=$(wgq $save wg0 2>&1)
	says "warning: wg0 was brought up from $work/here/wg0.conf, not from /etc/wireguard/wg0.conf: going by the former"
	has $peer1 "$work/here/wg0.conf"
	sed -i '/Peer/,$d' "$work/here/wg0.conf"
	[[ $save == down ]] || wgq down wg0
done
diff "$work/original" /etc/wireguard/wg0.conf

wgq up "$work/here/wg0.conf"
said=$(wgq down /etc/wireguard/wg0.conf 2>&1) # a file is meant when it is named
says "not from /etc/wireguard/wg0.conf: going by /etc/wireguard/wg0.conf"

wgq up "$work/here/wg0.conf"
rm "$work/here/wg0.conf"
said=$(wgq down wg0 2>&1)
says "going by what is remembered of it"

sed s/installed/stdin/ /etc/wireguard/wg0.conf | wgq up - --name wg0
fails 1 wgq save wg0
says "\`wg0' was brought up from standard input, which cannot be saved to"
said=$(wgq down wg0 2>&1)
says "wg0 was brought up from standard input, not from /etc/wireguard/wg0.conf: going by what is remembered of it"

cd /etc/wireguard
wgq up ./wg0.conf
said=$(wgq down wg0 2>&1)
[[ $said != *warning* ]]
[[ $(tr '\n' ' ' <$log) == 'here here installed here stdin installed ' ]]
same"#,
    );
}

#[test]
fn hooks_run_where_wg_quick_runs_them_and_with_their_text() {
    host(
        r#"log=$work/log
config wg0 <<END
Address = 10.8.0.1/24
PreUp = echo "1 %i; # no comment" >>$log; ip -o link show %i | grep -c DOWN >/dev/null
PostUp = echo '2 \\\\n' >>$log; pwd >>$log
PostUp = [[ \$INTERFACE == wg0 && \$CONFIG_FILE == /etc/wireguard/wg0.conf ]] && echo 3 >>$log
PreDown = ip -o link show %i | grep -c UP >/dev/null && echo 4 >>$log
PostDown = ! ip link show %i 2>/dev/null && echo 5 >>$log
END
cd /usr
remember
wgq up wg0
wgq down wg0
diff "$log" - <<'END'
1 wg0; # no comment
2 \\n
/usr
3
4
5
END
same"#,
    );
}

#[test]
fn what_a_pre_up_hook_puts_on_the_link_stays() {
    host(
        r#"config wg0 <<END
Address = 10.8.0.1/24
PreUp = wg set %i peer $peer2 allowed-ips 172.16.0.0/12
[Peer]
PublicKey = $peer1
AllowedIPs = 10.0.0.0/8
END
sed -i '/PrivateKey/d; s/^PreUp/PreUp = wg set %i private-key <(echo $0)\nPreUp/' /etc/wireguard/wg0.conf
sed -i "s#echo \$0#echo $private#" /etc/wireguard/wg0.conf
remember
wgq up wg0
[[ $(wg show wg0 private-key) == "$private" ]]
[[ $(wg show wg0 peers | wc -l) == 2 ]]
ip route show dev wg0 | has 172.16.0.0/12
wgq down wg0
same"#,
    );
}

#[test]
fn a_failed_step_leaves_the_host_as_it_was() {
    host(
        r"ip route add 10.9.0.0/16 dev outside
config wg0 <<END
Address = 10.8.0.1/24
[Peer]
PublicKey = $peer1
AllowedIPs = 10.9.0.0/16, 0.0.0.0/0
END
remember
fails 1 wgq up wg0
says 'wgq: ip -4 route add 10.9.0.0/16 dev wg0: File exists (os error 17)'
says 'wgq: hint: `ip -4 route show 10.9.0.0/16 table main` shows who has this route'
says 'wgq: wg0 was rolled back: nothing was changed'
same",
    );
}

#[test]
fn a_failed_hook_undoes_what_went_before_with_its_counterparts() {
    host(
        r"log=$work/log
config wg0 <<END
Address = 10.8.0.1/24
PostUp = touch $log.up
PostUp = exit 42
PostUp = echo never >>$log
PreDown = echo predown >>$log
PostDown = rm $log.up; echo postdown >>$log
END
remember
fails 1 wgq up wg0
says 'wgq: PostUp: exit 42: exit status 42'
says 'as far as PreDown and PostDown undo it'
[[ $(tr '\n' ' ' <$log) == 'predown postdown ' && ! -e $log.up ]]
same",
    );
}

#[test]
fn a_failing_hook_does_not_keep_a_tunnel_up() {
    host(
        r"config wg0 <<END
Address = 10.8.0.1/24
PreDown = exit 7
PostDown = exit 8
END
remember
wgq up wg0
fails 3 wgq down wg0
says 'exit 7: exit status 7'
says 'exit 8: exit status 8'
same",
    );
}

#[test]
fn a_signal_at_any_moment_of_up_leaves_the_host_as_it_was() {
    host(&format!(
        r#"{FULL_TUNNEL}remember
RANDOM=1
for signal in INT TERM HUP INT TERM HUP INT TERM HUP INT TERM HUP; do
	setsid env --default-signal=INT "$WGQ" up wg0 2>"$work/said" & # a shell has what it runs so ignore SIGINT
	sleep 0.0$((RANDOM % 60))
	kill -$signal $! 2>/dev/null || true
	status=0
	wait $! || status=$?
	case $status in
	0) wgq -q down wg0 ;;
	1) has "interrupted by SIG$signal" "$work/said" || {{ cat "$work/said"; exit 1; }} ;;
	*) ((status > 128)) ;; # it came before anything was begun
	esac
	same
done"#
    ));
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    host(
        r#"config wg0 <<'END'
Address = 10.8.0.1/24
PreUp = kill -$SIGNAL $PPID
END
remember
for SIGNAL in HUP INT; do
	export SIGNAL
	fails 1 env --default-signal=INT "$WGQ" up wg0
	says "interrupted by SIG$SIGNAL"
	same
	(trap '' $SIGNAL; wgq up wg0)
	wgq down wg0
	same
done"#,
    );
}

#[test]
fn after_sigkill_at_any_moment_of_up_down_leaves_nothing() {
    host(&format!(
        r#"{FULL_TUNNEL}remember
RANDOM=2
for i in {{1..25}}; do
	setsid "$WGQ" up wg0 2>/dev/null &
	sleep 0.0$((RANDOM % 60))
	kill -KILL $! 2>/dev/null || true
	wait $! || true
	wgq -q down wg0 || [[ $? == 1 ]] # 1: it came to nothing
	same
done"#
    ));
}

#[test]
fn up_takes_over_what_a_killed_up_left() {
    host(&format!(
        r"{FULL_TUNNEL}remember
wgq up wg0
ip link delete wg0 # as after a crash: rules, table, record and resolv.conf are still there
sleep 0.3
wgq up wg0
[[ $(ip -4 rule | grep -c 51820) == 1 ]]
ip route get 198.51.100.1 | has 'dev wg0'
wgq down wg0
same"
    ));
}

#[test]
fn of_two_at_once_one_wins_and_the_other_says_so() {
    host(
        r"config wg0 <<END
Address = 10.8.0.1/24
PreUp = sleep 3
END
remember
wgq up wg0 &
sleep 0.2
fails 1 wgq up wg0
says 'wg0: another wgq is working on this interface'
wait $!
wgq down wg0
same",
    );
}

#[test]
fn of_two_full_tunnels_the_other_still_works() {
    host(&format!(
        r#"{FULL_TUNNEL}config wg1 <<END
Address = 10.9.0.2/24
[Peer]
PublicKey = $peer2
Endpoint = 192.0.2.7:51820
AllowedIPs = 0.0.0.0/0
END
remember
wgq up wg0
snapshot >"$work/first"
wgq up wg1
ip route get 198.51.100.1 | has 'dev wg1'
# neither tunnel's own packets go into the other
for mark in $(wg show all fwmark | cut -f2); do
	ip route get 192.0.2.7 mark $mark | has 'dev uplink'
	ip route get 198.51.100.1 mark $mark | has 'dev uplink'
done
wgq down wg1
same "$work/first"
wgq up wg1
wgq down wg0
ip route get 198.51.100.1 | has 'dev wg1'
ip route get 192.0.2.77 | has 'dev uplink'
[[ $(sysctl -n net.ipv4.conf.all.src_valid_mark) == 1 ]]
wgq down wg1
same"#
    ));
}

/// A second full tunnel beside [`FULL_TUNNEL`], with a resolver of its own.
const SECOND_FULL_TUNNEL: &str = r"config wg1 <<END
Address = 10.9.0.2/24
DNS = 10.9.0.1
[Peer]
PublicKey = $peer2
Endpoint = 192.0.2.7:51820
AllowedIPs = 0.0.0.0/0
END
";

#[test]
fn two_full_tunnels_at_the_very_same_time_come_and_go_as_one_after_the_other() {
    host(&format!(
        r"{FULL_TUNNEL}{SECOND_FULL_TUNNEL}remember
for i in {{1..12}}; do
	wgq -q up wg0 & first=$!
	wgq -q up wg1
	wait $first
	[[ $(ip -4 rule | grep 'not.*fwmark' | cut -d: -f1 | sort -u | wc -l) == 2 ]]
	[[ $(ip -4 rule | grep -o 'lookup 518..' | sort -u | wc -l) == 2 ]]
	[[ $(wg show all fwmark | cut -f2 | sort -u | wc -l) == 1 ]]
	[[ $(sysctl -n net.ipv4.conf.all.src_valid_mark) == 1 ]]
	wgq -q down wg0 & first=$!
	wgq -q down wg1
	wait $first
	same
done"
    ));
}

#[test]
fn a_tunnel_that_is_rolled_back_leaves_what_another_needs_by_now() {
    host(&format!(
        r#"{FULL_TUNNEL}{SECOND_FULL_TUNNEL}sed -i '2i PostUp = "$WGQ" up wg1; exit 1' /etc/wireguard/wg0.conf
remember
fails 1 wgq up wg0
says 'as far as PreDown and PostDown undo it'
[[ $(sysctl -n net.ipv4.conf.all.src_valid_mark) == 1 ]]
ip route get 198.51.100.1 | has 'dev wg1'
wgq down wg1
same"#
    ));
}

#[test]
fn what_another_tunnel_left_to_this_one_is_put_back_by_it() {
    host(&format!(
        r#"{FULL_TUNNEL}{SECOND_FULL_TUNNEL}cp /etc/wireguard/wg0.conf "$work"
sed -i '2i PreUp = "$WGQ" up wg1; "$WGQ" down wg1' /etc/wireguard/wg0.conf
remember
wgq up wg0
[[ $(sysctl -n net.ipv4.conf.all.src_valid_mark) == 1 ]]
wgq down wg0
same
sed '2i PostUp = "$WGQ" down wg1; exit 1' "$work/wg0.conf" >/etc/wireguard/wg0.conf
remember
wgq up wg1
fails 1 wgq up wg0
says 'as far as PreDown and PostDown undo it'
same"#
    ));
}

#[test]
fn a_hook_may_bring_another_tunnel_up_or_down() {
    host(&format!(
        r#"{FULL_TUNNEL}{SECOND_FULL_TUNNEL}sed -i '2i PreUp = "$WGQ" up wg1\nPostDown = "$WGQ" down wg1' /etc/wireguard/wg0.conf
config wg2 <<<'PostUp = "$WGQ" up wg0
PreDown = "$WGQ" down wg0'
remember
wgq up wg2
ip route get 198.51.100.1 | has 'dev wg0'
wgq down wg2
same"#
    ));
}

/// Network namespaces have the files of /run in common, and each its own tunnels.
#[test]
fn tunnels_of_two_network_namespaces_have_nothing_to_do_with_each_other() {
    host(&format!(
        r#"{FULL_TUNNEL}ip netns add other
there() {{ ip netns exec other "$WGQ" "$@" 2>&1; }}
remember
wgq up wg0
snapshot >"$work/up"
said=$(there --dry-run up wg0)
says 'table 51820 priority 32765' # and not the next ones, as beside a tunnel here
said=$(there down wg0) && exit 1
says "\`wg0' is not up"
said=$(there up wg0 --userspace) && exit 1
same "$work/up"
wgq down wg0
same"#
    ));
}

/// The UDP port is free when `down` has ended.
#[test]
fn down_and_up_again_have_the_same_port() {
    host(
        r"config wg0 <<'EOF'
Address = 10.0.0.1/24
ListenPort = 5555
EOF
for _ in {1..20}; do
	wgq -q up wg0 --userspace
	wgq -q down wg0
done",
    );
}

#[test]
fn whoever_waits_for_another_wgq_says_so_and_can_be_stopped() {
    host(&format!(
        r#"{FULL_TUNNEL}{SECOND_FULL_TUNNEL}set -m # no SIGINT ignored
# hold SECONDS: holds what wgq locks
hold() {{
	flock -o /run/wgq/.lock sleep $1 & holder=$!
	while flock -n /run/wgq/.lock true; do sleep 0.02; done
}}
remember
mkdir -p /run/wgq
hold 1.5
said=$(wgq up wg0 2>&1)
says 'wgq: waiting for another wgq'
wait $holder || true
for command in 'up wg1' 'down wg0'; do
	snapshot >"$work/up"
	hold 10
	"$WGQ" $command 2>"$work/said" & waiting=$!
	sleep 0.8
	kill -INT $waiting
	status=0
	wait $waiting || status=$?
	said=$(<"$work/said")
	[[ $status == 1 ]]
	says 'wgq: waiting for another wgq'
	says 'interrupted by SIGINT'
	says 'wgq: nothing was changed'
	kill $holder
	wait $holder || true
	rm /run/wgq/.lock
	same "$work/up"
done
wgq down wg0
same"#
    ));
}

#[test]
fn without_ipv6_its_parts_are_skipped_with_a_warning() {
    host(&format!(
        r"sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
{FULL_TUNNEL}remember
said=$(wgq up wg0 2>&1) || {{ echo $said; exit 1; }}
says 'warning: IPv6 is off on this host: skipping the address fd00::2/64'
says 'warning: IPv6 is off on this host: skipping the route to ::/0'
ip route get 198.51.100.1 | has 'dev wg0'
wgq down wg0
same"
    ));
}

#[test]
fn a_dns_failure_is_a_warning_unless_dns_is_required() {
    host(&format!(
        r"{FULL_TUNNEL}remember
mount -o remount,bind,ro /etc/resolv.conf
said=$(wgq up wg0 2>&1) || {{ echo $said; exit 1; }}
says 'wgq: warning: '
says 'Read-only file system'
wgq down wg0
same
sed -i 's/^DNS/DNSRequired = yes\nDNS/' /etc/wireguard/wg0.conf
remember
fails 1 wgq up wg0
says 'wgq: wg0 was rolled back: nothing was changed'
same"
    ));
}

#[test]
fn a_sysctl_that_is_right_already_is_not_written() {
    host(&format!(
        r"{FULL_TUNNEL}sysctl -qw net.ipv4.conf.all.src_valid_mark=1
mount -t proc proc /proc
mount -o remount,bind,ro /proc/sys 2>/dev/null || {{ mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys; }}
remember
wgq up wg0
wgq down wg0
same"
    ));
}

#[test]
fn a_sysctl_that_cannot_be_written_is_told_with_what_to_do() {
    host(&format!(
        r"{FULL_TUNNEL}mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
remember
fails 1 wgq up wg0
says 'sysctl -q net.ipv4.conf.all.src_valid_mark=1: Read-only file system'
says 'hint: /proc/sys cannot be written here'
same"
    ));
}

#[test]
fn an_unresolved_endpoint_takes_nobody_down_when_told_so() {
    host(
        r#"printf '127.0.0.1 localhost\n192.0.2.9 good.example\n' >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
printf 'hosts: files\n' >"$work/nsswitch"
mount --bind "$work/nsswitch" /etc/nsswitch.conf
config wg0 <<END
Address = 10.8.0.1/24
[Peer]
PublicKey = $peer1
Endpoint = good.example:51820
[Peer]
PublicKey = $peer2
Endpoint = bad.example:51820
END
remember
export WG_ENDPOINT_RESOLUTION_RETRIES=0
fails 1 wgq up wg0
says "wg0.conf:9:12: Endpoint: \`bad.example:51820': "
says ' 9 | Endpoint = bad.example:51820'
same
said=$(wgq up --ignore-unresolved wg0 2>&1)
says 'leaving this peer without endpoint'
wg show wg0 endpoints | has "192.0.2.9:51820"
wg show wg0 endpoints | has "(none)"
wgq down wg0
same"#,
    );
}

#[test]
fn an_interface_of_another_kind_is_left_alone() {
    host(
        r#"config uplink <<<'Address = 10.8.0.1/24'
remember
fails 1 wgq up uplink
says "\`uplink' already exists"
says "hint: \`uplink' is not a WireGuard interface but one of kind veth"
fails 1 wgq down uplink
says 'is not a WireGuard interface'
same"#,
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    host(&format!(
        r#"{FULL_TUNNEL}remember
wgq --dry-run up wg0 >"$work/plan"
has '^ip -4 route add 0.0.0.0/0 dev wg0 table 51820$' "$work/plan"
lacks "$private" "$work/plan"
same
wgq -q up wg0
snapshot >"$work/up"
wgq --dry-run down wg0 | has '^ip link delete dev wg0$'
same "$work/up"
wgq -q down wg0
same"#
    ));
}

#[test]
fn an_up_that_was_killed_is_not_saved() {
    host(
        r#"config wg0 <<END
SaveConfig = true
Address = 10.8.0.1/24
PreUp = kill -KILL \$PPID
[Peer]
PublicKey = $peer1
AllowedIPs = 10.8.0.2/32
END
cp /etc/wireguard/wg0.conf "$work/original"
remember
"$WGQ" up wg0 2>/dev/null && exit 1
fails 1 wgq save wg0
wgq down wg0
diff "$work/original" /etc/wireguard/wg0.conf
same"#,
    );
}

#[test]
fn save_writes_what_changed_and_leaves_the_rest() {
    host(
        r#"config wg0 <<END
# the office
Address = 10.8.0.1/24   # here
[Peer]
# Name = phone
PublicKey = $peer1
AllowedIPs = 10.8.0.2/32
END
cp /etc/wireguard/wg0.conf "$work/original"
wgq up wg0
wgq save wg0
diff "$work/original" /etc/wireguard/wg0.conf
wg set wg0 peer $peer1 remove peer $peer2 allowed-ips 10.8.0.9/32 preshared-key <(echo $private)
wg set wg0 private-key <(wg genkey)
wgq --dry-run save wg0 >"$work/changes"
diff "$work/original" /etc/wireguard/wg0.conf
diff "$work/changes" - <<END
--- /etc/wireguard/wg0.conf
+++ /etc/wireguard/wg0.conf
@@ -2 +2 @@
-PrivateKey = (hidden)
+PrivateKey = (hidden)
@@ -5,4 +5,5 @@
-[Peer]
-# Name = phone
-PublicKey = $peer1
-AllowedIPs = 10.8.0.2/32
+
+[Peer]
+PublicKey = $peer2
+PresharedKey = (hidden)
+AllowedIPs = 10.8.0.9/32
END
wgq save wg0
[[ ! $(wgq --dry-run save wg0) ]]
has '^# the office' /etc/wireguard/wg0.conf
has '# here' /etc/wireguard/wg0.conf
lacks "$peer1" /etc/wireguard/wg0.conf
has "$peer2" /etc/wireguard/wg0.conf
[[ $(stat -c %a /etc/wireguard/wg0.conf) == 600 ]]
wgq down wg0"#,
    );
}

#[test]
fn migrate_changes_the_file_of_a_tunnel_that_is_down_and_keeps_it_as_it_was() {
    host(
        r#"config wg0 <<END
# the office
Address = 10.8.0.1/24   # here
ListenPort = 51820
PostUp = touch /run/up # not known
PostUp = iptables -t nat -A POSTROUTING -o uplink -j MASQUERADE # clients
PostDown = iptables -t nat -D POSTROUTING -o uplink -j MASQUERADE
END
cp /etc/wireguard/wg0.conf "$work/original"
chmod 644 /etc/wireguard/wg0.conf
wgq migrate wg0 >"$work/changes"
diff "$work/original" /etc/wireguard/wg0.conf
ip link add wg0 type veth peer name wg0peer
fails 1 wgq migrate --write wg0
says "\`wg0' is up: without its hooks nothing would undo what they did"
ip link del wg0
diff "$work/original" /etc/wireguard/wg0.conf
wgq migrate --write wg0 2>"$work/said" >"$work/written"
diff "$work/changes" "$work/written"
has 'written; as it was it is in /etc/wireguard/wg0.conf.before-migrate' "$work/said"
sed -e 's/^PostUp = iptables.*/Masquerade = uplink\n# clients/' -e '/^PostDown/d' "$work/original" >"$work/expected"
diff "$work/expected" /etc/wireguard/wg0.conf
diff "$work/original" /etc/wireguard/wg0.conf.before-migrate
[[ $(stat -c %a /etc/wireguard/wg0.conf) == 600 ]]
[[ $(stat -c %a /etc/wireguard/wg0.conf.before-migrate) == 600 ]]
wgq migrate --write wg0 2>"$work/said" >"$work/written"
[[ ! -s $work/written ]]
diff "$work/expected" /etc/wireguard/wg0.conf
[[ ! -e /etc/wireguard/wg0.conf.before-migrate-2 ]]
cp "$work/original" /etc/wireguard/wg0.conf
wgq migrate --write wg0
diff "$work/original" /etc/wireguard/wg0.conf.before-migrate-2
mkfifo "$work/held"
flock "/run/wgq/wg0.lock" cat "$work/held" &
until [[ -e /run/wgq/wg0.lock ]]; do sleep 0.02; done
cp "$work/original" /etc/wireguard/wg0.conf
fails 1 wgq migrate --write wg0
says "wg0: another wgq is working on this interface"
echo >"$work/held""#,
    );
}
