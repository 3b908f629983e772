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

mod script;

use std::fs;
use std::path::Path;

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

run 1 --dry-run peer add phone
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
run 3 peer add picture --png /nowhere/picture.png
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
[[ $(wc -l <"$work/keys") -ge 8 ]]
lacks -F -f "$work/keys" "$work/command-lines"
cat "$work/json/all"
"#;

/// What of a value is not as a schema says. That is a part of JSON Schema; another keyword is an error in the schema.
fn wrong(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (keyword, says) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" => {}
            "type" if is_type(says, value) => {}
            "type" => wrong.push(format!("{at}: not of type {says}: {value}")),
            "enum" if says.as_array().unwrap().contains(value) => {}
            "enum" => wrong.push(format!("{at}: none of {says}: {value}")),
            "required" => {
                let names = says
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it.as_str().unwrap());
                let absent = names.filter(|name| value.get(name).is_none());
                wrong.extend(absent.map(|name| format!("{at}: no {name}")));
            }
            "properties" => {
                for (name, schema) in says.as_object().unwrap() {
                    let value = value.get(name).into_iter();
                    wrong.extend(
                        value.flat_map(|it| self::wrong(schema, it, &format!("{at}.{name}"))),
                    );
                }
            }
            "additionalProperties" => {
                assert_eq!(says, &json!(false));
                let names = value.as_object().into_iter().flat_map(|it| it.keys());
                let known = &schema["properties"];
                let unknown = names.filter(|name| known.get(name).is_none());
                wrong.extend(unknown.map(|name| format!("{at}: {name} is not in the schema")));
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                wrong
                    .extend(items.flat_map(|(n, it)| self::wrong(says, it, &format!("{at}[{n}]"))));
            }
            other => panic!("{at}: the schema has {other}, which is not looked at"),
        }
    }
    wrong
}

fn is_type(says: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no type: {other}"),
    };
    says.as_array()
        .map_or_else(|| is(says), |any| any.iter().any(is))
}

fn schema(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema");
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn all_commands_run_without_a_terminal_and_print_what_their_schemas_say() {
    let printed = script::host(&format!("{RUN}{COMMANDS}"));
    let mut seen = std::collections::BTreeSet::new();
    for part in printed.split(HEAD).skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        let schema = schema(name);
        assert_eq!(wrong(&schema, &value, name), [""; 0], "{text}");
        // a schema that everything would pass says nothing
        for required in schema["required"].as_array().unwrap() {
            let mut less = value.clone();
            less.as_object_mut()
                .unwrap()
                .remove(required.as_str().unwrap());
            assert_eq!(wrong(&schema, &less, name).len(), 1);
        }
        let mut more = value.clone();
        more["more"] = json!(1);
        assert_eq!(wrong(&schema, &more, name).len(), 1);
        seen.insert(name.to_owned());
    }
    let names = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema")).unwrap();
    let names = names.map(|entry| entry.unwrap().path());
    let stems = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    assert_eq!(stems.collect::<std::collections::BTreeSet<_>>(), seen);
}

#[test]
fn what_is_not_as_the_schema_says_is_found() {
    let schema = json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
        "a": {"type": ["string", "null"]},
        "b": {"type": "array", "items": {"type": "integer", "enum": [1, 2]}},
    }});
    let count = |value: Value| wrong(&schema, &value, "").len();
    assert_eq!(count(json!({"a": null, "b": [1, 2]})), 0);
    for value in [
        json!([]),
        json!({}),
        json!({"a": 1}),
        json!({"a": "", "b": {}}),
        json!({"a": "", "b": [3]}),
        json!({"a": "", "b": [1, "2"]}),
        json!({"a": "", "c": 1}),
    ] {
        assert!(count(value.clone()) > 0, "{value}");
    }
}
