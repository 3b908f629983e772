# What every firewall of tests/packets/firewalls.rs must survive, beside tests/engine/foreign.sh.

# survives: the tunnel goes up, works, lets in nobody whom the client did not ask, and leaves nothing; and where `reload`
# throws its rules away, which leaves things `broken`, it works again after `apply`.
survives() {
	remember
	wgq up wg0
	works
	unreached
	wgq down wg0
	same
	wgq -q up wg0
	reload
	broken
	wgq -q apply wg0
	works
	unreached
	reload
	wgq -q down wg0
	same
	wgq -q up wg0
	ip link delete wg0 # as in a crash: the rules are found by their comments
	sleep 0.5
	rm /run/wgq/wg0.json
	wgq -q down wg0
	same
}

ports=('PortForward = tcp/8080 -> 10.8.0.2:80' 'PortForward = udp/8080 -> 10.8.0.2:80'
	'PortForward = tcp/8443 -> [fd00:8::2]:80' 'PortForward = udp/8443 -> [fd00:8::2]:80')
forwarded() {
	sees 198.51.100.1 192.0.2.2 8080 198.51.100.1 -- world
	sees 2001:db8:f::1 2001:db8::2 8443 2001:db8:f::1 -- world
}
# key_by_key: with other keys as much passes as they are for.
key_by_key() {
	keys 'Forward = yes' 'OpenPort = yes'
	wgq -q up wg0
	works
	reached
	wgq -q down wg0
	same
	keys 'Masquerade = wg0' 'OpenPort = yes'
	wgq -q up wg0
	meet
	sees 10.8.0.1 10.8.0.2 80 198.51.100.1 -- world
	sees fd00:8::1 fd00:8::2 80 2001:db8:f::1 -- world
	stays_in
	wgq -q down wg0
	same
	keys 'OpenPort = yes' "${ports[@]}"
	wgq -q up wg0
	meet
	forwarded
	stays_in
	unreached
	wgq -q down wg0
	same
	keys 'OpenPort = yes' 'Masquerade = yes' "${ports[@]}"
	wgq -q up wg0
	works
	forwarded
	unreached
	wgq -q down wg0
	same
}
