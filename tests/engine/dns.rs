//! A resolver that cannot be told, or does not take back what it was told.

use crate::host;

/// A tunnel, and a resolvconf that notes what it is asked and does it unless the file `no-a` or `no-d` is there.
const RESOLVCONF: &str = r#"config wg0 <<END
DNS = 10.8.0.1
PostUp = ! [[ -e $work/no-up ]]
PostDown = echo down >>$work/told
END
mkdir "$work/bin"
cat >"$work/bin/resolvconf" <<END
#!/bin/bash
echo \$1 >>$work/told
if [[ -e $work/no\$1 ]]; then echo "no" >&2; exit 9; fi
END
chmod +x "$work/bin/resolvconf"
PATH=$work/bin:$PATH
# told WORD...: what was asked and done since the last time
told() { local was; was=$(tr '\n' ' ' <"$work/told"); rm "$work/told"; [[ $was == "$* " ]] || { echo "was: $was"; return 1; }; }
"#;

#[test]
fn what_the_resolver_was_never_told_is_not_taken_back() {
    host(&format!(
        r#"{RESOLVCONF}remember
touch "$work/no-a"
said=$(wgq up wg0 2>&1)
says 'resolvconf -a: no'
told -a -d
touch "$work/no-d"
wgq down wg0
told down
same"#
    ));
}

#[test]
fn what_the_resolver_does_not_take_back_is_a_warning_unless_dns_is_required() {
    host(&format!(
        r#"{RESOLVCONF}remember
touch "$work/no-a" "$work/no-d"
wgq up wg0
told -a -d
said=$(wgq down wg0 2>&1)
says 'warning: resolvconf -d'
told -d down
same
rm "$work/no-a"
sed -i 's/^DNS/DNSRequired = yes\nDNS/' /etc/wireguard/wg0.conf
remember
wgq up wg0
fails 3 wgq down wg0
says 'resolvconf -d'
rm "$work/no-d"
wgq down wg0
told -a -d down -d down
same"#
    ));
}

#[test]
fn what_the_resolver_does_not_take_back_when_up_is_undone_is_left() {
    host(&format!(
        r#"{RESOLVCONF}touch "$work/no-d" "$work/no-up"
fails 3 wgq up wg0
says 'wg0 was not rolled back completely; still to undo:'
says 'resolvconf -d'"#
    ));
}
