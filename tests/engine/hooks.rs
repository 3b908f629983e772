//! What hooks may do, and what becomes of them.

use crate::host;

#[test]
fn a_hook_may_save_and_strip_its_own_interface_but_not_bring_it_up_or_down() {
    host(
        r#"config wg0 <<END
PreUp = "$WGQ" save %i
PostUp = "$WGQ" down %i
PostUp = "$WGQ" strip %i >$work/stripped
PostUp = wg set %i peer $peer1 persistent-keepalive 7; "$WGQ" save %i
PreDown = wg set %i peer $peer1 persistent-keepalive 8; bash -c '"$WGQ" save %i; true'
[Peer]
PublicKey = $peer1
PersistentKeepalive = 5
END
file=/etc/wireguard/wg0.conf
fails 1 wgq up wg0
says "\`wg0' is not wholly up, not saving it"
sed -i /^PreUp/d $file
fails 1 wgq up wg0
says 'wgq: wg0: this is a hook of the wgq that is bringing this interface up or down, which it cannot do itself'
has '^PersistentKeepalive = 8' $file # by PreDown
sed -i '/down %i/d' $file
wgq up wg0
has '^PersistentKeepalive = 7' $file
has '^PersistentKeepalive = 8' "$work/stripped"
wgq down wg0
has '^PersistentKeepalive = 8' $file
sed -i 's/^PreDown.*/PostDown = "$WGQ" up %i/' $file
wgq up wg0
fails 3 wgq down wg0
says 'which it cannot do itself'
[[ ! $(find /run/wgq -name '*.lock') ]]"#,
    );
}

#[test]
fn what_a_hook_leaves_in_the_background_is_no_hook() {
    host(
        r#"config wg0 <<END
PreUp = (sleep 0.2; "$WGQ" save %i 2>$work/said || echo \$? >$work/status) & disown
PreUp = sleep 2
END
wgq up wg0
[[ $(<"$work/status") == 1 ]]
said=$(<"$work/said")
says 'wg0: another wgq is working on this interface'
wgq down wg0"#,
    );
}

#[test]
fn a_hook_finds_the_file_by_its_whole_path_without_links() {
    host(
        r#"log=$work/log
mkdir "$work/here"
config wg0 <<END
PostUp = echo \$CONFIG_FILE >>$log
PreDown = echo \$CONFIG_FILE >>$log
END
mv /etc/wireguard/wg0.conf "$work/here/real"
ln -s real "$work/here/wg0.conf"
cd "$work/here"
wgq up ./wg0.conf
wgq down wg0.conf
[[ $(tr '\n' ' ' <"$log") == "$work/here/real $work/here/real " ]]"#,
    );
}

#[test]
fn hooks_run_without_any_environment() {
    host(
        r#"config wg0 <<<'PostUp = echo here; ls / >/dev/null'
said=$(env -i "$WGQ" up wg0 2>/dev/null)
[[ $said == here ]]
wgq down wg0"#,
    );
}

#[test]
fn a_signal_during_a_hook_is_heard_and_the_hook_waited_for() {
    host(
        r#"config wg0 <<END
PostUp = sleep 2; touch $work/ended
END
remember
"$WGQ" up wg0 2>"$work/said" & up=$!
sleep 0.5
kill -TERM $up
sleep 0.5
said=$(<"$work/said")
says 'wgq: SIGTERM: waiting for the hook to end'
[[ ! -e $work/ended ]]
status=0
wait $up || status=$?
[[ $status == 1 && -e $work/ended ]]
said=$(<"$work/said")
says 'wgq: interrupted by SIGTERM'
same"#,
    );
}

#[test]
fn what_is_left_out_because_of_a_hook_is_told() {
    host(
        r"config wg0 <<END
Address = 10.8.0.2/24
PreUp = sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
[Peer]
PublicKey = $peer1
AllowedIPs = fd01::/64
END
said=$(wgq up wg0 2>&1)
says 'warning: IPv6 is off on this host: skipping the route to fd01::/64'
wgq down wg0",
    );
}
