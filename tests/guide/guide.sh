# The guide: from nothing to a phone that is connected.
client phone 112
client laptop 113
remember

# how many peers the server has met
handshakes() { wg show wg0 latest-handshakes | grep -vc $'\t0$'; }

# a server
fails 0 wgq init --up
says 'next: `wgq peer add phone -i wg0`'
read -r server4 server6 <<<"$(sed -n 's/^Address = //p' /etc/wireguard/wg0.conf | tr -d , | sed -E 's/\/[0-9]+//g')"

# a client that sends everything, as it was printed
wgq -q peer add phone >"$work/phone.conf"
[[ ! $(seen phone $lan4) ]] # not yet
sees $internet4 phone 203.0.112.2
on phone "$WGQ" -q up "$work/phone.conf" 2>/dev/null
answers on phone ping "$server4"
answers on phone ping "$server6"
[[ $(handshakes) == 1 ]]
sees $internet4 phone 192.0.2.2
sees $internet6 phone 2001:db8::2
sees $lan4 phone 192.168.7.1
sees $lan6 phone fd00:7::1
[[ $(on phone cat /etc/resolv.conf | grep ^nameserver) == 'nameserver 192.0.2.53' ]]

# and one that sends what is for the tunnel and the LAN, by wg-quick
wgq -q peer add laptop --split --route 192.168.7.0/24,fd00:7::/64 --keepalive 25 >"$work/laptop.conf"
quick laptop up "$work/laptop.conf" >"$work/said" || { cat "$work/said"; exit 1; }
answers on laptop ping "$server4"
answers on laptop ping "$server6"
[[ $(handshakes) == 2 ]]
sees $internet4 laptop 203.0.113.2
sees $internet6 laptop 2001:db8:113::2
sees $lan4 laptop 192.168.7.1
sees $lan6 laptop fd00:7::1
[[ $(on laptop cat /etc/resolv.conf) == 'nameserver 203.0.113.1' ]] # the server's is not where this tunnel leads
phone4=$(on phone ip -4 -o addr show dev phone | awk '{print $4}')
answers on laptop ping "${phone4%/*}"

# others come and go, and change, and nobody notices
on phone ping -i 0.02 -c 200 "$server4" >"$work/ping" &
ping=$!
wgq -q peer add tablet --allowed-ips 10.255.7.0/24 >/dev/null
wgq -q peer rekey tablet >/dev/null
wgq -q peer disable tablet
wgq -q peer enable tablet
wgq -q peer rename tablet slate
wgq -q peer remove slate
wgq -q peer add tablet >/dev/null
[[ -d /proc/$ping ]] # all this happened meanwhile
wait $ping || true
has ' 200 received' <"$work/ping" || { tail -n3 "$work/ping"; exit 1; }

# one that is removed is cut off at once, and the others are not
on laptop ping -i 0.05 -w 10 "$server4" >"$work/ping" &
ping=$!
until [[ $(grep -c 'bytes from' "$work/ping") -ge 5 ]]; do sleep 0.02; done
wgq -q peer remove laptop
sleep 0.1
before=$(grep -c 'bytes from' "$work/ping")
silent on laptop ping "$server4"
[[ $(grep -c 'bytes from' "$work/ping") == "$before" ]]
kill $ping
wait $ping 2>/dev/null || true
[[ ! $(seen laptop $lan4) ]]
sees $internet4 phone 192.0.2.2
quick laptop down "$work/laptop.conf" >/dev/null
[[ $(on laptop cat /etc/resolv.conf) == 'nameserver 203.0.113.1' ]]

# one that is disabled, too
wgq -q peer disable phone
silent on phone ping "$server4"
on phone "$WGQ" -q down "$work/phone.conf"
[[ $(on phone cat /etc/resolv.conf) == 'nameserver 203.0.112.1' ]]
wgq -q peer enable phone

# the server has moved: the client's new config leads there
ip address add 192.0.2.3/24 dev uplink
wgq -q endpoint wg0 192.0.2.3
wgq -q peer show phone >"$work/new.conf"
cmp <(sed 's/^Endpoint = .*/Endpoint = 192.0.2.3:51820/' "$work/phone.conf") "$work/new.conf"
mv "$work/new.conf" "$work/phone.conf"
on phone "$WGQ" -q up "$work/phone.conf" 2>/dev/null
[[ $(on phone wg show phone endpoints) == *$'\t192.0.2.3:51820' ]]
answers on phone ping "$server4"
sees $internet4 phone 192.0.2.2

# the old keys are no good any more, the new ones are
wgq -q peer rekey phone >"$work/new.conf"
silent on phone ping "$server4"
on phone "$WGQ" -q down "$work/phone.conf"
mv "$work/new.conf" "$work/phone.conf"
on phone "$WGQ" -q up "$work/phone.conf" 2>/dev/null
answers on phone ping "$server4"
on phone "$WGQ" -q down "$work/phone.conf"

# and nothing is left of it
ip address delete 192.0.2.3/24 dev uplink
wgq -q down wg0
rm -r /etc/wireguard/*
same
