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
