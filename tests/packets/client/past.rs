//! `ExcludeIPs` and `KeepInbound`: what goes past the tunnel, and is to.

use super::client;

#[test]
fn what_is_excluded_goes_past_the_tunnel_and_the_kill_switch() {
    for keys in ["", "KillSwitch = yes"] {
        client(&format!(
            r"tunnel 'ExcludeIPs = 198.51.100.2, 2001:db8:f::2
{keys}'
remember
wgq -q up wg0
for target in 198.51.100.1 2001:db8:f::1; do ip route get $target | has 'dev wg0'; done
for target in 198.51.100.2 2001:db8:f::2; do ip route get $target | has 'dev uplink'; done
listen
for target in 198.51.100.{{1,2}} 2001:db8:f::{{1,2}}; do answers ping $target; done
heard 'icmp or icmp6' >$work/seen
cat $work/seen
has 198.51.100.2: $work/seen
has 2001:db8:f::2: $work/seen
lacks -e 198.51.100.1: -e 2001:db8:f::1: $work/seen
wgq -q down wg0
same"
        ));
    }
}

#[test]
fn what_is_excluded_is_carved_out_of_a_wide_split_tunnel() {
    client(
        r"tunnel 'ExcludeIPs = 198.51.100.2, 2001:db8:f::2' '198.51.0.0/16, 2001:db8:f::/48'
remember
wgq -q up wg0
for target in 198.51.100.1 198.51.7.7 2001:db8:f::1; do ip route get $target | has 'dev wg0'; done
for target in 198.51.100.2 2001:db8:f::2; do ip route get $target | has 'dev uplink'; answers ping $target; done
answers ping 198.51.100.1
wgq -q down wg0
same",
    );
}

#[test]
fn who_came_in_past_the_tunnel_is_answered_past_it() {
    for keys in ["", "KillSwitch = yes"] {
        client(&format!(
            r"
sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.uplink.rp_filter=1
reached() {{
	$1 world ping -I 198.51.100.1 192.0.2.2
	$1 world ping -I 2001:db8:f::1 2001:db8::2
}}
# an RST is an answer, too
refused() {{ (world timeout 2 bash -c 'echo x >/dev/tcp/192.0.2.2/22' 2>&1 || true) | has refused; }}
ip -n world route change 192.0.2.0/24 dev outside src 198.51.100.1
tunnel '{keys}'
reached answers
refused
wgq -q up wg0
reached silent
wgq -q down wg0
tunnel 'KeepInbound = yes
{keys}'
remember
wgq -q up wg0
reached answers
refused
# and all else goes through the tunnel still
listen
for target in 198.51.100.1 2001:db8:f::1; do answers ping $target; done
heard 'icmp or icmp6' >$work/seen
lacks . $work/seen
world ping -q -c1 -W2 10.8.0.2 >/dev/null
wgq -q down wg0
same"
        ));
    }
}

#[test]
fn a_connection_that_came_in_past_the_tunnel_stays_there() {
    client(
        r#"perl -MIO::Socket::IP -e 'my $l = IO::Socket::IP->new(LocalHost => "::", V6Only => 0, LocalPort => 2222, Listen => 5) // die;
	while (my $c = $l->accept) { my $said = <$c>; print $c "heard $said"; close $c }' &
until [[ $(ss -Hltn sport = 2222) ]]; do sleep 0.02; done
ip -n world route change 192.0.2.0/24 dev outside src 198.51.100.1
# talk ADDRESS: from far away, by the uplink
talk() { world timeout 2 bash -c 'exec 3<>/dev/tcp/$0/2222; echo hello >&3; cat <&3' $1; }
tunnel 'KeepInbound = yes
KillSwitch = yes'
# one that is there already stays: whoever brings the tunnel up may have come by it
nft 'table inet filter { chain input { type filter hook input priority 0; ct state established accept; }; }'
mkfifo $work/words
exec 9<>$work/words
world bash -c 'exec 3<>/dev/tcp/192.0.2.2/2222; head -n1 <&9 >&3; cat <&3' >$work/heard &
until [[ $(ss -Htn state established sport = 2222) ]]; do sleep 0.02; done
wgq -q up wg0
echo hello >&9
for _ in {1..50}; do ! has 'heard hello' $work/heard || break; sleep 0.05; done
has 'heard hello' $work/heard
for address in 192.0.2.2 2001:db8::2; do [[ $(talk $address) == 'heard hello' ]]; done
answers ping 198.51.100.1
wgq -q down wg0
tunnel ''
wgq -q up wg0
not talk 192.0.2.2"#,
    );
}

#[test]
fn what_this_host_began_does_not_go_past_the_tunnel() {
    client(
        r#"tunnel 'KeepInbound = yes
KillSwitch = yes'
mkfifo $work/words
exec 9<>$work/words
# nobody tracks connections yet
perl -MIO::Socket::IP -e '$| = 1;
	my $s = IO::Socket::IP->new(Proto => "udp", PeerHost => "198.51.100.1", PeerPort => 5555) // die;
	print $s->sockport;
	$s->send("x") while <STDIN>' <$work/words >$work/port &
until [[ -s $work/port ]]; do sleep 0.02; done
echo >&9
wgq -q up wg0
answers ping 198.51.100.1
listen
# an answer that is the first packet which is seen of it
world perl -MIO::Socket::IP -e 'IO::Socket::IP->new(Proto => "udp", LocalHost => "198.51.100.1", LocalPort => 5555,
	PeerHost => "192.0.2.2", PeerPort => $ARGV[0])->send("x")' $(<$work/port)
sleep 0.2
for _ in 1 2 3; do echo >&9; done
sleep 0.3
heard 'udp and dst port 5555' >$work/leak
cat $work/leak
[[ ! -s $work/leak ]]"#,
    );
}
