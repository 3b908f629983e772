# What tests/faults.rs does with one golden case: `file` is its file, `other` that of another one. Prints how often the command
# came to its fault.
nft -f - <<END
table inet mine {
	chain in { type filter hook input priority 0; policy drop; }
	chain through { type filter hook forward priority 0; policy drop; }
}
END
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
export WG_ENDPOINT_RESOLUTION_RETRIES=0
eval "$(declare -f snapshot | sed '1s/snapshot/whole_snapshot/')"
# The device too, but for what changes by itself; a process may be another one, a record is not compared.
# Rules of ours in a chain of another's have no order among themselves.
snapshot() {
	{
		whole_snapshot | sed 's/^[0-9]* wgq userspace/wgq userspace/' |
			grep -v '^/etc/wireguard\|^nameserver\|table local proto kernel metric 0 '
		wg show wg0 dump 2>/dev/null | awk -F'\t' 'NR == 1 { print $1, $4 } NR > 1 { print $1, $2, $4, $8 }' || true
	} | sort
}
# take FILE: it is the interface's from now on. Of the hooks, which are not the command's to undo, there are none.
take() { sed '/^ *\(Pre\|Post\)\(Up\|Down\)/d; s/^ListenPort *= *0$//' "$1" >/etc/wireguard/wg0.conf; has -i privatekey "$1" || sed -i "1aPrivateKey = $private" /etc/wireguard/wg0.conf; }
up() { "$WGQ" -q up --ignore-unresolved wg0 2>/dev/null; }

# struck FAULT ARGUMENTS...: runs wgq to that fault; fails when there was none.
struck() {
	local fault=$1
	shift
	code=0
	said=$(WGQ_FAULT=$fault "$WGQ" -q "$@" 2>&1) || code=$?
	[[ $code == 137 || $said == *'injected fault'* ]] || { [[ $code == 0 ]] || { printf '%s: %s\n%s\n' "$fault" "$*" "$said"; exit 1; }; return 1; }
	((++count))
}
wrong() { printf 'after %s of %s (%s, %s):\n%s\n' "$1" "$2" "$file" "$other" "$said"; cat "$work/difference"; exit 1; }
# An optional step may fail, and the tunnel does without.
failed() { [[ $code == 1 ]]; }
# gone FAULT: takes down what is left, if anything is.
gone() { said=$("$WGQ" -q down wg0 2>&1) || [[ $said == *'is not up'* ]] || wrong "$1" 'what down found'; }
# the host is: nothing, that of `file`, that of `other`
nothing() { same "$work/before" >/dev/null; }
first() { same "$work/first" >/dev/null; }
second() { same "$work/second" >/dev/null; }

count=0
take "$other"
remember
up || { echo 0; exit 0; }
snapshot >"$work/second"
"$WGQ" -q down wg0
nothing || wrong down "$other"
take "$file"
up || { echo 0; exit 0; }
snapshot >"$work/first"
"$WGQ" -q down wg0 2>/dev/null
nothing || wrong down "$file"

for ((step = 0; ; ++step)); do
	struck fail:$step up --ignore-unresolved wg0 || { "$WGQ" -q down wg0; break; }
	if failed; then nothing || wrong fail:$step up; else "$WGQ" -q down wg0; fi
done
for ((step = 0; ; ++step)); do
	struck kill:$step up --ignore-unresolved wg0 || { "$WGQ" -q down wg0; break; }
	if ((step % 2)); then
		"$WGQ" -q apply --ignore-unresolved wg0 2>/dev/null
		first || wrong kill:$step 'up, and apply'
	fi
	gone kill:$step
	nothing || wrong kill:$step 'up, and down'
done

up
for ((step = 0; ; ++step)); do
	take "$other"
	struck fail:$step apply --ignore-unresolved wg0 || break
	take "$file"
	if failed; then first || wrong fail:$step apply; else "$WGQ" -q apply --ignore-unresolved wg0; fi
done
second || wrong nothing apply
for ((step = 0; ; ++step)); do
	take "$file"
	"$WGQ" -q apply --ignore-unresolved wg0 2>/dev/null
	first || wrong nothing 'apply back'
	take "$other"
	struck kill:$step apply --ignore-unresolved wg0 || break
	if ((step % 2)); then
		"$WGQ" -q apply --ignore-unresolved wg0 2>/dev/null
		second || wrong kill:$step 'apply, and apply'
	else
		"$WGQ" -q down wg0 2>/dev/null
		nothing || wrong kill:$step 'apply, and down'
		take "$file"
		up
	fi
done

for fault in fail kill; do
	for ((step = 0; ; ++step)); do
		struck $fault:$step down wg0 || break
		gone $fault:$step
		nothing || wrong $fault:$step 'down, and down'
		up
	done
	nothing || wrong nothing down
	up
done
"$WGQ" -q down wg0
echo $count
