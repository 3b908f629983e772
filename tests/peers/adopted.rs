//! Files that other programs have made: their peers are known by name, and the rest stays byte for byte.

use super::host;

/// A file of two clients, as a program writes it around their sections: `before` and `after` with NAME in them.
fn file(before: &str, after: &str) -> String {
    let mut text = "\
[Interface]
Address = 10.66.66.1/24,fd42:42:42::1/64
ListenPort = 51820
PrivateKey = $private
PostUp = true
"
    .to_owned();
    for (name, key, number) in [("phone", "$peer1", "2"), ("Anns-laptop", "$peer2", "3")] {
        text += "\n";
        text += &before.replace("NAME", name);
        let ips = ["10.66.66.NUMBER/32", "fd42:42:42::NUMBER/128"].join(",");
        let section =
            format!("[Peer]\nPublicKey = {key}\nPresharedKey = $psk\nAllowedIPs = {ips}\n");
        text += &section.replace("NUMBER", number);
        text += &after.replace("NAME", name);
    }
    text
}

/// What is done to the peers of a file; `$file` has them both, `$work/one` only the first.
const WORK: &str = r#"
for end in unix dos; do
	if [[ $end == dos ]]; then sed -i 's/$/\r/' "$work/one" "$work/two"; fi
	cp "$work/two" $file
	wgq -q up wg0 2>/dev/null
	[[ $(wgq --json peer list | jq -r '.peers[].name' | xargs) == 'phone Anns-laptop' ]]
	keep
	for name in phone Anns-laptop; do
		fails 0 wgq peer disable $name
		[[ $(listed $name .state) == disabled && $(wg show wg0 peers | wc -l) == 1 ]]
		[[ $(wgq --json peer list | jq -r '.peers[].name' | xargs) == 'phone Anns-laptop' ]]
		fails 0 wgq peer enable $name
		unchanged
	done
	fails 0 wgq peer remove Anns-laptop
	cmp "$work/one" $file
	[[ $(wg show wg0 peers) == $peer1 ]]
	# a new one takes the free address, and leaves nothing of itself
	wgq -q peer add tablet --endpoint vpn.example >/dev/null
	[[ $(address tablet) == '10.66.66.3/32 fd42:42:42::3/128' ]]
	wgq -q peer remove tablet
	cmp "$work/one" $file
	# the first one
	cp "$work/two" $file
	wgq -q apply wg0
	fails 0 wgq peer remove phone
	cmp "$work/second" <(tr -d '\r' <$file)
	[[ $(wg show wg0 peers) == $peer2 ]]
	wgq -q down wg0
	rm -r /etc/wireguard/clients
done"#;

fn adopted(before: &str, after: &str) {
    let two = file(before, after);
    let gap = |at: usize| {
        two.match_indices("\n\n")
            .nth(at)
            .map_or(0, |(at, _)| at + 1)
    };
    let one = &two[..gap(1)];
    let second = format!("{}{}", &two[..gap(0)], &two[gap(1)..]);
    host(&format!(
        "psk=bjsmlVZsj1/BBxmrKp5ElEgxMTLdgsZmNAQQQFxm4lE=\n\
         cat >\"$work/two\" <<END\n{two}END\ncat >\"$work/one\" <<END\n{one}END\n\
         cat >\"$work/second\" <<END\n{second}END\n{WORK}"
    ));
}

#[test]
fn of_angristan() {
    adopted("### Client NAME\n", "");
}

#[test]
fn of_pivpn() {
    adopted("### begin NAME ###\n", "### end NAME ###\n");
}

#[test]
fn of_hwdsl2() {
    adopted("# BEGIN_PEER NAME\n", "# END_PEER NAME\n");
}

#[test]
fn of_wg_easy() {
    adopted(
        "# Client: NAME (4f1c9f60-8d0c-4a51-9d1b-f5f2f1c9d1aa)\n",
        "",
    );
}
