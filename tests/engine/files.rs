//! The file of a running interface: which one it is, and what becomes of one that changes, goes or breaks meanwhile.

use crate::host;

/// A file with three peers, `SaveConfig`, and a PreDown hook to be filled in.
const THREE_PEERS: &str = r#"peer3=HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=
cat >/etc/wireguard/wg0.conf <<END
[Interface]
PrivateKey = $private
SaveConfig = true
PreDown = bash "$work/pre-down"
[Peer] # one
PublicKey = $peer1
AllowedIPs = 10.8.0.2/32
# end of one
[Peer] # two
PublicKey = $peer2
AllowedIPs = 10.8.0.3/32
[Peer] # three
PublicKey = $peer3
AllowedIPs = 10.8.0.4/32
END
"#;

#[test]
fn a_file_that_a_hook_changes_is_saved_by_what_it_says_then() {
    host(&format!(
        r#"{THREE_PEERS}cat >"$work/pre-down" <<'END'
sed -i '/# one/,/# end of one/d' /etc/wireguard/wg0.conf
END
wgq up wg0
wg set wg0 peer $peer1 remove peer $peer3 remove
wgq down wg0
diff /etc/wireguard/wg0.conf - <<END
[Interface]
PrivateKey = $private
SaveConfig = true
PreDown = bash "$work/pre-down"
[Peer] # two
PublicKey = $peer2
AllowedIPs = 10.8.0.3/32
END"#
    ));
}

#[test]
fn a_file_that_a_hook_breaks_is_not_saved() {
    host(&format!(
        r#"{THREE_PEERS}cat >"$work/pre-down" <<'END'
echo 'Foo = bar' >>/etc/wireguard/wg0.conf
cp /etc/wireguard/wg0.conf "$(dirname "$0")/broken"
END
remember
wgq up wg0
wg set wg0 peer $peer3 remove
fails 3 wgq down wg0
says 'wg0.conf:15:1:'
says 'wgq: /etc/wireguard/wg0.conf: not saved, it has changed meanwhile'
diff "$work/broken" /etc/wireguard/wg0.conf
[[ ! -e /sys/class/net/wg0 ]]"#
    ));
}

#[test]
fn a_file_that_is_not_there_is_the_one_that_up_used() {
    host(
        r#"log=$work/log
config wg0 <<END
ListenPort = 5555
SaveConfig = true
PostDown = echo down >>$log
END
cd "$work"
wgq up wg0
wg set wg0 listen-port 7777
said=$(wgq down wg0.conf 2>&1)
says 'warning: wg0.conf is not there, and wg0 was brought up from /etc/wireguard/wg0.conf: going by /etc/wireguard/wg0.conf'
has '^ListenPort = 7777' /etc/wireguard/wg0.conf
[[ $(<"$log") == down ]]"#,
    );
}

#[test]
fn a_file_that_cannot_be_used_is_told_of_and_what_is_remembered_goes() {
    host(
        r#"log=$work/log
config wg0 <<END
PostDown = echo down >>$log
END
file=/etc/wireguard/wg0.conf
cp $file "$work/original"
remember
for break in 'mkdir' 'mkfifo' 'ln -s /nowhere' 'echo Foo = 1 >' ':'; do
	wgq up wg0
	rm $file
	eval "$break $file"
	said=$(wgq down wg0 2>&1)
	case $break in
	mkdir) says "warning: cannot read $file: is a directory; going by what is remembered of it" ;;
	mkfifo) says "warning: cannot read $file: not a regular file; going by what is remembered of it" ;;
	echo*) says "warning: $file: not in order; going by what is remembered of it" ;;
	*) says "warning: cannot read $file: No such file or directory (os error 2); going by what is remembered of it" ;;
	esac
	[[ $(<"$log") == down ]]
	rm -rf $file "$log"
	cp "$work/original" $file
done
wgq up wg0
rm $file
fails 0 wgq down "$file"
says "warning: cannot read"
fails 1 wgq down wg0
[[ $said != *warning* ]]"#,
    );
}

#[test]
fn down_takes_its_file_from_standard_input() {
    host(
        r#"log=$work/log
config wg0 <<END
SaveConfig = true
PostDown = echo up >>$log
END
sed 's/echo up/echo down/' /etc/wireguard/wg0.conf >"$work/other"
remember
wgq up - --name wg0 </etc/wireguard/wg0.conf
said=$(wgq down - --name wg0 <"$work/other" 2>&1)
says 'warning: not saved: standard input cannot be saved to'
wgq up wg0
said=$(wgq down - --name wg0 <"$work/other" 2>&1)
says 'warning: wg0 was brought up from /etc/wireguard/wg0.conf, not from standard input: going by standard input'
[[ $(tr '\n' ' ' <"$log") == 'down down ' ]]
same"#,
    );
}

#[test]
fn a_record_that_cannot_be_deleted_keeps_no_hook_from_running() {
    host(
        r#"log=$work/log
config wg0 <<END
PreDown = exit 7
PostDown = echo down >>$log
END
wgq up wg0
record=$(find /run/wgq -name 'wg0*.json')
mount --bind "$record" "$record" # cannot be deleted
fails 3 wgq down wg0
says 'wgq: wg0 is not wholly down; what failed:'
says 'exit 7: exit status 7'
says "$record: Device or resource busy (os error 16)"
[[ $(<"$log") == down ]]"#,
    );
}

#[test]
fn another_file_that_could_be_meant_is_told_of() {
    host(
        r#"config wg0 <<<'Address = 10.8.0.1/24'
cp /etc/wireguard/wg0.conf "$work/wg0.conf"
cp /etc/wireguard/wg0.conf "$work/wg9.conf"
cd "$work"
for command in strip '--dry-run up'; do
	said=$(wgq $command wg0.conf 2>&1)
	says "hint: this is ./wg0.conf; \`wg0\` alone is /etc/wireguard/wg0.conf"
	fails 1 wgq $command wg9
	says "hint: the file that is here is ./wg9.conf"
	rm wg0.conf
	fails 1 wgq $command wg0.conf
	says "hint: \`wg0\` alone is /etc/wireguard/wg0.conf"
	cp /etc/wireguard/wg0.conf .
done"#,
    );
}

#[test]
fn a_dry_run_makes_no_folder() {
    host(
        r"config wg0 <<<'Address = 10.8.0.1/24'
fails 1 wgq --dry-run save wg0
wgq --dry-run up wg0
fails 1 wgq --dry-run down wg0
[[ ! -e /run/wgq ]]",
    );
}

#[test]
fn without_root_it_is_said_what_only_root_can_see() {
    host(
        r#"config wg0 <<<'Address = 10.8.0.1/24'
install -m 755 "$WGQ" "$work/wgq"
chmod 711 "$work"
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all "$work/wgq" "$@"; }
install -m 644 /etc/wireguard/wg0.conf "$work/wg0.conf"
wgq up wg0
if setpriv --reuid=65534 --regid=65534 --clear-groups true; then # not in a user namespace of one user
	if ip -d link show wg0 | has tun; then
		fails 1 nobody --dry-run down "$work/wg0.conf"
		says "\`wg0' is of kind tun, and only root can see whether WireGuard drives it"
	fi
	fails 1 nobody --dry-run save wg0
	says 'wgq: hint: `sudo wgq --dry-run save ...`'
fi
wgq down wg0"#,
    );
}
