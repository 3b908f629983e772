//! What a file means, quirk by quirk: each is wg(8)'s, wg-quick(8)'s or ip(8)'s.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use super::*;

const KEY: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const OTHER: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
const NO_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn parsed(text: &str) -> Parsed {
    let names = Names {
        tables: LazyCell::new(|| BTreeMap::from([("office".to_owned(), 100)])),
        services: LazyCell::new(|| BTreeMap::from([("domain".to_owned(), 53)])),
        ..Names::default()
    };
    parse(text.as_bytes(), &names)
}

fn config(text: &str) -> Config {
    let Parsed {
        config,
        diagnostics,
    } = parsed(text);
    config.unwrap_or_else(|| panic!("{text}: {diagnostics:#?}"))
}

fn interface(lines: &str) -> Interface {
    config(&format!("[Interface]\n{lines}\n")).interface
}

fn peer(lines: &str) -> Peer {
    let text = format!("[Peer]\nPublicKey = {KEY}\n{lines}\n");
    config(&text).peers.remove(0)
}

fn shown<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

#[test]
fn blanks_and_case_do_not_count_in_what_is_wg_s() {
    let text = format!(
        "[ inter FACE ]\r\n\tPRIVATE key\x0b=\t{}  {}\n l i s t e n port = 5 1 8 2 0 # note\n[peeR]\npublickey={OTHER}#\n Allowed IPs = 10.0.0 .2/3 2 , fd00:: /64\n",
        KEY.get(..10).unwrap(),
        KEY.get(10..).unwrap(),
    );
    let config = config(&text);
    assert_eq!(config.interface.private_key, Some(KEY.parse().unwrap()));
    assert_eq!(config.interface.listen_port, Some(51820));
    assert_eq!(
        shown(&config.peers[0].allowed_ips),
        ["10.0.0.2/32", "fd00::/64"]
    );
}

#[test]
fn sections_of_the_interface_are_one() {
    let text = format!(
        "[Interface]\nMTU=1400\n[Peer]\nPublicKey={KEY}\n[Interface]\nDNS=1.1.1.1\n[Peer]\nPublicKey={OTHER}\n"
    );
    let config = config(&text);
    assert_eq!(config.interface.mtu.unwrap().value, 1400);
    assert_eq!(shown(&config.interface.dns.servers), ["1.1.1.1"]);
    assert_eq!(config.peers.len(), 2);
}

#[test]
fn lists_add_up_and_scalars_count_once() {
    let found = interface(
        "Address = 10.0.0.1/24,fd00::1/64 10.0.0.2\nAddress =\nAddress = 10.0.0.1/255.255.0.0\nDNS = 1.1.1.1 example.com,~.\nDNS = ::1\nMTU = 1400\nMTU = 0x578\nListenPort = 1\nListenPort = domain\nTable = 7\nTable =",
    );
    assert_eq!(
        shown(found.addresses.iter().map(|address| address.value)),
        ["10.0.0.1/24", "fd00::1/64", "10.0.0.2/32", "10.0.0.1/16"]
    );
    assert_eq!(shown(found.dns.servers), ["1.1.1.1", "::1"]);
    assert_eq!(found.dns.search, ["example.com", "~."]);
    assert_eq!(found.mtu.unwrap().value, 1400);
    assert_eq!(found.listen_port, Some(53));
    assert_eq!(found.table.value, Table::Auto);
    assert_eq!(interface("MTU = 1400\nMTU =").mtu, None);
}

#[test]
fn a_table_is_a_word_a_number_or_a_name() {
    let table = |text: &str| interface(&format!("Table = {text}")).table.value;
    assert_eq!(table("AUTO"), Table::Auto);
    assert_eq!(table("Off"), Table::Off);
    for (text, id) in [
        ("0", 254),
        ("main", 254),
        ("0xFf", 255),
        ("office", 100),
        ("4294967295", u32::MAX),
    ] {
        assert_eq!(table(text), Table::Id(crate::net::TableId(id)), "{text}");
    }
}

#[test]
fn a_mark_is_read_as_wg_reads_it() {
    let mark = |text: &str| interface(&format!("FwMark = {text}")).fwmark.unwrap().0;
    for (text, number) in [
        ("off", 0),
        ("OFF", 0),
        ("010", 10),
        ("0xCa6C", 51820),
        ("4294967295", u32::MAX),
        ("0x00000000ff", 255),
    ] {
        assert_eq!(mark(text), number, "{text}");
    }
}

#[test]
fn hooks_keep_every_character() {
    let hooks = interface(
        r#"PostUp = echo "a;b # c" \n '%i' = x # y
PostUp =
postup=true
PreDown = x=y"#,
    )
    .hooks;
    assert_eq!(hooks.post_up, [r#"echo "a;b # c" \n '%i' = x # y"#, "true"]);
    assert_eq!(hooks.pre_down, ["x=y"]);
    let hooks = interface("PreUp = %%i %i%i")
        .hooks
        .on("wg0".parse().unwrap());
    assert_eq!(hooks.pre_up, ["%wg0 wg0wg0"]);
}

#[test]
fn endpoints_are_addresses_or_names() {
    let endpoint = |text: &str| peer(&format!("Endpoint = {text}")).endpoint.unwrap().value;
    for address in [
        "192.0.2.1:51820",
        "[2001:db8::1]:0",
        "[192.0.2.1]:1",
        "2001:db8::1:51820",
        "192.0.2.1:domain",
    ] {
        assert!(matches!(endpoint(address), Endpoint::Addr(_)), "{address}");
    }
    for (text, host) in [
        ("vpn.example.com:51820", "vpn.example.com"),
        ("[vpn.example.com.]:51820", "vpn.example.com."),
        ("[fe80::1%eth0]:51820", "fe80::1%eth0"),
        ("fe80::1%eth0:51820", "fe80::1%eth0"),
        ("bücher.example:51820", "bücher.example"),
        ("my_host:51820", "my_host"),
    ] {
        let Endpoint::Name { host: found, port } = endpoint(text) else {
            panic!("{text} is no name");
        };
        assert_eq!((&*found, port), (host, 51820));
    }
    assert_eq!(endpoint("fe80::1%eth0:1").to_string(), "[fe80::1%eth0]:1");
    assert_eq!(endpoint("2001:db8::1:1").to_string(), "[2001:db8::1]:1");
    assert_eq!(endpoint("a.b:1").to_string(), "a.b:1");
}

#[test]
fn allowed_ips_are_added_and_taken_away() {
    let found = peer(
        "AllowedIPs = 10.0.0.1/08, +fd00::/64, 10.2.0.0/16,-fd00::/64\nAllowedIPs = 10.0.0.0/8, -10.9.0.0/16",
    );
    assert_eq!(shown(&found.allowed_ips), ["10.0.0.0/8", "10.2.0.0/16"]);
}

#[test]
fn a_prefix_is_the_last_peer_s_that_names_it() {
    let text = format!(
        "[Peer]\nPublicKey={KEY}\nAllowedIPs=10.0.0.0/8,10.1.0.0/16\n[Peer]\nPublicKey={OTHER}\nAllowedIPs=10.0.0.0/8\n"
    );
    let config = config(&text);
    assert_eq!(shown(&config.peers[0].allowed_ips), ["10.1.0.0/16"]);
    assert_eq!(shown(&config.peers[1].allowed_ips), ["10.0.0.0/8"]);
}

#[test]
fn zero_is_how_nothing_is_written() {
    assert_eq!(
        interface(&format!("PrivateKey = {NO_KEY}")).private_key,
        None
    );
    let found = peer(&format!("PresharedKey = {NO_KEY}\nPersistentKeepalive = 0"));
    assert_eq!(
        (found.preshared_key, found.persistent_keepalive),
        (None, None)
    );
    assert_eq!(peer("PersistentKeepalive = OFF").persistent_keepalive, None);
    assert_eq!(
        peer("PersistentKeepalive = 00025").persistent_keepalive,
        Some(25)
    );
}

#[test]
fn our_own_keys_are_read() {
    let found = interface(
        "PrivateKeyFile = /etc/wireguard/my key\nMetric = 50\nDNSRequired = Yes\nSaveConfig = TRUE",
    );
    assert_eq!(
        found.private_key_file.unwrap().to_str(),
        Some("/etc/wireguard/my key")
    );
    assert_eq!(
        (found.metric, found.dns_required, found.save_config),
        (Some(50), true, true)
    );
    let found = peer("PresharedKeyFile = psk");
    assert_eq!(found.preshared_key_file.unwrap().to_str(), Some("psk"));
}

#[test]
fn a_key_may_come_from_elsewhere() {
    for lines in [
        "PrivateKeyFile = key",
        "PostUp = wg set %i private-key <(pass wg)",
        "PreUp = wg set %i private-key key",
    ] {
        assert_eq!(
            parsed(&format!("[Interface]\n{lines}")).diagnostics,
            [],
            "{lines}"
        );
    }
}

#[test]
fn values_know_their_places() {
    let text = "[Interface]\r\nAddress = 10.0.0.1/24 , fd00::1/64 # two\r\nTable = off";
    let found = config(text).interface;
    let at = |span: Span| (span.line, text.get(span.range()).unwrap());
    let places: Vec<_> = found
        .addresses
        .iter()
        .map(|address| at(address.span))
        .collect();
    assert_eq!(places, [(2, "10.0.0.1/24"), (2, "fd00::1/64")]);
    assert_eq!(at(found.table.span), (3, "off"));
    assert_eq!(Interface::default().table.span.line, 0);
}

#[test]
fn many_peers_and_many_prefixes_are_read() {
    let peers = (0..20_000_u32).map(|number| {
        let [_, _, high, low] = number.to_be_bytes();
        let key = crate::key::PublicKey(std::array::from_fn(|at| [high, low, 7, 7][at % 4]));
        format!(
            "[Peer]\nPublicKey = {key}\nPresharedKey = {KEY}\nAllowedIPs = 10.{high}.{low}.1, fd00::{number:x}\n"
        )
    });
    assert_eq!(config(&peers.collect::<String>()).peers.len(), 20_000);

    let prefixes = (0..65_280_u32).map(|number| format!("10.{}.{}.1", number >> 8, number & 255));
    let prefixes: Vec<_> = prefixes.collect();
    let found = peer(&format!("AllowedIPs = {}", prefixes.join(", ")));
    assert_eq!(found.allowed_ips.len(), 65_280);
}
