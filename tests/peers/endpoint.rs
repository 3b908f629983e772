//! Where clients connect to.

use super::host;

#[test]
fn a_new_endpoint_stands_in_the_comment_and_in_the_kept_configs_and_nothing_else_changes() {
    host(
        r#"running
wgq -q peer add phone >/dev/null
wgq -q peer add laptop --split --endpoint 198.51.100.9:443 >/dev/null
wgq -q peer add nowhere --no-store >/dev/null
wgq -q peer add off >/dev/null
wgq -q peer disable off
sed -i '1i# mine\r' $clients/laptop.conf
[[ $(wgq endpoint wg0) == vpn.example.com:51820 ]]
keep
cp -r $clients "$work/before"
fails 0 wgq endpoint wg0 '[2001:db8::5]:4500'
says 'wg0: clients connect to [2001:db8::5]:4500'
says 'to be scanned again, or copied: phone, laptop, off'
new='[2001:db8::5]:4500'
cmp <(sed "s/^# Endpoint = .*/# Endpoint = $new/" "$work/file") $file
for name in phone laptop off; do
	cmp <(sed -E "s/^Endpoint = .*/Endpoint = $new/" "$work/before/$name.conf") $clients/$name.conf
	[[ $(stat -c %a $clients/$name.conf) == 600 ]]
done
[[ $(ls $clients | wc -l) == 3 ]]
wg show all dump | diff <(grep ^wg0 "$work/state") -
[[ $(wgq endpoint wg0) == "$new" ]]
# the same again changes nothing
keep
fails 0 wgq endpoint wg0 "$new"
[[ $said != *scanned* ]]
unchanged
# without a port it is ListenPort
wgq -q endpoint wg0 dyn.example.org
[[ $(wgq endpoint wg0) == dyn.example.org:51820 ]]
[[ $(wgq --json endpoint wg0 relay.example:7 | jq -c '[.endpoint, .changed]') == '["relay.example:7",["phone","laptop","off"]]' ]]
[[ $(wgq endpoint wg0 relay.example:8 --qr 2>/dev/null | grep -c '^phone$\|^laptop$\|^off$') == 3 ]]
# new clients get it
wgq -q peer add next | has '^Endpoint = relay.example:8$'
keep
for wrong in x:0 x:65536 a:b:c '' ' ' 'x y' ':5' $'x\n[Peer]'; do
	fails 1 wgq endpoint wg0 "$wrong"
	unchanged
done
fails 1 wgq endpoint nowhere x:1"#,
    );
}

#[test]
fn a_file_that_does_not_say_it_is_told_of() {
    host(
        r#"server
sed -i '/^# Endpoint/d' $file
keep
fails 1 wgq endpoint wg0
says 'it does not say where clients connect to'
says 'hint: `wgq endpoint wg0 HOST:PORT` does'
[[ $(wgq --json endpoint wg0 | jq -c .endpoint) == null ]]
# a guess is told as one
fails 0 wgq peer add phone
says 'clients connect to 192.0.2.2:51820, which is a guess'
says 'Endpoint = 192.0.2.2:51820'
wgq -q peer remove phone
ip route delete default
ip -6 route delete default
ip address flush dev uplink
keep
fails 1 wgq peer add phone
says 'it is not known where clients connect to'
says 'hint: `wgq endpoint wg0 HOST:PORT` says where clients connect to'
unchanged
wgq -q endpoint wg0 192.168.1.5
cmp <(sed '/^\[Interface\]/a# Endpoint = 192.168.1.5:51820' "$work/file") $file
fails 0 wgq endpoint wg0 100.64.0.7
says 'carrier'
fails 0 wgq endpoint wg0 10.0.0.7
says 'is a private address'
sed -i '/^ListenPort/d' $file
fails 1 wgq endpoint wg0 x.example
fails 0 wgq endpoint wg0 x.example:1"#,
    );
}
