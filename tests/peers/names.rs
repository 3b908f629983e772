//! How peers and interfaces are called.

use super::host;

#[test]
fn a_name_is_any_text_of_one_line() {
    host(
        r#"running
keep
names=(.. . a/b ../../x 名前 -x 'Ann & Bob' '$(id)' '`id`' "o'clock" 'a"b' 'x = y' 'büro #2' '%2e' removed 😀 'two  blanks' '[Peer]' 'a;b|c>d' '*')
for name in "${names[@]}"; do
	wgq -q peer add --dns none -- "$name" >"$work/shown"
	[[ $(listed "$name" .state) == enabled ]]
	wgq -q peer show -- "$name" | cmp - "$work/shown"
	wgq -q peer disable -- "$name"
	wgq -q peer enable -- "$name"
done
# all of their files are in the folder
[[ $(find /etc/wireguard -name '*.conf' -not -path "$clients/*" | wc -l) == 1 && $(find $clients -maxdepth 1 -name '*.conf' | wc -l) == ${#names[@]} ]]
[[ $(wg show wg0 peers | wc -l) == $((${#names[@]} + 1)) ]]
for name in "${names[@]}"; do wgq -q peer remove -- "$name"; done
cmp "$work/file" $file
wg show all dump | diff <(grep ^wg0 "$work/state") -
[[ $(find $clients/removed -type f | wc -l) == ${#names[@]} ]]"#,
    );
}

#[test]
fn what_is_no_name_is_refused_and_changes_nothing() {
    host(
        r#"running
wgq -q peer add phone >/dev/null
keep
long=$(printf 'x%.0s' {1..65})
for name in '' ' ' ' x' 'x ' $'a\nb' $'a\rb' $'\t' $'a\eb' $'a\xe2\x80\x8bb' $'a\xe2\x80\xaeb' '#x' 'x#' $long $'a\xe2\x80\xa8b' phone site; do
	fails 1 wgq peer add "$name"
	unchanged
	fails 1 wgq peer rename phone "$name"
	unchanged
done
# what is not UTF-8 is no text at all
fails 2 wgq peer add $'\xff'
unchanged
fails 2 wgq peer add
fails 2 wgq peer add -x
fails 2 wgq peer add x --full --split
fails 2 wgq peer add x --route 10.0.0.0/8
for option in '--mtu 1279' '--mtu 65536' '--keepalive 0' '--keepalive 65536' '--expires never' '--route x'; do
	fails 2 wgq peer add x $option
	unchanged
done
for option in '--dns 300.1.1.1:x' '--dns ,' '--allowed-ips 0.0.0.0/0' '--allowed-ips 10.20.0.0/16' '--endpoint x:0' '--endpoint a:1:2'; do
	fails 1 wgq peer add x $option
	unchanged
done
fails 2 wgq --dry-run peer add x
unchanged"#,
    );
}

#[test]
fn who_is_not_there_is_told_with_the_nearest_name() {
    host(
        r#"server
wgq -q peer add phone >/dev/null
wgq -q peer add laptop >/dev/null
keep
for command in show qr remove disable enable rekey 'rename x'; do
	set -- $command
	[[ $1 == rename ]] && set -- rename fone new || set -- "$1" fone
	fails 1 wgq peer "$@"
	says 'wg0.conf: there is no peer `fone'
	says 'hint: the nearest name is `phone'
	unchanged
done
fails 1 wgq peer show something-else
says 'hint: `wgq peer list -i wg0` lists those there are'
fails 1 wgq peer show ''
# without a config here
fails 1 wgq peer show site
says 'no config of `site'
says 'hint: `wgq peer rekey site` makes a new one'"#,
    );
}

#[test]
fn the_beginning_of_a_key_is_as_good_as_a_name_if_it_is_one_peers() {
    host(
        r#"server
# two keys that begin alike: the other one's last characters are others
printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.9.0.1/32\n' "${peer1:0:20}${peer2:20}" >>$file
cp $file "$work/file"
fails 1 wgq peer remove "${peer1:0:5}"
says "\`${peer1:0:5}' is 2 peers: "
says 'hint: a key says which is meant'
fails 1 wgq peer remove "${peer1:0:3}"
says 'there is no peer'
cmp "$work/file" $file
wgq -q peer remove "${peer1:0:20}${peer2:20}"
fails 0 wgq peer disable xTIBA5rb
says 'site is disabled'
fails 0 wgq peer enable $peer1
fails 0 wgq peer remove $peer1
says "site is removed ($peer1)"
[[ $(wgq --json peer list | jq '.peers | length') == 0 ]]"#,
    );
}

#[test]
fn two_of_one_name_are_told_apart_by_their_keys() {
    host(
        r"server
printf '[Peer]\n# Name = site\nPublicKey = %s\n' $peer2 >>$file
cp $file $work/file
fails 1 wgq peer remove site
says $peer1
says $peer2
cmp $work/file $file
wgq -q peer remove $peer2
[[ $(wgq --json peer list | jq '.peers | length') == 1 ]]",
    );
}

#[test]
fn the_interface_may_be_left_out_where_it_is_plain_which() {
    host(
        r"fails 1 wgq peer list
says 'hint: `wgq init` makes a first one'
server
mv $file /etc/wireguard/home.conf
fails 0 wgq peer list
says site
wgq -q peer add phone >/dev/null
[[ -e /etc/wireguard/clients/home/phone.conf ]]
sed 's|^Address.*|Address = 10.7.0.1/24|' /etc/wireguard/home.conf >/etc/wireguard/work.conf
fails 1 wgq peer list
says 'there is more than one interface'
says 'hint: -i NAME says which: home, work'
fails 0 wgq peer list -i work
fails 0 wgq peer -i work list
# wg0 is the usual one
server
fails 0 wgq peer list
[[ $said != *phone* ]]
fails 0 wgq peer list -i home
says phone
# a file anywhere has its clients beside it
mkdir $work/elsewhere
mv /etc/wireguard/work.conf $work/elsewhere
wgq -q peer add tablet -i $work/elsewhere/work.conf >/dev/null
[[ -e $work/elsewhere/clients/work/tablet.conf ]]
fails 1 wgq peer list -i nowhere
says nowhere.conf",
    );
}
