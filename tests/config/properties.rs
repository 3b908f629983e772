//! What holds for every text, and for every file.

use std::collections::HashSet;
use std::fmt::{Display, Write as _};

use proptest::collection::vec;
use proptest::prelude::*;
use wgq::config::{self, Config, Names, Severity, Table, parse, strip};

use crate::texts;

/// A sound text, and the same with one character put in, taken out or replaced.
fn mutated() -> impl Strategy<Value = (String, String)> {
    let text = texts::file(100);
    (text, any::<prop::sample::Index>(), 0..3_u8, any::<char>()).prop_map(|(text, at, how, new)| {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        match how {
            0 => chars.insert(at, new),
            1 => drop(chars.remove(at)),
            _ => chars[at] = new,
        }
        (text, chars.into_iter().collect())
    })
}

fn told(text: &[u8]) -> String {
    let found = parse(text, &Names::default());
    let refused = found
        .diagnostics
        .iter()
        .any(|told| told.severity() == Severity::Error);
    assert_eq!(refused, found.config.is_none());
    let told = found
        .diagnostics
        .iter()
        .map(|told| told.render("f", true) + "\n");
    told.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        told(&bytes);
    }

    #[test]
    fn no_characters_make_it_panic(text in any::<String>(), lines in vec("(PrivateKey|Endpoint|AllowedIPs|MTU|Address)?[ =]?[\\PC\t]{0,20}", 0..8)) {
        told(text.as_bytes());
        for header in ["[Interface]", "[Peer]"] {
            told(format!("{header}\n{}", lines.join("\n")).as_bytes());
        }
    }

    #[test]
    fn nothing_but_line_ends_and_printable_characters_is_told((_, text) in mutated()) {
        let escaped = told(text.as_bytes()).replace("\x1b[", "");
        prop_assert!(!escaped.contains(|c: char| c.is_control() && c != '\n'), "{escaped:?}");
    }

    #[test]
    fn no_key_is_told((sound, text) in mutated()) {
        let told = told(text.as_bytes());
        let told: HashSet<&[u8]> = told.as_bytes().windows(8).collect();
        let secret = |line: &&str| {
            let line = line.trim().to_lowercase();
            line.starts_with("privatekey") || line.starts_with("presharedkey")
        };
        for (_, value) in sound.lines().filter(secret).filter_map(|line| line.split_once('=')) {
            let value = value.split('#').next().unwrap();
            let pieces = value.as_bytes().windows(8);
            for piece in pieces.filter(|piece| piece.iter().all(u8::is_ascii_alphanumeric)) {
                prop_assert!(!told.contains(piece), "{:?} of {text}", String::from_utf8_lossy(piece));
            }
        }
    }

    #[test]
    fn a_config_written_down_is_read_as_the_same(text in texts::file(100)) {
        let names = Names::default();
        let parsed = parse(text.as_bytes(), &names);
        if let Some(config) = parsed.config {
            let written = write(&config);
            let again = parse(written.as_bytes(), &names);
            prop_assert_eq!(again.config, Some(config), "{}\n{}", text, written);
        }
    }

    #[test]
    fn a_stripped_file_says_the_same_to_wg(text in texts::file(100)) {
        let names = Names::default();
        if let Some(config) = parse(text.as_bytes(), &names).config {
            let stripped = parse(strip(&text).as_bytes(), &names).config.unwrap();
            prop_assert_eq!(stripped.peers, config.peers);
            let only_wg_s = config::Interface {
                private_key: config.interface.private_key,
                listen_port: config.interface.listen_port,
                fwmark: config.interface.fwmark,
                ..config::Interface::default()
            };
            prop_assert_eq!(stripped.interface, only_wg_s);
            prop_assert_eq!(strip(&strip(&text)), strip(&text) + "\n");
        }
    }
}

/// The text of a model.
fn write(config: &Config) -> String {
    let mut text = String::from("[Interface]\n");
    let mut line = |key: &str, value: &dyn Display| writeln!(text, "{key} = {value}").unwrap();
    let interface = &config.interface;
    if let Some(key) = &interface.private_key {
        line("PrivateKey", &*key.to_base64());
    }
    if let Some(port) = interface.listen_port {
        line("ListenPort", &port);
    }
    if let Some(mark) = interface.fwmark {
        line("FwMark", &mark.value);
    }
    for address in &interface.addresses {
        line("Address", &address.value);
    }
    for server in &interface.dns.servers {
        line("DNS", server);
    }
    for domain in &interface.dns.search {
        line("DNS", domain);
    }
    if let Some(mtu) = interface.mtu {
        line("MTU", &mtu.value);
    }
    match interface.table.value {
        Table::Auto => {}
        Table::Off => line("Table", &"off"),
        Table::Id(id) => line("Table", &id.0),
    }
    let hooks = &interface.hooks;
    for (key, commands) in [
        ("PreUp", &hooks.pre_up),
        ("PostUp", &hooks.post_up),
        ("PreDown", &hooks.pre_down),
        ("PostDown", &hooks.post_down),
    ] {
        for command in commands {
            line(key, command);
        }
    }
    line("SaveConfig", &interface.save_config);
    for peer in &config.peers {
        text += &write_peer(peer);
    }
    text
}

fn write_peer(peer: &config::Peer) -> String {
    let mut text = format!("[Peer]\nPublicKey = {}\n", peer.public_key.value);
    let mut line = |key: &str, value: &dyn Display| writeln!(text, "{key} = {value}").unwrap();
    if let Some(key) = &peer.preshared_key {
        line("PresharedKey", &*key.to_base64());
    }
    for prefix in &peer.allowed_ips {
        line("AllowedIPs", prefix);
    }
    if let Some(endpoint) = &peer.endpoint {
        line("Endpoint", &endpoint.value);
    }
    if let Some(seconds) = peer.persistent_keepalive {
        line("PersistentKeepalive", &seconds);
    }
    text
}
