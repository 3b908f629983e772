//! The file of a new server.

use super::host;

#[test]
fn a_new_file_comes_up_and_is_never_written_over() {
    host(
        r#"rmdir /etc/wireguard/clients 2>/dev/null || true
umask 022
fails 0 wgq init
says 'that clients reach this host at 192.0.2.2 is a guess'
says 'next: `wgq up wg0`, then `wgq peer add phone -i wg0`'
says 'clients connect to  192.0.2.2:51820 (a guess)'
[[ $(stat -c %a $file) == 600 && $(ls -A /etc/wireguard) == wg0.conf ]]
private=$(sed -n 's/^PrivateKey = //p' $file)
says "public key          $(wg pubkey <<<"$private")"
[[ $said != *$private* ]]
grep -qE '^Address = (10|172)\.[0-9]+\.[0-9]+\.1/24, fd[0-9a-f:]+::1/64$' $file
diff - <(grep -v '^PrivateKey\|^Address' $file) <<END
[Interface]
# Endpoint = 192.0.2.2:51820
# DNS = 192.0.2.53
ListenPort = 51820
Masquerade = yes
OpenPort = yes
END
keep
for _ in 1 2; do
	fails 1 wgq init
	says 'wg0.conf: is there already'
	says 'hint: `wgq peer add NAME -i wg0` adds a client to it'
	unchanged
done
: >/etc/wireguard/wg1.conf
fails 1 wgq init wg1
[[ ! -s /etc/wireguard/wg1.conf ]]
ln -s nowhere /etc/wireguard/wg2.conf
fails 1 wgq init wg2
[[ ! -e /etc/wireguard/nowhere ]]
rm /etc/wireguard/wg[12].conf
# a link of that name that is up is no file
remember
wgq -q up wg0 2>/dev/null
wgq -q peer add phone >/dev/null
[[ $(wg show wg0 peers) ]]
wgq -q down wg0
# 20 have 20 keys and networks
for number in {1..20}; do wgq -q init wg$number >/dev/null; done
for key in PrivateKey Address ListenPort; do [[ $(grep -h "^$key" /etc/wireguard/*.conf | sort -u | wc -l) == 21 ]]; done
fails 2 wgq init a/b
fails 2 wgq init 0123456789abcdef"#,
    );
}

#[test]
fn what_is_asked_for_is_in_the_file() {
    host(
        r#"has_line() { grep -qxF "$1" $file || { cat $file; return 1; }; }
again() { rm -f $file; fails 0 wgq init "$@"; }
again --no-ipv6
grep -qE '^Address = [0-9.]+/24$' $file
again --subnet 10.66.0.0/22
grep -qE '^Address = 10.66.0.1/22, fd.*::1/64$' $file
again --subnet 10.66.0.0/22 --no-ipv6
has_line 'Address = 10.66.0.1/22'
again --subnet fd12:3456::/64
has_line 'Address = fd12:3456::1/64'
again --subnet 10.66.0.0/22,fd12:3456::/112
has_line 'Address = 10.66.0.1/22, fd12:3456::1/112'
again --uplink uplink --port 4500 --dns 9.9.9.9,lan.example
has_line 'Masquerade = uplink'
has_line 'ListenPort = 4500'
has_line '# DNS = 9.9.9.9,lan.example'
has_line '# Endpoint = 192.0.2.2:4500'
again --dns none
lacks '^# DNS' $file
says 'clients are given no DNS server'
again --endpoint vpn.example.com
has_line '# Endpoint = vpn.example.com:51820'
[[ $said != *guess* ]]
again --endpoint vpn.example.com:7 --port 9
has_line '# Endpoint = vpn.example.com:7'
has_line 'ListenPort = 9'
rm $file
for wrong in '--subnet 10.0.0.0/31' '--subnet 10.0.0.1/32' '--subnet 10.1.0.0/24,10.2.0.0/24' '--subnet fd00::/127' '--dns ,' '--dns x;y' \
	'--endpoint x:0' '--uplink nowhere'; do
	fails 1 wgq init $wrong
	[[ ! -e $file ]]
done
for wrong in '--port 0' '--port 65536' '--subnet x' '--uplink a/b'; do fails 2 wgq init $wrong; done
[[ ! -e $file ]]"#,
    );
}

#[test]
fn a_network_and_a_port_that_are_taken_are_not_chosen() {
    host(
        r"# all of 10.0.0.0/8 but 10.123.99.0/24 belongs to routes, addresses and other files
ip address add 10.0.0.1/10 dev uplink
ip route add 10.128.0.0/9 via 192.0.2.1
printf '[Interface]\nListenPort = 51820\nAddress = 10.64.0.1/11\n[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0, 10.96.0.0/12, 10.112.0.0/13, 10.120.0.0/15, 10.122.0.0/16, 10.124.0.0/14\n' \
	$peer1 >/etc/wireguard/other.conf
for third in {0..98}; do ip route add blackhole 10.123.$third.0/24; done
for third in {100..255}; do ip route add 10.123.$third.0/24 via 192.0.2.1; done
# and the next port to another program
perl -MSocket -e 'socket S, AF_INET, SOCK_DGRAM, 0; bind S, pack_sockaddr_in(51821, INADDR_ANY) or die; sleep 60' &
perl -MSocket -e 'socket S, AF_INET6, SOCK_DGRAM, 0; bind S, pack_sockaddr_in6(51822, Socket::IN6ADDR_ANY) or die; sleep 60' &
for _ in {1..100}; do [[ $(ss -Huln | grep -c ':5182[12] ') == 2 ]] && break; sleep 0.05; done
fails 0 wgq init --no-ipv6
grep -qx 'Address = 10.123.99.1/24' $file
grep -qx 'ListenPort = 51823' $file
# then none is left of 10.0.0.0/8
fails 0 wgq init wg1
grep -qE '^Address = 172\.(2[0-9]|3[01])\.[0-9]+\.1/24' /etc/wireguard/wg1.conf
grep -qx 'ListenPort = 51824' /etc/wireguard/wg1.conf
ip route add 172.16.0.0/12 via 192.0.2.1
fails 1 wgq init wg2
says 'hint: --subnet PREFIX says which'
[[ ! -e /etc/wireguard/wg2.conf ]]
# what is asked for is done, with a warning
fails 0 wgq init wg2 --subnet 10.123.99.0/25 --port 51820
says 'warning: --subnet 10.123.99.0/25: this host has to do with 10.123.99.0/24 already'",
    );
}

#[test]
fn an_uplink_that_nobody_reaches_is_told() {
    host(
        r#"again() { rm -f $file; fails 0 wgq init "$@"; }
move() { ip address flush dev uplink; ip address add "$1" dev uplink; ip route replace default dev uplink; }
move 192.168.1.50/24
again
says 'warning: 192.168.1.50 is a private address: clients elsewhere cannot reach it'
says 'have the router forward UDP port 51820 of its public address to 192.168.1.50 port 51820, then `wgq endpoint wg0 HOST:PORT`'
move 100.100.1.2/10
again
says 'behind the carrier'
says '(100.64.0.0/10)'
says 'relay'
# one that is asked for says the same
again --endpoint 192.168.1.50
says 'is a private address'
[[ $said != *guess* ]]
again --endpoint 203.0.113.7
[[ $said != *warning* ]]
ip link set uplink down
again
says 'this host has no default route'
lacks '^# Endpoint' $file
[[ $(rm $file; wgq -q --json init 2>/dev/null | jq -c '[.endpoint, .endpoint_is_guess]') == '[null,false]' ]]
# without IPv6 at all
rm $file
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
fails 0 wgq init
grep -qE '^Address = [0-9.]+/24$' $file"#,
    );
}
