//! What a provisioning shell needs: all commands without a terminal, with standard input closed, `LANG=C` and nothing in
//! PATH. They ask nothing, print no colours, end with the exit codes that are documented, have no key on any command line, and
//! what they print with `--json` is what tests/schema says.
//!
//! Needs root, or a user namespace in which one is root, and what tests/install installs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

mod schema;
mod script;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// What stands before each command of `$work/json`, with the name of its schema.
const HEAD: &str = "== ";

const RUN: &str = r#"
mkdir "$work/json"
# run CODE ARGUMENT...: it ends with that code, and says nothing on standard output when it fails.
run() {
	local code=$1 status=0
	shift
	setsid --wait env -i LANG=C PATH=/nowhere "$WGQ" "$@" <&- >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err" >>"$work/all"
	[[ $status == "$code" && ( $status == 0 || ${1-} == diff || ! -s $work/out ) ]] ||
		{ printf 'expected exit %s, got %s of: %s\n' "$code" "$status" "$*"; cat "$work/out" "$work/err"; return 1; }
}
# quiet CODE ARGUMENT...: and nothing at all but errors
quiet() {
	local code=$1
	run "$code" -q "${@:2}"
	[[ $code != 0 || ! -s $work/err ]] || { printf 'said by: %s\n' "$*"; cat "$work/err"; return 1; }
}
# json SCHEMA ARGUMENT...: it prints what the schema says
json() {
	run 0 -q --json "${@:2}"
	{ printf '== %s\n' "$1"; cat "$work/out"; } >>"$work/json/all"
}
"#;

const COMMANDS: &str = r#"
# all command lines that there are from now on
(set +e; while :; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' '; done >"$work/command-lines") &
watcher=$!

run 0 --version
run 0 --help
run 0 peer add --help
run 2
run 2 frobnicate
run 2 peer
run 2 peer frobnicate
run 2 init --frobnicate
run 1 pubkey
run 1 up -
run 1 up wg0
run 1 down wg0
run 1 apply wg0
run 2 diff wg0
run 1 peer list
run 1 endpoint wg0
json genkey genkey
json genpsk genpsk
{ echo '== pubkey'; wgq --json pubkey <<<"$private"; } >>"$work/json/all"

run 2 --dry-run peer add phone
json init init --endpoint vpn.example.com --dns 192.0.2.53 --no-ipv6
run 1 init
json init init wg7
json init init wg8 --dns none
rm /etc/wireguard/wg[78].conf
json steps --dry-run up wg0
run 1 diff wg0
quiet 0 up wg0 || has 'this kernel has no WireGuard' <"$work/err"
quiet 0 diff wg0
json steps diff wg0
run 1 up wg0

quiet 0 peer add phone
cp "$work/out" "$work/phone.conf"
run 1 peer add phone
run 2 peer add
run 2 peer add x --expires nonsense
run 1 peer add x --public-key nonsense
json peer-add peer add laptop --split --route 192.168.7.0/24 --keepalive 25 --mtu 1380
json peer-add peer add 名前 --expires 30d --no-store
quiet 0 peer list
json peer-list peer list
quiet 0 peer show phone
cmp "$work/out" "$work/phone.conf"
json peer-show peer show phone
json peer-show peer show 名前
run 1 peer show 名前
run 1 peer show nobody
quiet 0 peer qr phone
quiet 0 peer qr phone --png "$work/phone.png"
quiet 0 peer qr phone --svg "$work/phone.svg"
run 1 peer qr nobody
json peer-change peer rename phone handy
run 1 peer rename handy laptop
json peer-change peer disable handy
json peer-change peer disable handy
json steps diff wg0
json peer-list peer list
json peer-change peer enable handy
json peer-change peer rekey handy
quiet 0 peer rekey laptop
json endpoint endpoint wg0
json endpoint endpoint wg0 relay.example:443
quiet 0 endpoint wg0
[[ $(<"$work/out") == relay.example:443 ]]
run 1 endpoint wg0 x:0
json peer-remove peer remove --expired
json peer-remove peer remove 名前
run 1 peer remove 名前
quiet 0 peer remove --expired
run 1 peer add picture --png /nowhere/picture.png
json show show
json show show wg0
quiet 0 show
quiet 0 show wg0 dump
run 1 show nowhere
quiet 0 apply wg0
json steps --dry-run apply wg0
quiet 0 save wg0
quiet 0 strip wg0
quiet 0 reresolve
json steps --dry-run down wg0
cp -r /etc/wireguard "$work/kept"
quiet 0 down wg0
json peer-change peer disable handy
json peer-change peer disable handy
json peer-remove peer remove handy
run 1 down wg0
kill $watcher

# no colour, no question
[[ $(grep -c $'\e' "$work/all") == 0 ]]
lacks -iE '\[y/n\]|\(y/n\)|are you sure|continue\?' "$work/all"
# and no key: of those in all files, none was on a command line
grep -q 'peer add' "$work/command-lines" # it was looked
grep -rhE '^(# )?(PrivateKey|PresharedKey) = ' /etc/wireguard "$work/kept" | sed 's/.* = //' | sort -u >"$work/keys"
[[ $(wc -l <"$work/keys") -ge 6 ]]
lacks -F -f "$work/keys" "$work/command-lines"
cat "$work/json/all"
"#;

#[test]
fn all_commands_run_without_a_terminal_and_print_what_their_schemas_say() {
    let printed = script::host(&format!("{RUN}{COMMANDS}"));
    let mut seen = BTreeSet::new();
    for part in printed.split(HEAD).skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        schema::holds(name, &value);
        let more = json!({"more": 1});
        assert!(
            catch_unwind(|| schema::holds(name, &more)).is_err(),
            "{name} is of everything"
        );
        seen.insert(name.to_owned());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let schemas = paths.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    assert_eq!(schemas.map(stem).collect::<BTreeSet<_>>(), seen);
}
