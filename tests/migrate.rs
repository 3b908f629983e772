//! Golden cases: `tests/migrate/NAME/wg0.conf` becomes `expected.conf`, and what is said of it is in `messages.txt`.
//!
//! A case is added without writing Rust. `WGQ_BLESS=1 cargo test --test migrate` writes the files anew, to be reviewed.
//! The old files are for wg-quick and the new ones for wgq as they are, with the interfaces eth0 and eth1.
//! Where there is a `reach.txt`, tests/blocks.rs runs both.
//!
//! `here.txt` may be missing; each line of it is one fact about the host:
//!
//! ```text
//! interface eth0                   it has this interface
//! default eth0 192.0.2.1           a default route, and its gateway
//! leftover /etc/sysctl.d/wg.conf   what an installer left is there
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wgq::config::{self, Config, HOOK_KEYS, Names};
use wgq::migrate::{Here, INSTALLERS, Migration, migrate};

const HERE: &str = "interface lo\ninterface eth0\ninterface eth1\ndefault eth0 192.0.2.1\n";

fn here(text: &str) -> Here {
    let mut here = Here::default();
    for line in text.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["interface", name] => drop(here.interfaces.insert(name.to_owned())),
            ["default", name, gateway] => {
                here.default_routes
                    .push((name.to_owned(), gateway.parse().ok()));
            }
            ["leftover", path] => {
                let mut all = INSTALLERS.iter().flat_map(|installer| installer.leftovers);
                here.leftovers
                    .insert(all.find(|left| left.path == path).unwrap().path);
            }
            _ => panic!("here.txt: {line}"),
        }
    }
    here
}

fn parse(text: &str) -> Config {
    let parsed = config::parse(text.as_bytes(), &Names::default());
    parsed
        .config
        .unwrap_or_else(|| panic!("{text}:\n{:#?}", parsed.diagnostics))
}

fn migrated(text: &str, here: &Here) -> Migration {
    migrate(text, &parse(text), "wg0".parse().unwrap(), here)
}

fn messages(migration: &Migration) -> String {
    let told = migration.diagnostics.iter();
    let told = told.map(|told| told.render("wg0.conf", false) + "\n");
    let notes = migration
        .notes
        .iter()
        .map(|note| format!("wgq: wg0.conf: {note}\n"));
    told.chain(notes).collect()
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate");
    let cases = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = cases.filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() >= 60, "only {} cases were found", cases.len());
    cases
}

fn read(case: &Path) -> (String, Here) {
    let text = fs::read_to_string(case.join("wg0.conf")).unwrap();
    let facts = fs::read_to_string(case.join("here.txt"));
    (text, here(facts.as_deref().unwrap_or(HERE)))
}

#[test]
fn every_case_becomes_what_it_should() {
    let bless = std::env::var_os("WGQ_BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let (text, here) = read(&case);
        let migration = migrated(&text, &here);
        for (file, found) in [
            ("expected.conf", &migration.text),
            ("messages.txt", &messages(&migration)),
        ] {
            let golden = case.join(file);
            if bless {
                fs::write(&golden, found).unwrap();
            }
            let expected = fs::read_to_string(&golden).unwrap_or_default();
            if *found != expected {
                let name = golden.display();
                wrong.push(format!(
                    "{name}:\n--- expected\n{expected}--- found\n{found}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lines of a text that no migration may touch.
fn others(text: &str) -> Vec<&str> {
    const OURS: [&str; 13] = [
        "Forward",
        "Masquerade",
        "OpenPort",
        "PortForward",
        "ClampMSS",
        "Isolate",
        "KillSwitch",
        "ExcludeIPs",
        "KeepInbound",
        "DNS",
        "PrivateKeyFile",
        "PreUp",
        "PostUp",
    ];
    let is_touched = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        OURS.iter()
            .chain(&HOOK_KEYS)
            .any(|ours| key.eq_ignore_ascii_case(ours))
    };
    text.split_inclusive('\n')
        .filter(|line| !is_touched(line))
        .collect()
}

/// What holds for every file: it stays valid, a second time nothing changes, and other lines stay.
fn holds(text: &str, here: &Here) {
    let once = migrated(text, here);
    let config = parse(&once.text);
    assert_eq!(once.diff.is_empty(), once.text == text, "{text}");
    let twice = migrated(&once.text, here);
    assert_eq!(twice.text, once.text, "migrated again: {text}");
    assert_eq!(twice.diff, "");
    let kept = others(text);
    let now = others(&once.text);
    let mut rest = now.iter();
    for line in &kept {
        let found = rest.any(|other| other.trim_end() == line.trim_end());
        assert!(found, "{line:?} was touched: {}", once.text);
    }
    let before = parse(text).interface.hooks;
    let hooks = [
        (before.pre_up, config.interface.hooks.pre_up),
        (before.post_up, config.interface.hooks.post_up),
        (before.pre_down, config.interface.hooks.pre_down),
        (before.post_down, config.interface.hooks.post_down),
    ];
    for (before, after) in hooks {
        let mut before = before.iter();
        for hook in &after {
            assert!(
                before.any(|old| old == hook),
                "a hook out of order, or changed: {hook}"
            );
        }
    }
}

#[test]
fn every_case_stays_valid_and_is_migrated_once() {
    for case in cases() {
        let (text, here) = read(&case);
        holds(&text, &here);
        holds(&text, &Here::default());
        holds(&migrated(&text, &here).text.replace('\n', "\r\n"), &here);
    }
}

/// The hooks of all cases, each with its key.
fn pieces() -> Vec<String> {
    let hook_of = |line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim();
        HOOK_KEYS.contains(&key).then(|| line.trim().to_owned())
    };
    let mut pieces = Vec::new();
    for case in cases() {
        let text = read(&case).0;
        pieces.extend(text.lines().filter_map(hook_of));
    }
    pieces
}

fn file() -> impl Strategy<Value = String> {
    let hook = prop::sample::select(pieces());
    let other = "(# [a-z =;'\"]{0,20}|)";
    let line = prop_oneof![4 => hook, 1 => other.prop_map(String::from)];
    let lines = prop::collection::vec(("[ \t]{0,2}", line), 0..12);
    let heads = prop::sample::select(vec![
        "0.0.0.0/0, ::/0",
        "10.0.0.2/32",
        "10.0.0.0/24, fd42:1::/64",
        "192.168.20.0/24",
    ]);
    (
        lines,
        heads,
        prop::sample::select(vec!["\n", "\r\n"]),
        any::<bool>(),
    )
        .prop_map(|(lines, allowed, end, ended)| {
            let mut text =
                String::from("# first\n[Interface]\nAddress = 10.0.0.1/24\nListenPort = 51820\n");
            for (indent, line) in lines {
                writeln!(text, "{indent}{line}").unwrap();
            }
            text += "Address = fd42:1::1/64 # second\n[Peer]\n# Name = a\n";
            writeln!(
                text,
                "PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\nAllowedIPs = {allowed}"
            )
            .unwrap();
            let text = if ended {
                text
            } else {
                text.trim_end().to_owned()
            };
            text.replace('\n', end)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_hooks_stays_valid_and_is_migrated_once(text in file()) {
        holds(&text, &here(HERE));
    }

    #[test]
    fn any_text_can_stand_in_a_hook(hook in "([a-z0-9 ;&|<>$(){}'\"\\\\`!*%#=./-]|iptables |nft |-A FORWARD |-j ACCEPT){0,20}") {
        let text = format!("[Interface]\nPostUp = {hook}\n");
        holds(&text, &here(HERE));
    }
}
