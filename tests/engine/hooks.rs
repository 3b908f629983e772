//! What hooks may do, and what becomes of them.

use crate::host;

#[test]
fn a_hook_may_save_and_strip_its_own_interface_but_not_bring_it_up_or_down() {
    host(
        r#"log=$work/log
config wg0 <<END
ListenPort = 5555
PreUp = "$WGQ" save %i
PostUp = "$WGQ" down %i
PostUp = "$WGQ" strip %i >$work/stripped
PostUp = wg set %i listen-port 7777; "$WGQ" save %i
PreDown = wg set %i listen-port 8888; bash -c '"$WGQ" save %i; true'
END
file=/etc/wireguard/wg0.conf
fails 1 wgq up wg0
says "\`wg0' is not wholly up, not saving it"
sed -i /PreUp/d $file
fails 1 wgq up wg0
says 'wgq: wg0: this is a hook of the wgq that is bringing this interface up or down, which it cannot do itself'
sed -i '/down %i/d; /up %i/d' $file
wgq up wg0
has '^ListenPort = 7777' $file
has '^ListenPort = 8888' "$work/stripped" # PreDown has run in the one that failed
wgq down wg0
has '^ListenPort = 8888' $file
sed -i '/^ListenPort/d; s/^PreDown.*/PostDown = "$WGQ" up %i/' $file
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
