//! What each command does to the file and to what runs, and that it leaves the others alone.

use super::host;

#[test]
fn one_that_is_added_stands_at_the_end_of_the_file_and_connects_at_once() {
    host(
        r#"running
keep
before=$(row $peer1)
wgq -q peer add phone --keepalive 25 --mtu 1380 --dns 9.9.9.9,lan.example >"$work/shown"
key=$(listed phone)
psk=$(sed -n 's/^PresharedKey = //p' $clients/phone.conf)
is_file "$(cat "$work/file")

[Peer]
# Name = phone
PublicKey = $key
PresharedKey = $psk
AllowedIPs = 10.8.0.3/32, fd00:8::2/128
"
[[ $(row "$key") == '(none) 10.8.0.3/32,fd00:8::2/128 0 off' ]]
[[ $(wg show wg0 preshared-keys | awk -v key="$key" '$1 == key {print $2}') == "$psk" ]]
[[ $(row $peer1) == "$before" && $before == 192.0.2.99:2000* ]]
cmp "$work/shown" $clients/phone.conf
[[ $(sed -n 's/^PrivateKey = //p' $clients/phone.conf | wg pubkey) == "$key" ]]
diff - <(grep -v Key $clients/phone.conf) <<END
[Interface]
# Name = phone
Address = 10.8.0.3/32, fd00:8::2/128
DNS = 9.9.9.9,lan.example
MTU = 1380

[Peer]
Endpoint = vpn.example.com:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
END
[[ $(stat -c %a /etc/wireguard/clients $clients $clients/phone.conf $file | xargs) == '700 700 600 600' ]]
# what runs is what the file says
fails 0 wgq diff wg0
[[ ! $said || $said == *'endpoint 192.0.2.77'* ]]"#,
    );
}

#[test]
fn a_site_gets_its_routes_and_they_go_with_it() {
    host(
        r#"running
keep
wgq -q peer add office --split --route 192.168.7.0/24,fd07::/64 --allowed-ips 10.30.0.0/16,fd30::/48 --no-store >"$work/shown"
[[ ! -e $clients/office.conf ]]
grep -q '^AllowedIPs = 10.8.0.0/24, fd00:8::/64, 192.168.7.0/24, fd07::/64$' "$work/shown"
ip route show dev wg0 | has '^10.30.0.0/16 '
ip -6 route show dev wg0 | has '^fd30::/48 '
[[ $(row "$(listed office)" | tr ' ,' '\n' | grep / | sort | xargs) == '10.30.0.0/16 10.8.0.3/32 fd00:8::2/128 fd30::/48' ]]
grep -q '^AllowedIPs = 10.8.0.3/32, fd00:8::2/128, 10.30.0.0/16, fd30::/48$' $file
wgq -q peer disable office
ip route show dev wg0 | lacks '^10.30.0.0/16 '
wgq -q peer enable office
ip route show dev wg0 | has '^10.30.0.0/16 '
wgq -q peer remove office
cmp "$work/file" $file
wg show all dump | diff <(grep ^wg0 "$work/state") -
ip route show dev wg0 | lacks '^10.30.0.0/16 '
ip -6 route show dev wg0 | lacks '^fd30::/48 '"#,
    );
}

#[test]
fn one_that_is_disabled_is_comments_and_comes_back_as_it_was() {
    host(
        r#"running
wgq -q peer add phone >/dev/null
keep
key=$(listed phone)
fails 0 wgq peer disable phone
says 'wg0: phone is disabled'
[[ ! $(row "$key") && $(row $peer1) == 192.0.2.99:2000* ]]
diff <(sed '/^# Name = phone/,$d' "$work/file" | sed '$d') <(sed '/^#-/,$d' $file)
[[ $(grep -c '^#- ' $file) == 5 && $(listed phone .state) == disabled ]]
cmp <(sed -n '/^\[Peer\]$/,$p' "$work/file") <(sed -n 's/^#- //p' $file)
# wg-quick's own grammar sees comments
wgq strip wg0 | sed '/^#/d' | lacks "$key"
fails 0 wgq peer disable phone
says 'phone is disabled already'
# its address stays its own
wgq -q peer add laptop >/dev/null
[[ $(address laptop) == '10.8.0.4/32 fd00:8::3/128' && $(address phone) == '10.8.0.3/32 fd00:8::2/128' ]]
wgq -q peer remove laptop
wgq -q apply wg0
[[ ! $(row "$key") ]]
wg set wg0 peer $peer1 endpoint 192.0.2.99:2000
fails 0 wgq peer enable "${key:0:8}"
cmp "$work/file" $file
[[ $(row "$key") == '(none) 10.8.0.3/32,fd00:8::2/128 0 off' ]]
fails 0 wgq peer enable phone
says 'phone is enabled already'"#,
    );
}

#[test]
fn a_new_name_changes_its_comment_and_the_name_of_its_config_alone() {
    host(
        r"running
wgq -q peer add phone >/dev/null
keep
cp $clients/phone.conf $work/phone
fails 0 wgq peer rename phone 'Ann’s phone'
cmp <(sed 's/^# Name = phone$/# Name = Ann’s phone/' $work/file) $file
wg show all dump | diff <(grep ^wg0 $work/state) -
[[ ! -e $clients/phone.conf ]]
cmp <(sed 's/^# Name = .*/# Name = Ann’s phone/' $work/phone) $clients/Ann’s\ phone.conf
wgq -q peer show 'Ann’s phone' >/dev/null
# one that another program has named
fails 0 wgq peer rename site cellar
cmp <(sed 's/^# Name = phone$/# Name = Ann’s phone/; s/^\[Peer\] # site$/&\n# Name = cellar/' $work/file) $file
[[ $(listed cellar) == $peer1 ]]
fails 1 wgq peer rename cellar 'Ann’s phone'
says 'there is a peer `Ann’s phone'\'' already'",
    );
}

#[test]
fn new_keys_take_the_place_of_the_old_ones_at_once() {
    host(
        r"running
wgq -q peer add phone --split --dns none >/dev/null
keep
old=$(listed phone)
cp $clients/phone.conf $work/old
wgq -q peer rekey phone >$work/shown
new=$(listed phone)
[[ $new != $old && ! $(row $old) && $(row $new) == '(none) 10.8.0.3/32,fd00:8::2/128 0 off' && $(row $peer1) == 192.0.2.99:2000* ]]
[[ $(sed -n 's/^PrivateKey = //p' $work/shown | wg pubkey) == $new ]]
cmp $work/shown $clients/phone.conf
psk=$(sed -n 's/^PresharedKey = //p' $work/shown)
[[ $psk != $(sed -n 's/^PresharedKey = //p' $work/old) && $(wg show wg0 preshared-keys) == *$new*$psk* ]]
hide() { sed -E 's/^(PublicKey|PrivateKey|PresharedKey) = .*/\1/' $1; }
diff <(hide $work/old) <(hide $work/shown)
diff <(hide $work/file) <(hide $file)
# of one that has no config here a new one is made
wgq -q peer rekey site >$work/shown
[[ $(sed -n 's/^PrivateKey = //p' $work/shown | wg pubkey) == $(listed site) ]]
grep -q '^Address = 10.8.0.2$\|^Address = 10.8.0.2/32$' $work/shown
[[ $(<$work/shown) != *PresharedKey* ]]",
    );
}

#[test]
fn what_is_removed_is_told_and_kept() {
    host(
        r#"running
keep
wgq -q peer add phone >/dev/null
key=$(listed phone)
cp $clients/phone.conf "$work/phone"
section=$(sed -n '/^\[Peer\]$/,$p' $file)
fails 0 wgq peer remove phone
says "wg0: phone is removed ($key)"
says "$clients/removed/phone.conf"
cmp "$work/file" $file
[[ ! $(row "$key") && ! -e $clients/phone.conf && $(stat -c %a $clients/removed/phone.conf) == 600 ]]
# all that it takes to bring it back
cat "$work/file" >$file
printf '\n' >>$file
sed -n '/^\[Peer\]/,/^AllowedIPs/p' $clients/removed/phone.conf >>$file
wgq -q apply wg0
[[ $(row "$key") == '(none) 10.8.0.3/32,fd00:8::2/128 0 off' ]]
diff "$work/phone" <(sed -n '/own config/,$ { /own config/d; s/^# \?//p; }' $clients/removed/phone.conf)
# a second one of that name takes nothing away from the first
wgq -q peer remove phone
[[ -e $clients/removed/phone.conf && -e "$clients/removed/phone (2).conf" ]]"#,
    );
}

#[test]
fn a_key_of_the_clients_own_stays_there() {
    host(
        r"running
own=$(wg genkey)
key=$(wg pubkey <<<$own)
wgq -q peer add phone --public-key $key >$work/shown
[[ $(row $key) == '(none) 10.8.0.3/32,fd00:8::2/128 0 off' ]]
lacks '^PrivateKey' $work/shown
# with its own key in its place the config is one
sed -i s,'^# PrivateKey.*',PrivateKey\ =\ $own, $work/shown
cp $work/shown /etc/wireguard/c.conf
wgq strip c | has '^Endpoint'
rm /etc/wireguard/c.conf
keep
for wrong in $key $(wg pubkey <<<$private) x ${key%=} ${key:0:20}; do
	fails 1 wgq peer add other --public-key $wrong
	unchanged
done
[[ $said != *$own* ]]",
    );
}

#[test]
fn holes_are_filled_and_a_full_network_is_told() {
    host(
        r"server
sed -i 's|^Address = .*|Address = 10.8.0.1/29, fd00:8::1/125|' $file
for number in 1 2 3 4 5; do wgq -q peer add c$number --dns none >/dev/null 2>&1 || break; done
[[ $number == 5 && $(address c1) == '10.8.0.3/32 fd00:8::2/128' && $(address c4) == '10.8.0.6/32 fd00:8::5/128' ]]
keep
fails 1 wgq peer add c5
says 'Address: 10.8.0.1/29 has no free address left'
says 'hint: a second Address'
unchanged
wgq -q peer remove c2
wgq -q peer add again --dns none >/dev/null
[[ $(address again) == '10.8.0.4/32 fd00:8::3/128' ]]
sed -i 's|^Address = 10.8.0.1/29|&, 10.9.0.1/30|' $file
wgq -q peer add next --dns none >/dev/null
[[ $(address next) == '10.9.0.2/32 fd00:8::6/128' ]]",
    );
}

#[test]
fn two_and_ten_at_once_get_addresses_of_their_own() {
    host(
        r"running
for number in {1..10}; do
	wgq -q peer add c$number --dns none >$work/$number 2>&1 & pids[number]=$!
done
for number in {1..10}; do wait ${pids[number]}; done
[[ $(wgq --json peer list | jq -r '.peers[].allowed_ips[0]' | sort -u | wc -l) == 11 ]]
[[ $(wgq --json peer list | jq -r '.peers[].allowed_ips[1]' | sort -u | wc -l) == 11 ]]
[[ $(wgq --json peer list | jq -r '.peers[1:][].allowed_ips[0]' | sort -V | xargs) == $(printf '10.8.0.%s/32 ' {3..12} | xargs) ]]
[[ $(wg show wg0 peers | wc -l) == 11 && $(ls $clients | wc -l) == 10 ]]
[[ $(row $peer1) == 192.0.2.99:2000* ]]
# and leave at once
for number in {1..10}; do wgq -q peer remove c$number & pids[number]=$!; done
for number in {1..10}; do wait ${pids[number]}; done
server >$work/nothing
[[ $(wg show wg0 peers) == $peer1 ]]",
    );
}

#[test]
fn lines_end_as_they_did_and_the_last_one_too() {
    host(
        r#"server
sed -i 's/$/\r/' $file
cp $file $work/file
wgq -q up wg0 2>/dev/null
wgq -q peer add phone >/dev/null
[[ $(grep -c $'\r$' $file) == $(wc -l <$file) ]]
wgq -q peer disable phone
wgq -q peer rename phone tablet
[[ $(grep -c $'\r$' $file) == $(wc -l <$file) ]]
wgq -q peer enable tablet
wgq -q peer rekey tablet >/dev/null
[[ $(grep -c $'\r$' $file) == $(wc -l <$file) ]]
wgq -q peer remove tablet
cmp $work/file $file
# without an end of the last line
printf %s "$(<$work/file)" | tr -d '\r' >$file
cp $file $work/file
wgq -q peer add phone >/dev/null
wgq -q peer disable site
wgq -q peer enable site
wgq -q peer remove phone
cmp <(cat $work/file; echo) $file"#,
    );
}
