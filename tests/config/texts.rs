//! Config files made up by chance: mostly sound, in every way of writing that wg and wg-quick allow.

use proptest::prelude::*;
use proptest::sample::select;
use wgq::key::PublicKey;

/// The keys that peers have; so few that some files have one twice.
pub(crate) fn public_key() -> impl Strategy<Value = String> {
    (1..40_u8).prop_map(|number| PublicKey([number; 32]).to_string())
}

/// A secret of the interface or of two peers.
pub(crate) fn secret_key() -> impl Strategy<Value = String> {
    any::<[u8; 32]>().prop_map(|bytes| PublicKey(bytes).to_string())
}

/// A file. `sound` is how many of a hundred values are meant to be right.
pub(crate) fn file(sound: u32) -> impl Strategy<Value = String> {
    let interface = prop::collection::vec(interface_line(sound), 0..8);
    let peer = (public_key(), prop::collection::vec(peer_line(sound), 0..6));
    let section = prop_oneof![
        1 => interface.prop_map(|lines| [vec!["[Interface]".to_owned()], lines].concat()),
        3 => peer.prop_map(|(key, lines)| [vec!["[Peer]".to_owned(), format!("PublicKey = {key}")], lines].concat()),
    ];
    let sections = prop::collection::vec(section, 0..5);
    let first = prop::collection::vec(interface_line(sound), 1..8);
    let end = select(vec!["\n", "\n", "\n", "\r\n"]);
    (first, sections, end, any::<bool>())
        .prop_flat_map(|(first, sections, end, ended)| {
            let mut lines = vec!["[Interface]".to_owned()];
            lines.extend(first);
            lines.extend(sections.concat());
            let manners = prop::collection::vec(manner(), lines.len());
            (Just(lines), manners, Just(end), Just(ended))
        })
        .prop_map(|(lines, manners, end, ended)| {
            let lines = lines
                .iter()
                .zip(manners)
                .map(|(line, manner)| manner.write(line, end));
            let text = lines.collect::<Vec<_>>().join(end);
            if ended { text + end } else { text }
        })
}

/// Every value of the lists below in a file of its own.
pub(crate) fn each_value() -> impl Iterator<Item = String> {
    let key = PublicKey([1; 32]);
    let head = move |peer| {
        if peer {
            format!("[Peer]\nPublicKey = {key}\n")
        } else {
            "[Interface]\n".to_owned()
        }
    };
    let values = VALUES.iter().flat_map(move |values| {
        let texts = values.good.iter().chain(values.bad);
        texts.map(move |value| format!("{}{} = {value}\n", head(values.peer), values.key))
    });
    let junk = JUNK
        .iter()
        .map(move |junk| format!("{}{junk}\n", head(false)));
    values.chain(junk)
}

/// A line of `[Interface]`.
fn interface_line(sound: u32) -> impl Strategy<Value = String> {
    let phase = select(vec!["PreUp", "PostUp", "PreDown", "PostDown"]);
    prop_oneof![
        3 => secret_key().prop_map(|key| format!("PrivateKey = {key}")),
        10 => value(false, sound),
        2 => (phase, select(HOOKS)).prop_map(|(key, hook)| format!("{key} = {hook}")),
        1 => junk(sound),
    ]
}

/// A line of `[Peer]`.
fn peer_line(sound: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => secret_key().prop_map(|key| format!("PresharedKey = {key}")),
        6 => prop::collection::vec(prefix(), 1..4).prop_map(|list| format!("AllowedIPs = {}", list.join(", "))),
        8 => value(true, sound),
        1 => public_key().prop_map(|key| format!("PublicKey = {key}")),
        1 => junk(sound),
    ]
}

fn value(peer: bool, sound: u32) -> impl Strategy<Value = String> {
    let keys = VALUES.iter().filter(|values| values.peer == peer);
    let keys: Vec<&Values> = keys.collect();
    (select(keys), 0..100_u32, any::<prop::sample::Index>()).prop_map(
        move |(values, chance, index)| {
            let bad = chance >= sound && !values.bad.is_empty();
            let value = index.get(if bad { values.bad } else { values.good });
            format!("{} = {value}", values.key)
        },
    )
}

fn junk(sound: u32) -> impl Strategy<Value = String> {
    let sound = sound.min(99);
    prop_oneof![sound => Just(String::new()), 100 - sound => select(JUNK).prop_map(str::to_owned)]
}

fn prefix() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u8, 0..4_u8, 0..=32_u8).prop_map(|(a, b, len)| format!("10.{a}.{b}.0/{len}")),
        (0..4_u8).prop_map(|a| format!("10.0.0.{a}")),
        (0..4_u8, 0..=128_u8).prop_map(|(a, len)| format!("fd00:{a}::/{len}")),
    ]
}

/// What a key can have for a value.
#[derive(Debug)]
struct Values {
    peer: bool,
    key: &'static str,
    good: &'static [&'static str],
    bad: &'static [&'static str],
}

const fn interface(
    key: &'static str,
    good: &'static [&'static str],
    bad: &'static [&'static str],
) -> Values {
    Values {
        peer: false,
        key,
        good,
        bad,
    }
}

const fn peer(
    key: &'static str,
    good: &'static [&'static str],
    bad: &'static [&'static str],
) -> Values {
    Values {
        peer: true,
        key,
        good,
        bad,
    }
}

#[rustfmt::skip] // a table
const VALUES: &[Values] = &[
    interface("PrivateKey", &[NO_KEY], BAD_KEYS),
    interface("ListenPort", &["0", "51820", "65535", "080", "domain"], &["65536", "99999999999", "-1", "0x10", "+80", "no-such", "1,2", ""]),
    interface("FwMark", &["0", "off", "OFF", "51820", "0xca6c", "0xCA6C", "010", "4294967295", "0xffffffff"], &["0X10", "0x", "-1", "4294967296", "0x100000000", "+1", "1 x", "0xg", ""]),
    interface("Address", &["10.0.0.1/24", "10.0.0.2,fd00::1/64 10.0.0.3", "", "10.9.0.1/255.255.255.0"], &[]),
    interface("DNS", &["1.1.1.1", "1.1.1.1, ::1 example.com", ""], &[]),
    interface("MTU", &["1420", "0x578", ""], &[]),
    interface("Table", &["auto", "off", "1000", "0x10", "main", ""], &[]),
    interface("SaveConfig", &["true", "False"], &[]),
    peer("PresharedKey", &[NO_KEY], BAD_KEYS),
    peer("PublicKey", &["Li4uLi4uLi4uLi4uLi4uLi4uLi4uLi4uLi4uLi4uLi4="], BAD_KEYS),
    peer("AllowedIPs", &["0.0.0.0/0", "::/0", "10.0.0.1/08", "::ffff:10.0.0.1/96", "1:2:3:4:5:6:7::/128"], BAD_PREFIXES),
    peer("AllowedIPs", SIGNED, &["+", "-", "+-10.0.0.1", "10.0.0.1/+8"]),
    peer("Endpoint", GOOD_ENDPOINTS, BAD_ENDPOINTS),
    peer("PersistentKeepalive", &["0", "off", "Off", "25", "65535", "0025"], &["65536", "25s", "-1", "+5", "0x5", "on", ""]),
];

/// The key of zeros, which is none.
const NO_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Prefixes with signs, which wg knows since 20250521.
pub(crate) const SIGNED: &[&str] = &[
    "+10.7.0.0/16",
    "+10.7.0.0/16,10.8.0.0/16,-10.7.0.0/16",
    "-10.0.0.0/8",
];

const BAD_KEYS: &[&str] = &[
    "",
    "AAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-=",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=A",
];

const BAD_PREFIXES: &[&str] = &[
    "",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10/8",
    "010.0.0.1",
    "10.0.0.0/+8",
    "10.0.0.0/255.0.0.0",
    "1:2",
    "x",
    "10.0.0.1,",
    ",10.0.0.1",
    "10.0.0.1,,10.0.0.2",
    "10.0.0.0/8 10.1.0.0/16",
    "::1%lo",
    "1.2.3.4.5",
    "::1::",
    "10.0.0.1/8/8",
];

const GOOD_ENDPOINTS: &[&str] = &[
    "192.0.2.1:51820",
    "[2001:db8::1]:51820",
    "2001:db8::1:51820",
    "[192.0.2.1]:1",
    "192.0.2.1:0",
    "192.0.2.1:domain",
    "vpn.example.com:51820",
    "[vpn.example.com]:domain",
    "v6.example.com:1",
    "[fe80::1%lo]:51820",
    "fe80::1%lo:5",
    "[::ffff:192.0.2.1]:5",
];

const BAD_ENDPOINTS: &[&str] = &[
    "",
    "192.0.2.1",
    "192.0.2.1:",
    ":51820",
    "[::1]",
    "[::1]:",
    "[::1]51820",
    "[::1:51820",
    "::1]:51820",
    "2001:db8::1",
    "192.0.2.1:65536",
    "192.0.2.1:-1",
    "192.0.2.1:+80",
    "192.0.2.1:no-such",
    "010.0.0.1:1",
    "16909060:1",
    "0x7f.1:1",
    "999.1.1.1:1",
    "1.2.3:1",
    "no.such.example:1",
    "a..b:1",
    "[]:1",
    "1.2.3.4.:1",
    "[fe80::1%nolink]:1",
];

const HOOKS: &[&str] = &[
    "echo a; b",
    "echo '#' \"x\" # y",
    "a=b \\n \\",
    "",
    "%i %%i",
    "[Peer]",
];

/// What is in no config.
const JUNK: &[&str] = &[
    "; comment",
    "Nonsense = 1",
    "Address",
    "[Peer",
    "=",
    "= x",
    "ListenPort",
    "[]",
    "Interface]",
    "\u{a0}MTU = 1",
];

/// How a line is written.
#[derive(Debug, Clone)]
struct Manner {
    before: &'static str,
    around: [&'static str; 2],
    after: &'static str,
    comment: Option<&'static str>,
    above: Option<&'static str>,
    shout: bool,
    spread: bool,
}

fn manner() -> impl Strategy<Value = Manner> {
    let rarely = |text: &'static str| prop_oneof![8 => Just(""), 1 => Just(text)];
    let around = prop_oneof![4 => Just([" ", " "]), 1 => Just(["", ""]), 1 => Just(["\t", "  \t"])];
    let comment = prop::option::weighted(
        0.1,
        select(vec!["# note", "#", "# [Peer]", "## key = value"]),
    );
    let above = prop::option::weighted(
        0.1,
        select(vec!["", "# a comment", "   ", "\t# [Peer]", "#[Interface]"]),
    );
    (
        rarely("\t "),
        around,
        rarely(" \x0b\t"),
        comment,
        above,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.05),
    )
        .prop_map(
            |(before, around, after, comment, above, shout, spread)| Manner {
                before,
                around,
                after,
                comment,
                above,
                shout,
                spread,
            },
        )
}

impl Manner {
    fn write(&self, line: &str, end: &str) -> String {
        let mut written = match line.split_once(" = ") {
            Some((key, value)) => {
                let mut key = if self.shout {
                    key.to_uppercase()
                } else {
                    key.to_owned()
                };
                let mut value = value.to_owned();
                let is_wg = [
                    "PrivateKey",
                    "ListenPort",
                    "FwMark",
                    "PublicKey",
                    "PresharedKey",
                    "AllowedIPs",
                    "Endpoint",
                    "PersistentKeepalive",
                ];
                if self.spread && is_wg.contains(&&*key) {
                    key = key.replace('e', "e ");
                    let spread: Vec<String> = value.chars().map(String::from).collect();
                    value = spread.join(" ");
                }
                let [left, right] = self.around;
                format!("{key}{left}={right}{value}")
            }
            None => line.to_owned(),
        };
        written = format!("{}{written}{}", self.before, self.after);
        if let Some(comment) = self.comment {
            written += comment;
        }
        match self.above {
            Some(above) => format!("{above}{end}{written}"),
            None => written,
        }
    }
}
