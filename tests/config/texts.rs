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

/// A line of `[Interface]`.
fn interface_line(sound: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => secret_key().prop_map(|key| format!("PrivateKey = {key}")),
        1 => values("PrivateKey", sound, &["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="], BAD_KEYS),
        3 => values("ListenPort", sound, &["0", "51820", "65535", "080", "domain"], &["65536", "99999999999", "-1", "0x10", "+80", "no-such", "1,2", ""]),
        3 => values("FwMark", sound, &["0", "off", "OFF", "51820", "0xca6c", "0xCA6C", "010", "4294967295", "0xffffffff"], &["0X10", "0x", "-1", "4294967296", "0x100000000", "+1", "1 x", "0xg", ""]),
        3 => values("Address", 100, &["10.0.0.1/24", "10.0.0.2,fd00::1/64 10.0.0.3", "", "10.9.0.1/255.255.255.0"], &[]),
        1 => values("DNS", 100, &["1.1.1.1", "1.1.1.1, ::1 example.com", ""], &[]),
        1 => values("MTU", 100, &["1420", "0x578", ""], &[]),
        1 => values("Table", 100, &["auto", "off", "1000", "0x10", "main", ""], &[]),
        2 => (select(vec!["PreUp", "PostUp", "PreDown", "PostDown"]), select(HOOKS.to_vec())).prop_map(|(key, hook)| format!("{key} = {hook}")),
        1 => values("SaveConfig", 100, &["true", "False"], &[]),
        1 => Just(String::new()),
        1 => select(JUNK.to_vec()).prop_map(move |junk| if sound == 100 { String::new() } else { junk.to_owned() }),
    ]
}

/// A line of `[Peer]`.
fn peer_line(sound: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => secret_key().prop_map(|key| format!("PresharedKey = {key}")),
        1 => values("PresharedKey", sound, &["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="], BAD_KEYS),
        6 => prop::collection::vec(prefix(), 1..4).prop_map(|list| format!("AllowedIPs = {}", list.join(", "))),
        1 => values("AllowedIPs", sound, &["0.0.0.0/0", "::/0", "10.0.0.1/08", "::ffff:10.0.0.1/96", "1:2:3:4:5:6:7::/128"], BAD_PREFIXES),
        4 => values("Endpoint", sound, GOOD_ENDPOINTS, BAD_ENDPOINTS),
        2 => values("PersistentKeepalive", sound, &["0", "off", "Off", "25", "65535", "0025"], &["65536", "25s", "-1", "+5", "0x5", "on", ""]),
        1 => public_key().prop_map(|key| format!("PublicKey = {key}")),
        1 => Just(String::new()),
        1 => select(JUNK.to_vec()).prop_map(move |junk| if sound == 100 { String::new() } else { junk.to_owned() }),
    ]
}

fn values(
    key: &'static str,
    sound: u32,
    good: &'static [&'static str],
    bad: &'static [&'static str],
) -> BoxedStrategy<String> {
    let good = select(good).prop_map(move |value| format!("{key} = {value}"));
    if bad.is_empty() || sound == 100 {
        return good.boxed();
    }
    let bad = select(bad).prop_map(move |value| format!("{key} = {value}"));
    prop_oneof![sound => good, 100 - sound => bad].boxed()
}

fn prefix() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u8, 0..4_u8, 0..=32_u8).prop_map(|(a, b, len)| format!("10.{a}.{b}.0/{len}")),
        (0..4_u8).prop_map(|a| format!("10.0.0.{a}")),
        (0..4_u8, 0..=128_u8).prop_map(|(a, len)| format!("fd00:{a}::/{len}")),
    ]
}

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
    "192.0.2.1:+1",
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
                    value = value.chars().map(|c| format!("{c} ")).collect();
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
