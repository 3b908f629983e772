use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::Names;
use crate::net::TableId;
use crate::state::{DnsBackend, LinkKind};

const KEYS: &str =
    "PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = 10.8.0.2/24\n";
const PEER: &str = "[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n";

fn around() -> Surroundings {
    Surroundings {
        link_kind: LinkKind::Kernel,
        ipv6: true,
        rules: Vec::new(),
        free_table: TableId(51820),
        path_mtus: BTreeMap::new(),
        default_path_mtu: None,
        dns_backend: DnsBackend::File,
        lan: BTreeSet::new(),
        local_ports: 32768..=60999,
        advertised_uplinks: Vec::new(),
        kept_sysctls: BTreeMap::new(),
        firewalls: Vec::new(),
        unread_firewalls: Vec::new(),
    }
}

fn exported(text: &str) -> Exported {
    let parsed = config::parse(text.as_bytes(), &Names::default());
    let said = || {
        parsed
            .diagnostics
            .iter()
            .map(|it| it.render("wg0.conf", false) + "\n")
    };
    let config = parsed
        .config
        .as_ref()
        .unwrap_or_else(|| panic!("{}", said().collect::<String>()));
    export(text, config, "wg0".parse().unwrap(), &around())
}

/// The hooks that come of these lines of `[Interface]`, with a peer that has these addresses.
fn hooks(interface: &str, allowed: &str) -> Vec<String> {
    let text = format!("[Interface]\n{KEYS}{interface}\n{PEER}AllowedIPs = {allowed}\n");
    let exported = exported(&text);
    let lines = exported.text.lines().map(str::to_owned);
    lines.filter(|line| line.starts_with("Post")).collect()
}

#[test]
fn a_file_without_our_keys_stays_as_it_is() {
    let text = format!("# mine\r\n[Interface]\r\n{KEYS}\r\n{PEER}# Name = phone");
    let exported = exported(&text);
    assert_eq!(exported.text, text);
    assert!(exported.diagnostics.is_empty());
}

#[test]
fn our_keys_become_comments_where_they_stand_and_hooks_before_the_first() {
    let text = format!(
        "[Interface]\r\n{KEYS}  ClampMSS = yes # small\r\nForward=yes\r\nPostUp = true\r\n{PEER}AllowedIPs = 10.8.0.0/24"
    );
    let exported = exported(&text).text;
    let (head, rest) = exported
        .split_once("# what wgq's keys do, for the interface wg0:\r\n")
        .unwrap();
    assert_eq!(head, format!("[Interface]\r\n{KEYS}"));
    let (hooks, rest) = rest
        .split_once("#   ClampMSS = yes # small\r\n# Forward=yes\r\n")
        .unwrap();
    let first = format!("# {FIREWALLS}\r\nPostUp = sysctl -q net.ipv4.ip_forward=1\r\n");
    assert!(hooks.starts_with(&first), "{hooks}");
    assert!(
        hooks.ends_with("PostDown = nft delete table inet wgq-wg0\r\n"),
        "{hooks}"
    );
    assert_eq!(
        rest,
        format!("PostUp = true\r\n{PEER}AllowedIPs = 10.8.0.0/24")
    );
}

#[test]
fn a_peer_s_key_file_is_read_by_a_hook_of_the_interface() {
    let text = format!("[Interface]\n{KEYS}\n{PEER}PresharedKeyFile = /etc/it's");
    assert_eq!(
        exported(&text).text,
        format!(
            "[Interface]\n{KEYS}# what wgq's keys do, for the interface wg0:\n\
             PostUp = wg set %i peer xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg= preshared-key '/etc/it'\\''s'\n\
             \n{PEER}# PresharedKeyFile = /etc/it's"
        )
    );
}

#[test]
fn routes_with_holes_take_the_place_of_those_of_wg_quick() {
    let split = hooks(
        "ExcludeIPs = 10.9.0.0/16",
        "10.8.0.0/15, 10.8.0.0/25, fd00::/8",
    );
    assert_eq!(
        split,
        ["PostUp = ip -4 route add 10.8.0.0/16 dev %i; ip -4 route del 10.8.0.0/15 dev %i"]
    );
    let all = hooks(
        "ExcludeIPs = 128.0.0.0/2, 8000::/1\nFwMark = 7",
        "0.0.0.0/0, ::/0",
    );
    assert_eq!(
        all,
        [
            "PostUp = for p in 0.0.0.0/1 192.0.0.0/2; do ip -4 route add $p dev %i table 7; done; \
             ip -4 route del 0.0.0.0/0 dev %i table 7",
            "PostUp = ip -6 route add ::/1 dev %i table 7; ip -6 route del ::/0 dev %i table 7 metric 1024"
        ]
    );
    let metric = hooks("Metric = 5\nTable = 9", "10.0.0.0/8, 10.8.0.0/25");
    assert_eq!(
        metric,
        [
            "PostUp = ip -4 route add 10.0.0.0/8 dev %i table 9 metric 5; ip -4 route del 10.0.0.0/8 dev %i table 9",
            "PostUp = ip -4 route add 10.8.0.0/25 dev %i table 9 metric 5; ip -4 route del 10.8.0.0/25 dev %i table 9"
        ]
    );
    assert!(hooks("ExcludeIPs = 10.9.0.0/16\nTable = off", "10.8.0.0/15").is_empty());
}

#[test]
fn rules_go_by_the_mark_that_the_tunnel_has_by_then() {
    let chosen = hooks("KillSwitch = yes", "0.0.0.0/0").join("\n");
    assert!(
        chosen.contains("udp meta mark '$(wg show %i fwmark)' accept"),
        "{chosen}"
    );
    let named = hooks("KillSwitch = yes\nFwMark = 0x2a", "0.0.0.0/0").join("\n");
    assert!(named.contains("udp meta mark 0x0000002a accept"), "{named}");
    assert!(!named.contains("wg "), "{named}");
}

#[test]
fn what_wg_quick_cannot_do_is_said_twice() {
    let text = format!(
        "[Interface]\n{KEYS}Netns = blue\nDNSRequired = no\nDNSRequired = yes\n{PEER}Expires = 2030-01-01\n"
    );
    let exported = exported(&text);
    let told: Vec<_> = exported
        .diagnostics
        .iter()
        .map(|it| it.render("wg0.conf", false))
        .collect();
    assert_eq!(told.len(), 3);
    assert!(
        told[0].starts_with("wgq: warning: wg0.conf:4:9: Netns: wg-quick has nothing for this")
    );
    assert!(
        exported
            .text
            .contains("# Netns = blue\n# wgq: wg-quick has nothing for this")
    );
    assert!(
        exported
            .text
            .contains(&format!("# DNSRequired = yes\n{PEER}"))
    );
    assert!(
        exported
            .text
            .contains("# Expires = 2030-01-01\n# wgq: wg-quick has nothing for this")
    );
}
