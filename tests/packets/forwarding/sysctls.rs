//! Forwarding itself: turned on where it has to be, and off again only where nobody else needs it.

use super::server;

#[test]
fn only_the_families_in_use_are_forwarded() {
    server(
        r#"on() {
	sed -i 's|^Address.*|Address = '$1'|; s|^AllowedIPs.*|AllowedIPs = '$2'|' $work/wg0
	keys 'Forward = yes'
	remember
	wgq -q up wg0
	[[ $(forwarding) == "$3" ]]
	wgq -q down wg0
	same
}
on 10.8.0.1/24 10.8.0.2/32 '1 0'
on fd00:8::1/64 fd00:8::2/128 '0 1'
# an address that a peer alone has is in use as well
on 10.8.0.1/24 10.8.0.2/32,fd00:8::2/128 '1 1'"#,
    );
}

#[test]
fn what_cannot_be_written_matters_only_if_it_is_wrong() {
    server(
        r"mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
keys 'Masquerade = yes'
remember
fails 1 wgq up wg0
says 'wgq: sysctl -q net.ipv4.ip_forward=1: Read-only file system (os error 30)'
says 'wgq: hint: /proc/sys cannot be written here; set net.ipv4.ip_forward=1 on the host'
says 'wg0 was rolled back: nothing was changed'
same
right() {
	mount -o remount,bind,rw /proc/sys
	sysctl -qw $@
	mount -o remount,bind,ro /proc/sys
}
right net.ipv4.ip_forward=1
remember
fails 1 wgq up wg0
says 'sysctl -q net.ipv6.conf.uplink.accept_ra=2: Read-only'
same
right net.ipv6.conf.all.forwarding=1
remember
wgq up wg0 2>$work/said
lacks -i 'read-only\|sysctl' $work/said
fresh
answers client ping 198.51.100.1
wgq -q down wg0
same",
    );
}

/// A router that advertises itself, as RFC 4861 has it; the kernel adds the checksum.
const ROUTER: &str = r#"
advertise() {
	ip netns exec world perl -MSocket=:all -e '
		socket(my $raw, AF_INET6, SOCK_RAW, 58) or die;
		setsockopt($raw, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, pack("i", 255)) or die;
		my $all = pack_sockaddr_in6(0, inet_pton(AF_INET6, "ff02::1"), $ARGV[0]);
		send($raw, pack("CCnCCnNN", 134, 0, 0, 64, 0, 1800, 0, 0), 0, $all) or die $!' "$(ip netns exec world cat /sys/class/net/outside/ifindex)"
}
default() { ip -6 route show default | has 'proto ra'; }
soon() { for _ in {1..50}; do ! "$@" || return 0; sleep 0.02; done; printf 'not soon: %s\n' "$*"; return 1; }
world sysctl -qw net.ipv6.conf.all.forwarding=1 # or neighbour discovery tells that it is no router
ip -6 route delete default
"#;

#[test]
fn the_default_route_that_a_router_advertised_survives_forwarding() {
    // a dot in the name is a slash in the variable's
    for uplink in ["uplink", "uplink.7"] {
        server(&format!(
            r"{ROUTER}
if [[ {uplink} != uplink ]]; then
	ip link set uplink down
	ip link set uplink name {uplink}
	ip link set {uplink} up
	ip addr add 2001:db8::2/64 dev {uplink} nodad
	ip route add default via 192.0.2.1
	until [[ $(ip -6 -o addr show dev {uplink} scope link -tentative) ]]; do sleep 0.02; done
fi
accept_ra() {{ cat /proc/sys/net/ipv6/conf/{uplink}/accept_ra; }}
soon advertise # as soon as the link is up
soon default
[[ $(accept_ra) == 1 ]]
keys 'Masquerade = yes'
tell world 80
wgq -q up wg0
[[ $(forwarding) == '1 1' && $(accept_ra) == 2 ]]
default
fresh
sees 2001:db8::2 2001:db8:f::1 80 fd00:8::2 -- client
# and it is renewed
ip -6 route delete default
advertise
soon default
wgq -q down wg0
[[ $(forwarding) == '0 0' && $(accept_ra) == 1 ]]
default
# where somebody forwards on, it is kept
wgq -q up wg0
ip6tables -A FORWARD -i docker0 -j ACCEPT
wgq -q down wg0
[[ $(forwarding) == '1 1' && $(accept_ra) == 2 ]]
default"
        ));
    }
}

#[test]
fn a_router_that_advertises_itself_only_later_is_heeded_too() {
    server(&format!(
        r"{ROUTER}
accept_ra() {{ cat /proc/sys/net/ipv6/conf/{{uplink,docker1}}/accept_ra | xargs; }}
ip link add docker1 type veth peer name docker2
keys 'Masquerade = yes'
wgq -q up wg0
[[ $(accept_ra) == '2 1' ]] # it has an IPv4 default route; no other network's hosts are routers
soon advertise
soon default
ip -6 route delete default
wgq -q down wg0
[[ $(forwarding) == '0 0' && $(accept_ra) == '1 1' ]]
# one that forwarded already does not listen, and is not made to
sysctl -qw net.ipv6.conf.all.forwarding=1
wgq -q up wg0
[[ $(accept_ra) == '1 1' ]]
wgq -q down wg0"
    ));
}

#[test]
fn advertisements_that_another_program_listens_to_are_left_to_it() {
    server(
        r"ip -6 route replace default via 2001:db8::1 proto ra # as networkd and NetworkManager make it
sysctl -qw net.ipv6.conf.uplink.accept_ra=0
keys 'Masquerade = yes'
wgq -q up wg0
[[ $(sysctl -n net.ipv6.conf.uplink.accept_ra) == 0 ]]",
    );
}

#[test]
fn forwarding_is_turned_off_by_the_last_tunnel_that_needs_it() {
    server(
        r"config wg1 <<END
Address = 10.9.0.1/24
Forward = yes
END
keys 'Forward = yes'
remember
wgq -q up wg0
wgq -q up wg1
wgq -q down wg0
[[ $(forwarding) == '1 0' ]] # wg1 has nothing to do with IPv6
wgq -q up wg0
wgq -q down wg1
[[ $(forwarding) == '1 1' ]]
fresh
wgq -q down wg0
same
# the one that turned it on need not be the last
wgq -q up wg0
wgq -q up wg1
wgq -q down wg0
wgq -q down wg1
same
# nor does one that fails turn it off under another, or leave it on
echo 'PostUp = false' >>/etc/wireguard/wg1.conf
sed -i '/^PostUp/d; /^Address/a PostUp = false' /etc/wireguard/wg1.conf
wgq -q up wg0
fails 1 wgq -q up wg1
[[ $(forwarding) == '1 1' ]]
wgq -q down wg0
fails 1 wgq -q up wg1
[[ $(forwarding) == '0 0' ]]",
    );
}

#[test]
fn what_was_set_to_something_else_meanwhile_stays() {
    server(
        r"keys 'Forward = yes'
wgq -q up wg0
sysctl -qw net.ipv4.ip_forward=0
wgq -q down wg0
[[ $(forwarding) == '0 0' ]]
# and what was on before is no business of ours
sysctl -qw net.ipv4.ip_forward=1
wgq -q up wg0
wgq -q down wg0
[[ $(forwarding) == '1 0' ]]",
    );
}

/// What Docker does when it starts: with forwarding on already, its rules are all that shows that it needs it.
const DOCKER: &str = r"
docker() {
	for ip in iptables ip6tables; do
		$ip -P FORWARD DROP
		$ip -N DOCKER
		$ip -A FORWARD -o docker0 -j DOCKER
		$ip -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		$ip -t nat -A POSTROUTING ! -o docker0 -j MASQUERADE
	done
}
";

#[test]
fn forwarding_stays_on_for_who_came_to_need_it() {
    for other in [
        "docker",
        // only for what it masquerades
        "iptables -t nat -A POSTROUTING -o uplink -j MASQUERADE; ip6tables -t nat -A POSTROUTING -o uplink -j MASQUERADE",
        "nft 'table inet lxd { chain fwdlxdbr0 { type filter hook forward priority 0; iifname lxdbr0 accept; }; }'",
    ] {
        server(&format!(
            r"{DOCKER}
keys 'Forward = yes'
wgq -q up wg0
{other}
wgq -q down wg0
[[ $(forwarding) == '1 1' ]]"
        ));
    }
    // by another tunnel's way, too, that came when forwarding was on already
    server(&format!(
        r"{DOCKER}
config wg1 <<END
Address = 10.9.0.1/24
Forward = yes
END
keys 'Forward = yes'
wgq -q up wg0
docker
wgq -q up wg1
wgq -q down wg0
wgq -q down wg1
[[ $(forwarding) == '1 1' ]]"
    ));
}

#[test]
fn rules_that_were_there_while_it_was_off_do_not_keep_it_on() {
    server(&format!(
        r"{DOCKER}
docker
iptables -A INPUT -i lo -j ACCEPT
keys 'Forward = yes' 'OpenPort = yes'
remember
wgq -q up wg0
iptables -A INPUT -p tcp --dport 22 -j ACCEPT # says nothing of what is passed on
wgq -q down wg0
iptables -D INPUT -p tcp --dport 22 -j ACCEPT
same"
    ));
}

#[test]
fn rules_of_the_files_own_hooks_are_nobody_elses() {
    server(&format!(
        r#"{DOCKER}
own=('Forward = yes' 'PostUp = iptables -A FORWARD -i %i -j ACCEPT' 'PostDown = iptables -D FORWARD -i %i -j ACCEPT')
keys "${{own[@]}}"
iptables -A FORWARD -i lo -j ACCEPT
remember
wgq -q up wg0
wgq -q down wg0
same
# nor where they fail
keys 'PostUp = false' "${{own[@]}}"
fails 1 wgq -q up wg0
same
# but who comes while they are there is seen
keys "${{own[@]}}"
wgq -q up wg0
docker
wgq -q down wg0
[[ $(forwarding) == '1 1' ]]"#
    ));
}

#[test]
fn a_rule_that_drops_shows_no_need_and_what_stays_is_said() {
    server(&format!(
        r"{DOCKER}
nft 'table inet f {{ chain forward {{ type filter hook forward priority 0; }}; }}'
keys 'Forward = yes'
wgq -q up wg0
nft 'add rule inet f forward ip saddr 1.2.3.4 drop'
wgq down wg0 2>$work/said
[[ $(forwarding) == '0 0' ]]
lacks stays $work/said
wgq -q up wg0
docker
wgq down wg0 2>$work/said
has 'net.ipv4.ip_forward stays 1: other' $work/said
has 'net.ipv6.conf.all.forwarding stays 1: other' $work/said
sysctl -qw net.ipv4.ip_forward=0
wgq -q up wg0
nft 'add rule inet f forward iifname docker1 accept'
wgq -q down wg0 2>$work/said
[[ ! -s $work/said ]]"
    ));
}

#[test]
fn what_a_pre_up_hook_turned_on_is_its_own_business() {
    server(
        r"keys 'Masquerade = yes' 'PreUp = sysctl -qw net.ipv4.ip_forward=1'
wgq -q up wg0
wgq -q down wg0
[[ $(forwarding) == '1 0' ]]",
    );
}

#[test]
fn what_the_kernel_changes_along_with_forwarding_comes_back() {
    server(
        r"config wg1 <<END
Address = 10.9.0.1/24
Forward = yes
END
keys 'Forward = yes'
sysctl -qw net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.uplink.forwarding=1 net.ipv6.conf.uplink.forwarding=1
remember
wgq -q up wg0
[[ $(forwarding) == '1 1' ]]
wgq -q down wg0
same
# by whichever is the last
wgq -q up wg0
wgq -q up wg1
wgq -q down wg0
wgq -q down wg1
same
# and by one that fails
keys 'Forward = yes' 'PostUp = false'
touch -d yesterday /etc/wireguard/wg1.conf
fails 1 wgq -q up wg0
same
# an interface that comes to forward or not meanwhile is somebody else's business
keys 'Forward = yes'
ip link add eth.1 type veth peer name eth2
sysctl -qw net.ipv4.conf.eth/1.forwarding=1
wgq -q up wg0
sysctl -qw net.ipv4.conf.uplink.forwarding=0
wgq -q down wg0
[[ $(sysctl -n net.ipv4.conf.uplink.forwarding net.ipv4.conf.eth/1.forwarding | xargs) == '0 1' ]]
# and one that went is no harm
wgq -q up wg0
ip link delete eth2
wgq -q down wg0",
    );
}
