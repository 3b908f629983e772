//! A server beside other people's firewalls, with real packets: a client connects and reaches the world through it, and the
//! firewall is what it was afterwards. Each test is a script that begins with tests/engine/prelude.sh, foreign.sh and
//! firewalls.sh.

use crate::script;

const FOREIGN: &str = include_str!("../engine/foreign.sh");
const FIREWALLS: &str = include_str!("../engine/firewalls.sh");

fn server(script: &str) {
    script::host(&format!("{FOREIGN}\n{FIREWALLS}\n{script}"));
}

/// Docker's filter table for both families; the user's chain is added by who has one.
const DOCKER: &str = r"
for ip in iptables ip6tables; do
	$ip -P FORWARD DROP
	$ip -N DOCKER
	$ip -N DOCKER-ISOLATION-STAGE-1
	$ip -A FORWARD -j DOCKER-ISOLATION-STAGE-1
	$ip -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	$ip -A FORWARD -o docker0 -j DOCKER
	$ip -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
	$ip -A DOCKER-ISOLATION-STAGE-1 -j RETURN
done
";

#[test]
fn docker_without_a_chain_for_the_user() {
    server(&format!(
        r#"{DOCKER}
reload() {{ for ip in iptables ip6tables; do $ip -D FORWARD -i wg0 -m comment --comment 'wgq wg0' -j ACCEPT; done; }}
broken() {{ not_forwarded; }}
survives
key_by_key
# iptables shows our rules, takes them for its own, and what it makes of them by way of a file is known too
answers='-m conntrack --ctstate RELATED,ESTABLISHED' redirected='-m conntrack --ctstate DNAT' mine='-m comment --comment "wgq wg0" -j ACCEPT'
keys 'Masquerade = yes' "${{ports[@]}}"
wgq -q up wg0
for ip in iptables ip6tables; do
	$ip -S FORWARD >"$work/rules"
	for rule in '-i wg0' "-o wg0 $answers" "-o wg0 $redirected"; do
		has -x -- "-A FORWARD $rule $mine" "$work/rules"
		eval "$ip -C FORWARD $rule $mine"
	done
	$ip-save >"$work/saved"
	$ip-restore <"$work/saved"
	$ip -S FORWARD | diff "$work/rules" -
done
works
forwarded
unreached
wgq -q down wg0
iptables-save | lacks wgq
ip6tables-save | lacks wgq
remember
# each goes by the words that show it
wgq -q up wg0
for ip in iptables ip6tables; do
	for rule in '-i wg0' "-o wg0 $answers" "-o wg0 $redirected"; do eval "$ip -D FORWARD $rule $mine"; done
done
iptables-save | lacks wgq
ip6tables-save | lacks wgq
# what an earlier version accepted gives way to less, or goes
wide() {{ iptables -A FORWARD -o wg0 -m comment --comment 'wgq wg0' -j ACCEPT; }}
wgq -q down wg0
same
wide
wgq -q up wg0
iptables -S FORWARD | lacks -x -- "-A FORWARD -o wg0 $mine"
wide
wgq -q down wg0
same"#
    ));
}

#[test]
fn docker_with_a_chain_for_the_user() {
    server(&format!(
        r"{DOCKER}
for ip in iptables ip6tables; do
	$ip -N DOCKER-USER
	$ip -A DOCKER-USER -j RETURN
	$ip -I FORWARD -j DOCKER-USER
done
reload() {{ for ip in iptables ip6tables; do $ip -F DOCKER-USER; $ip -A DOCKER-USER -j RETURN; done; }}
broken() {{ not_forwarded; }}
survives
key_by_key
keys 'Masquerade = yes'
wgq -q up wg0
iptables -S DOCKER-USER | has -- '-A DOCKER-USER -i wg0 -m comment'
iptables -S FORWARD | lacks wg0"
    ));
}

#[test]
fn the_commands_of_a_dry_run_do_the_same() {
    server(&format!(
        r#"{DOCKER}
nft -f - <<'END'
{HAND_MADE}
END
listing() {{ iptables -S; ip6tables -S; nft -s list table inet filter; }}
remember
for keys in 'Masquerade = yes' 'Masquerade = wg0' 'Forward = yes' 'PortForward = tcp/8080 -> 10.8.0.2:80'; do
	keys "$keys" 'OpenPort = yes'
	wgq -q up wg0
	listing >"$work/native"
	wgq -q down wg0
	wgq -q --dry-run up wg0 2>/dev/null | grep -E '^(iptables|ip6tables|nft .(add|insert)) ' >"$work/commands"
	bash -e "$work/commands"
	listing | diff "$work/native" -
	# and wgq takes away what they did, too
	wgq -q down wg0
	same
done"#
    ));
}

#[test]
fn what_the_user_drops_stays_dropped() {
    server(
        r"iptables -P FORWARD DROP
iptables -N DOCKER-USER
iptables -A DOCKER-USER -i wg0 -d 198.51.100.1 -j DROP
iptables -A DOCKER-USER -j RETURN
iptables -A FORWARD -j DOCKER-USER
wgq up wg0
iptables -S DOCKER-USER | sed -n 3p | has -- '-i wg0 -m comment'
silent client ping 198.51.100.1
wgq down wg0",
    );
}

#[test]
fn ufw_with_its_defaults() {
    server(
        r#"mkdir "$work/ufw"
cp -a /usr/share/ufw/iptables/. /etc/ufw/. "$work/ufw"
mount --bind "$work/ufw" /etc/ufw
cp /etc/default/ufw "$work/default"
mount --bind "$work/default" /etc/default/ufw
mount -t tmpfs tmpfs /var/log
ufw --force enable
ufw reload # which sets up some chains in another way
reload() { ufw reload; }
broken() { closed; }
survives
key_by_key
keys 'Masquerade = yes' 'OpenPort = yes'
ufw route deny in on wg0 to 198.51.100.1
wgq -q up wg0
silent client ping 198.51.100.1"#,
    );
}

#[test]
fn firewalld_with_the_interface_in_no_zone() {
    server(
        r#"mkdir -p /run/dbus "$work/firewalld"
mount --bind "$work/firewalld" /etc/firewalld
mount -t tmpfs tmpfs /var/log
cat >"$work/bus.conf" <<END
<busconfig>
<type>system</type>
<listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
END
dbus-daemon --config-file="$work/bus.conf" --fork
firewalld --nofork --nopid &>"$work/firewalld.log" &
until [[ $(firewall-cmd --state 2>/dev/null) == running ]]; do sleep 0.1; done
reload() { firewall-cmd --reload; }
broken() { closed; }
survives
key_by_key
keys 'Masquerade = yes' 'OpenPort = yes'
# nothing more than asked for: the server itself is as closed to the client as before
wgq -q up wg0
works
fails 1 client bash -c 'echo >/dev/tcp/10.8.0.1/7777'
says 'No route to host' # refused by firewalld; where it accepts, by the kernel: there is nobody at this port"#,
    );
}

const HAND_MADE: &str = r#"
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iifname lo accept
		meta l4proto ipv6-icmp accept
		counter log prefix "in "
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname { "lan0", "lan1" } accept
		ip daddr 192.0.2.99 drop
		log prefix "dropped: " counter
		reject
	}
}
"#;

#[test]
fn a_table_made_by_hand() {
    server(&format!(
        r"rules() {{ nft -f - <<'END'
{HAND_MADE}
END
}}
rules
reload() {{ nft flush table inet filter; rules; }}
broken() {{ closed; }}
survives
key_by_key"
    ));
}

#[test]
fn two_tables_that_both_drop() {
    server(&format!(
        r"rules() {{ nft -f - <<'END'
{HAND_MADE}
END
}}
rules
iptables -P FORWARD DROP
iptables -P INPUT DROP
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
reload() {{ iptables -F FORWARD; ip6tables -P FORWARD DROP; ip6tables -F FORWARD; }}
reload
broken() {{ not_forwarded; }}
survives
key_by_key"
    ));
}

#[test]
fn nothing_is_done_where_nothing_drops() {
    server(
        r#"iptables -A FORWARD -i lan0 -j DROP
nft -f - <<END
table inet filter {
	chain forward { type filter hook forward priority filter; policy accept; ct state invalid drop; }
	chain input {
		type filter hook input priority filter; policy drop
		ct state established,related accept
		udp dport 51820 accept
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
	}
	chain mine { type filter hook forward priority 10; policy drop; iifname "wg*" accept; oifname wg0 accept; }
}
END
remember
wgq up wg0
works
reached
nft list ruleset 2>/dev/null | lacks 'wgq wg0"'
wgq down wg0
same"#,
    );
}

#[test]
fn answers_that_are_accepted_already_are_not_accepted_again() {
    server(
        r#"keys 'Masquerade = yes'
# accepts RULE...: the accepts that wgq adds behind the rule
accepts() {
	nft flush ruleset
	nft "table inet filter { chain forward { type filter hook forward priority filter; policy drop; }; chain other { }; }"
	nft add rule inet filter forward "$@"
	wgq -q --dry-run up wg0 2>/dev/null | sed -n "s/^nft '[a-z]* rule inet filter forward \(index 1 \)\?\(.*\) accept comment.*/\2/p"
}
from='iifname "wg0"' answers='oifname "wg0" ct state established,related'
for rule in 'ct state established,related accept' 'ct state { established, related } accept' \
	'ct state established,related,new accept' 'counter ct state { established, related, untracked } counter accept' \
	'ct state vmap { established : accept, related : accept, invalid : drop }' \
	'ct state vmap { established : accept, related : accept, new : jump other }'; do
	[[ $(accepts "$rule") == "$from" ]] || { echo "not known: $rule"; exit 1; }
done
for rule in 'ct state established accept' 'ct state invalid drop' 'ct state != { established, related } accept' \
	'ct state established,related drop' 'ct state { established, related } log' 'ct state { established, invalid } accept' \
	'ct state vmap { established : accept, related : drop }' 'ct state vmap { established : drop, related : jump other }' \
	'ct direction reply accept' 'ct mark and 6 != 0 accept' 'meta mark and 6 != 0 accept' 'meta mark { 2, 4 } accept' \
	'ct state . iifname vmap { established . "uplink" : accept, related . "uplink" : accept }' \
	'iifname "lan0" ct state established,related accept' 'ct original saddr 192.0.2.9 ct state established,related accept' \
	'ct status dnat accept' 'ct status seen-reply accept'; do
	[[ $(accepts "$rule") == "$from"$'\n'"$answers" ]] || { echo "mistaken: $rule: $(accepts "$rule")"; exit 1; }
done
# and by iptables
accepts() {
	nft flush ruleset
	iptables -P FORWARD DROP
	iptables -A FORWARD "$@" -j ACCEPT
	wgq -q --dry-run up wg0 2>/dev/null | grep -c "^iptables -A FORWARD"
}
for rule in '-m conntrack --ctstate RELATED,ESTABLISHED' '-m state --state ESTABLISHED,RELATED' '-m conntrack --ctstate NEW,RELATED,ESTABLISHED'; do
	[[ $(accepts $rule) == 1 ]] || { echo "not known: $rule"; exit 1; }
done
for rule in '-m conntrack ! --ctstate RELATED,ESTABLISHED' '-m conntrack --ctstate RELATED' '-m conntrack --ctstatus ASSURED' \
	'-p tcp -m conntrack --ctstate RELATED,ESTABLISHED' '-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY'; do
	[[ $(accepts $rule) == 2 ]] || { echo "mistaken: $rule"; exit 1; }
done"#,
    );
}

#[test]
fn iptables_legacy_is_told_with_what_to_run() {
    server(
        r#"iptables-legacy -P FORWARD DROP
iptables-legacy -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-legacy -A INPUT -j REJECT
remember
said=$(wgq up wg0 2>&1)
says 'warning: the chain FORWARD of the table ip filter drops what wg0 forwards and answers that are forwarded to wg0'
says 'iptables-legacy -I INPUT -p udp -m udp --dport 51820 -j ACCEPT'
wgq down wg0
same
# what it tells to run helps
eval "$(sed -n 's/.*to accept: `\(.*\)`$/\1/p' <<<"$said")"
wgq up wg0 2>&1 | lacks iptables-legacy
works
neither 10.8.0.2 80 198.51.100.1 -- world # nobody drops IPv6
wgq down wg0"#,
    );
}

#[test]
fn a_table_that_belongs_to_a_program_alone_is_told_with_what_to_run() {
    server(
        r#"mkfifo "$work/commands"
nft -i <"$work/commands" &
exec 7>"$work/commands"
cat >&7 <<END
add table inet firewalld { flags owner; }
add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy accept; }
add rule inet firewalld filter_FORWARD reject
END
until nft list table inet firewalld | has reject; do sleep 0.1; done
said=$(wgq up wg0 2>&1)
says 'warning: the chain filter_FORWARD of the table inet firewalld drops what wg0 forwards'
says 'with NftablesTableOwner=no'
wgq down wg0"#,
    );
}
