//! The parser beside the real wg(8), and `strip` beside the real `wg-quick strip`, on files made up by chance.
//!
//! Needs both programs, and root or `unshare -rm`: they run in namespaces of a thread's own.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Output};
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use wgq::config::{Config, Endpoint, Names, Parsed, Severity, parse, strip};

use crate::texts;
use crate::uapi::{self, Device, Set};

const NAME: &str = "wgqtest";

/// What wgq refuses and wg takes, by wgq's words, and why.
const REFUSED: &[(&str, &str)] = &[
    (
        "port must be 0-65535",
        "wg takes the port modulo 65536: a typing mistake becomes another port",
    ),
    (
        "`+80` is neither a port",
        "wg takes a sign before a port, by the chance that strtoul does; nobody writes one",
    ),
    (
        "Endpoint: `010.0.0.1` is not an IP address",
        "wg reads octal, 8.0.0.1, which hardly anybody means",
    ),
    (
        "Endpoint: `16909060` is not an IP address",
        "wg reads a number as an address, 1.2.3.4",
    ),
    (
        "Endpoint: `0x7f.1` is not an IP address",
        "wg reads the old short forms, 127.0.0.1",
    ),
    (
        "Endpoint: `1.2.3` is not an IP address",
        "wg reads the old short forms, 1.2.0.3",
    ),
    (
        "has this key too",
        "wg sends both, and the second takes the first one's AllowedIPs away",
    ),
    // wg does not see these: wg-quick's own commands refuse them later, or they do not do what is meant
    (
        "is on line",
        "a second Address: `ip address add` says that the file exists",
    ),
    (
        "this is not `Key = value`",
        "a wg-quick key without `=`: its own name is the value, which `ip` refuses",
    ),
    (
        "a full tunnel's mark is the number",
        "wg-quick would put the default route into a table of the kernel's",
    ),
];

/// What wg refuses and wgq takes, by wg's words, and why.
const TAKEN: &[(&str, &str)] = &[
    (
        "no.such.example",
        "names are looked up after parsing, with all errors of the file told",
    ),
    ("%nolink", "scopes are looked up after parsing too"),
];

/// Files for which chance would take long.
const RARE: &[&str] = &[
    "[Interface]\nFwMark = 0xfe\n[Peer]\nPublicKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\nAllowedIPs = ::/0\n",
    "[ Inter face ]\nListenPort = 1\n[PEER\t]\nPublicKey = AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    "[Interface]\n[Peer]\n",
    "\n  \t\n# [Interface]\n[interface]\t# x\n\t\x0b\n  ",
    "ListenPort = 1\n[Interface]\n",
    "[Interface] x\n",
    "[Interface]\rListenPort = 1\n",
    "[Interface]\nListenPort = 1\r",
];

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .env("WG_ENDPOINT_RESOLUTION_RETRIES", "0")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}: install wireguard-tools"))
}

/// Runs a test in a thread with mounts and a network of its own, and with names that only it knows.
fn in_namespaces(test: impl FnOnce() + Send) {
    let run = || {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
            .expect("needs root; a plain user has it under `unshare -rm`");
        attach(None, "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
        attach(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty());
        for (file, text) in [
            (
                "hosts",
                "192.0.2.10 vpn.example.com\n2001:db8::10 v6.example.com\n",
            ),
            ("services", "domain 53/udp\n"),
        ] {
            let ours = format!("/run/{file}");
            fs::write(&ours, text).unwrap();
            attach(Some(&ours), &format!("/etc/{file}"), None, MsFlags::MS_BIND);
        }
        test();
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

fn attach(from: Option<&str>, to: &str, kind: Option<&str>, flags: MsFlags) {
    mount(from, to, kind, flags, None::<&str>)
        .unwrap_or_else(|error| panic!("mount {to}: {error}"));
}

fn names() -> Names {
    Names {
        tables: LazyCell::new(BTreeMap::new),
        services: LazyCell::new(|| BTreeMap::from([("domain".to_owned(), 53)])),
        ..Names::default()
    }
}

/// Made-up files: the same in every run, each told from the others.
fn files(count: usize, sound: u32) -> Vec<String> {
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Runs::default(), random);
    let file = texts::file(sound);
    let files = (0..count).map(|_| file.new_tree(&mut runner).unwrap().current());
    files.collect()
}

#[test]
fn wg_takes_what_wgq_takes_and_reads_the_same() {
    in_namespaces(|| {
        let device = Device::listen(NAME);
        let knows_signs = knows_signs();
        let mut seen = Seen::default();
        let mut wrong = Vec::new();
        let made_up = [files(500, 98), files(300, 85)].concat();
        let rare = RARE.iter().map(|text| (*text).to_owned());
        for text in texts::each_value().chain(rare).chain(made_up) {
            let solid = text.replace([' ', '\t', '\x0b'], "");
            if !knows_signs && texts::SIGNED.iter().any(|list| solid.contains(list)) {
                continue;
            }
            let stripped = wg_quick_strip(&text);
            let ours = parse(text.as_bytes(), &names());
            if let Err(why) = seen.compare(&ours, &wg_setconf(&stripped, &device)) {
                wrong.push(format!("{why}:\n{text}"));
            }
            if strip(&text) != stripped {
                wrong.push(format!("strip: {:?} is not {stripped:?}", strip(&text)));
            }
        }
        println!("{seen:?}");
        wrong.truncate(5);
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        assert!(
            seen.taken > 200 && seen.refused > 100,
            "too few of a kind: {seen:?}"
        );
        for (words, _) in REFUSED.iter().chain(TAKEN) {
            assert!(
                seen.listed.contains(words),
                "{words} is listed and was never seen"
            );
        }
    });
}

/// `+` and `-` before AllowedIPs came with version 20250521.
fn knows_signs() -> bool {
    let version = run("wg", &["--version"]).stdout;
    let version = String::from_utf8(version).unwrap();
    let date = version.split(['.', ' ']).find(|part| part.len() == 8);
    date.is_some_and(|date| date >= "20250521")
}

fn wg_quick_strip(text: &str) -> String {
    let file = format!("/run/{NAME}.conf");
    fs::write(&file, text).unwrap();
    let output = run("wg-quick", &["strip", &file]);
    assert!(output.status.success(), "{output:?}\n{text}");
    String::from_utf8(output.stdout).unwrap()
}

/// What wg makes of a file, or why it refuses it.
fn wg_setconf(text: &str, device: &Device) -> Result<Set, String> {
    fs::write("/run/stripped", text).unwrap();
    let output = run("wg", &["setconf", NAME, "/run/stripped"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    match (output.status.code(), device.take()) {
        (Some(0), Some(set)) => Ok(set),
        (Some(1), None) => Err(told),
        (_, set) => panic!("{output:?} {set:?}"),
    }
}

/// What came up so far.
#[derive(Debug, Default)]
struct Seen {
    /// Files that both took, and read the same.
    taken: usize,
    /// Files that both refused.
    refused: usize,
    /// Differences that are listed.
    listed: BTreeSet<&'static str>,
}

impl Seen {
    fn compare(&mut self, ours: &Parsed, theirs: &Result<Set, String>) -> Result<(), String> {
        match (&ours.config, theirs) {
            (Some(config), Ok(set)) => {
                self.taken += 1;
                let found = as_set(config);
                let same = (found == *set).then_some(());
                same.ok_or_else(|| format!("wgq reads {found:#?}, and wg {set:#?}"))
            }
            (None, Err(_)) => {
                self.refused += 1;
                Ok(())
            }
            (Some(_), Err(told)) => self.listed(told, TAKEN),
            (None, Ok(_)) => {
                let mut told = ours.diagnostics.iter();
                told.try_for_each(|told| match told.severity() {
                    Severity::Error => self.listed(&told.render("f", false), REFUSED),
                    Severity::Warning => Ok(()),
                })
            }
        }
    }

    fn listed(&mut self, told: &str, list: &[(&'static str, &str)]) -> Result<(), String> {
        let (words, _) = list
            .iter()
            .find(|(words, _)| told.contains(words))
            .ok_or_else(|| format!("one takes what the other refuses: {told}"))?;
        self.listed.insert(words);
        Ok(())
    }
}

/// What wg would set by our reading.
fn as_set(config: &Config) -> Set {
    let interface = &config.interface;
    let peers = config.peers.iter().map(|peer| {
        let set = uapi::Peer {
            preshared_key: peer.preshared_key.as_ref().map(|key| hex(key.as_bytes())),
            endpoint: peer
                .endpoint
                .as_ref()
                .map(|endpoint| resolved(&endpoint.value)),
            persistent_keepalive: peer.persistent_keepalive,
            allowed_ips: peer.allowed_ips.clone(),
        };
        (hex(&peer.public_key.0), set)
    });
    Set {
        private_key: interface
            .private_key
            .as_ref()
            .map(|key| hex(key.as_bytes())),
        listen_port: interface.listen_port.unwrap_or(0),
        fwmark: interface.fwmark.map_or(0, |mark| mark.0),
        peers: peers.collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

/// The endpoint as /etc/hosts has it.
fn resolved(endpoint: &Endpoint) -> String {
    let text = endpoint.to_string();
    uapi::endpoint(
        &text
            .replace("vpn.example.com", "192.0.2.10")
            .replace("v6.example.com", "[2001:db8::10]"),
    )
}
