//! The firewall's writer and reader against the kernel, and against nft(8), in network namespaces of their own.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic and use the machine, and the crate describes more than is tested"
)]

use std::collections::BTreeSet;
use std::error::Error as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use nftables::expr::{
    Expression, Fib, FibFlag, FibResult, NamedExpression, Payload, PayloadField, Prefix,
};
use nftables::schema::{NfListObject, NfObject, Nftables, Rule};
use nftables::stmt::{JumpTarget, Match, Operator, Reject, RejectType, Statement};
use nftables::types::{NfHook, RejectCode};
use nix::sched::{CloneFlags, unshare};
use wgq::host::nftables::{self as native, Deletion, Error};
use wgq::net::{Address, Family, FwMark};
use wgq::nft::{BaseChain, KillSwitch, NftChain, NftTable};

mod golden;
mod random;

/// Every shape of rule that wgq writes, as nft(8) lists it.
const SHAPES: &str = include_str!("shapes.nft");

/// Gives this thread, and with it this test, a network of its own.
fn own_network() {
    unshare(CloneFlags::CLONE_NEWNET)
        .expect("a network namespace needs root: run the tests as root or with `unshare -rn`");
}

/// Runs nft(8) and returns what it prints.
fn nft(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("nft")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need nft(8)");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "nft {arguments:?} <<EOF\n{input}EOF"
    );
    String::from_utf8(output.stdout).unwrap()
}

fn listed(name: &str) -> String {
    nft(&["list", "table", "inet", name], "")
}

/// The table as `nft -j` lists it.
fn listed_json(name: &str) -> NftTable {
    let json = nft(&["-j", "list", "table", "inet", name], "");
    let document: Nftables<'static> = serde_json::from_str(&json).unwrap();
    let mut chains: Vec<NftChain> = Vec::new();
    for object in document.objects.into_owned() {
        match object {
            NfObject::ListObject(NfListObject::Chain(mut chain)) => {
                chain.handle = None;
                let rules = Vec::new();
                chains.push(NftChain { chain, rules });
            }
            NfObject::ListObject(NfListObject::Rule(mut rule)) => {
                rule.handle = None;
                let chain = chains.iter_mut().find(|it| it.chain.name == rule.chain);
                chain.unwrap().rules.push(rule);
            }
            _ => {}
        }
    }
    let name = name.to_owned();
    NftTable { name, chains }
}

/// Every shape, described; the network's table is as nft(8) made it.
fn shapes() -> NftTable {
    nft(&["-f", "-"], SHAPES);
    listed_json("wgq-wg0")
}

fn full_tunnel() -> NftTable {
    let addresses: [Address; 2] = ["10.0.0.2/24", "fd00::2/64"].map(|it| it.parse().unwrap());
    NftTable::full_tunnel("wg0".parse().unwrap(), FwMark(51820), &addresses)
}

/// A full tunnel with all that a client can ask for.
fn client() -> NftTable {
    let ifname = "wg0".parse().unwrap();
    let mut table = full_tunnel();
    table.add_keep_inbound(ifname, FwMark(51820), &(32768..=60999));
    let lan = ["192.168.1.0/24", "2001:db8:1::/64"];
    let excluded = ["198.51.100.7/32", "2001:db8:9::/48", "10.0.0.0/8"];
    let kill_switch = KillSwitch {
        fwmark: FwMark(51820),
        lan: lan
            .map(|it| ("ens3".parse().unwrap(), it.parse().unwrap()))
            .into(),
        excluded: excluded.map(|it| it.parse().unwrap()).into(),
        keep_inbound: true,
    };
    table.add_kill_switch(ifname, &kill_switch);
    table
}

/// A table with one rule, which may be a bad one.
fn with_rule(statements: Vec<Statement<'static>>) -> NftTable {
    let mut table = NftTable::new("wg0".parse().unwrap());
    table.add_rule(BaseChain::PreMangle, statements, "wgq wg0: test".to_owned());
    table
}

/// `ip saddr`
fn saddr() -> Expression<'static> {
    Expression::Named(NamedExpression::Payload(Payload::PayloadField(
        PayloadField {
            protocol: "ip".into(),
            field: "saddr".into(),
        },
    )))
}

#[test]
fn a_table_prints_as_nft_lists_it() {
    own_network();
    let table = shapes();
    assert_eq!(table.to_string(), SHAPES);
    assert_eq!(listed(&table.name), SHAPES);
}

#[test]
fn every_shape_is_written_as_nft_writes_it() {
    own_network();
    let table = shapes();
    nft(&["delete", "table", "inet", &table.name], "");
    native::replace(&table).unwrap();
    assert_eq!(listed(&table.name), SHAPES);
    assert_eq!(listed_json(&table.name), table);
}

#[test]
fn a_table_is_made_where_there_is_none_and_replaced_where_there_is_one() {
    own_network();
    let table = shapes();
    native::create(&table).unwrap();
    assert_eq!(listed(&table.name), SHAPES);
    nft(&["delete", "table", "inet", &table.name], "");
    native::create(&table).unwrap();
    assert_eq!(listed(&table.name), SHAPES);
}

#[test]
fn every_shape_is_read_back_as_it_was_described() {
    own_network();
    let table = shapes();
    let by_nft = native::observe(&table.name).unwrap().unwrap();
    assert_eq!(by_nft.name, table.name);
    native::replace(&table).unwrap();
    let found = native::observe(&table.name).unwrap().unwrap();
    assert_eq!(found.to_string(), SHAPES);
    assert_eq!(found, table);
}

#[test]
fn the_text_of_a_table_makes_that_table() {
    own_network();
    let table = full_tunnel();
    nft(&["-f", "-"], &table.to_string());
    assert_eq!(listed_json(&table.name), table);
    assert_eq!(native::observe(&table.name).unwrap(), Some(table));
    let table = client();
    nft(&["delete", "table", "inet", &table.name], "");
    nft(&["-f", "-"], &table.to_string());
    assert_eq!(listed_json(&table.name), table); // nft(8) merges the tests of two ports into one, which wgq does not
}

#[test]
fn a_client_s_table_is_written_as_it_prints_and_read_back_as_it_was_described() {
    own_network();
    let table = client();
    native::replace(&table).unwrap();
    assert_eq!(listed(&table.name), table.to_string());
    assert_eq!(listed_json(&table.name), table);
    assert_eq!(native::observe(&table.name).unwrap(), Some(table));
}

/// By itself, `reject` in a rule for IPv4 would be another one.
#[test]
fn the_text_of_a_rejection_says_which() {
    own_network();
    let reject = Reject::new(Some(RejectType::ICMPX), Some(RejectCode::PortUnreach));
    let mut table = with_rule(vec![
        Statement::Match(Match {
            left: saddr(),
            right: Expression::String("10.0.0.1".into()),
            op: Operator::EQ,
        }),
        Statement::Reject(Some(reject)),
    ]);
    table.chains[0].chain.hook = Some(NfHook::Input);
    nft(&["-f", "-"], &table.to_string());
    assert_eq!(native::observe(&table.name).unwrap(), Some(table));
}

#[test]
fn the_json_of_a_table_makes_that_table() {
    own_network();
    let mut other = full_tunnel();
    other.chains.pop();
    native::replace(&other).unwrap();
    let table = full_tunnel();
    nft(
        &["-j", "-f", "-"],
        &serde_json::to_string(&table.to_commands()).unwrap(),
    );
    let by_nft = listed(&table.name);
    native::replace(&table).unwrap();
    assert_eq!(listed(&table.name), by_nft);
    assert_eq!(by_nft, table.to_string());
}

#[test]
fn a_table_replaces_the_one_before() {
    own_network();
    native::replace(&shapes()).unwrap();
    for _ in 0..2 {
        native::replace(&full_tunnel()).unwrap();
        assert_eq!(native::observe("wgq-wg0").unwrap(), Some(full_tunnel()));
    }
    assert_eq!(nft(&["list", "tables"], ""), "table inet wgq-wg0\n");
}

#[test]
fn a_table_that_is_refused_leaves_the_one_before() {
    own_network();
    native::replace(&full_tunnel()).unwrap();
    let target = "nowhere".into();
    let error =
        native::replace(&with_rule(vec![Statement::Jump(JumpTarget { target })])).unwrap_err();
    assert_eq!(error.to_string(), "nf_tables: rule 1 of chain premangle");
    assert_eq!(
        error.source().unwrap().to_string(),
        "No such file or directory (os error 2)"
    );
    assert_eq!(listed("wgq-wg0"), full_tunnel().to_string());
}

#[test]
fn an_error_names_what_in_the_rule_was_refused() {
    own_network();
    let fib = Fib {
        result: FibResult::Type,
        flags: [FibFlag::Saddr, FibFlag::Daddr].into(),
    };
    let error = native::replace(&with_rule(vec![Statement::Match(Match {
        left: Expression::Named(NamedExpression::Fib(fib)),
        right: Expression::String("local".into()),
        op: Operator::EQ,
    })]))
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "nf_tables: rule 1 of chain premangle (fib)"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "Invalid argument (os error 22)"
    );
}

#[test]
fn what_cannot_be_written_is_told_before_anything_is() {
    own_network();
    let from = |addr: &str, len| {
        Statement::Match(Match {
            left: saddr(),
            right: Expression::Named(NamedExpression::Prefix(Prefix {
                addr: Box::new(Expression::String(addr.to_owned().into())),
                len,
            })),
            op: Operator::EQ,
        })
    };
    native::replace(&with_rule(vec![from("10.0.0.0", 8)])).unwrap();
    for statement in [Statement::Notrack, from("10.0.0.1", 8), from("fd00::", 8)] {
        let error = native::replace(&with_rule(vec![statement])).unwrap_err();
        let object = "rule 1 of chain premangle".to_owned();
        assert_eq!(error, Error::Beyond(object));
    }
}

#[test]
fn a_table_is_deleted_whether_it_is_there_or_not() {
    own_network();
    native::replace(&full_tunnel()).unwrap();
    for _ in 0..2 {
        native::delete(&[Deletion::Table("wgq-wg0")]).unwrap();
        assert_eq!(native::observe("wgq-wg0").unwrap(), None);
    }
    assert_eq!(nft(&["list", "ruleset"], ""), "");
}

#[test]
fn other_tables_are_left_alone() {
    own_network();
    let others = "table inet wgq-wg1 { chain preraw { type filter hook prerouting priority raw; drop; }; }
        table ip wgq-wg0 { chain preraw { accept; }; }
        table inet foreign { set s { type ipv4_addr; elements = { 10.0.0.1 }; }; chain c { ip daddr @s drop; }; }";
    nft(&["-f", "-"], others);
    let before = nft(&["list", "ruleset"], "");
    native::replace(&full_tunnel()).unwrap();
    assert_eq!(native::observe("wgq-wg0").unwrap(), Some(full_tunnel()));
    native::delete(&[Deletion::Table("wgq-wg0")]).unwrap();
    assert_eq!(nft(&["list", "ruleset"], ""), before);
}

/// Each of these was changed by somebody else, and must not be taken for what was written.
#[test]
fn what_others_changed_is_seen() {
    own_network();
    let rule = "inet wgq-wg0 premangle";
    for change in [
        format!("add rule {rule} counter"),
        format!("add rule {rule} ip daddr 10.0.0.1 drop"),
        format!("add rule {rule} meta l4proto udp meta mark set ct mark accept"),
        format!("add rule {rule} ip daddr . udp dport {{ 10.0.0.1 . 53 }} drop"),
        format!("add rule {rule} ip daddr @named drop"),
        format!("add rule {rule} limit rate 1/second drop"),
        format!("add rule {rule} icmp type vmap {{ echo-request : drop }}"),
        "flush chain inet wgq-wg0 preraw".to_owned(),
        "add chain inet wgq-wg0 more".to_owned(),
        "add chain inet wgq-wg0 premangle { policy drop; }".to_owned(),
        "add table inet wgq-wg0 { flags dormant; }".to_owned(),
    ] {
        native::replace(&full_tunnel()).unwrap();
        let named = "add set inet wgq-wg0 named { type ipv4_addr; }";
        nft(&["-f", "-"], &format!("{named}\n{change}\n"));
        let found = native::observe("wgq-wg0").unwrap().unwrap();
        assert_ne!(found, full_tunnel(), "{change}");
    }
}

#[test]
fn a_rule_of_others_is_none_of_ours() {
    own_network();
    native::replace(&full_tunnel()).unwrap();
    nft(
        &["add", "rule", "inet", "wgq-wg0", "premangle", "counter"],
        "",
    );
    let found = native::observe("wgq-wg0").unwrap().unwrap();
    let rule: &Rule<'_> = found.chains[1].rules.last().unwrap();
    assert_eq!(rule.expr, [Statement::XT(None)].as_slice());
}

#[test]
fn the_tables_of_wg_quick_are_found_and_deleted() {
    own_network();
    let ifname = "wg0".parse().unwrap();
    let tables = ["ip wg-quick-wg0", "ip6 wg-quick-wg0"];
    let others = ["ip wg-quick-wg01", "arp wg-quick-wg0", "ip my-wg-quick-wg0"];
    let add = |table| format!("add table {table}\nadd chain {table} preraw\n");
    let ruleset: String = tables.into_iter().chain(others).map(add).collect();
    nft(&["-f", "-"], &ruleset);
    let found = native::tables_of(ifname).unwrap().wg_quick;
    assert_eq!(found, BTreeSet::from(Family::BOTH));
    for family in found.into_iter().chain(Family::BOTH) {
        native::delete(&[Deletion::WgQuickTable(ifname, family)]).unwrap();
    }
    assert_eq!(native::tables_of(ifname).unwrap().wg_quick, BTreeSet::new());
    let left = nft(&["list", "tables"], "");
    assert_eq!(
        left,
        others.map(|table| format!("table {table}\n")).concat()
    );
}

/// A set with more elements than fit one message, with and without ranges.
#[test]
fn a_long_set_is_written_in_parts() {
    own_network();
    let number = |index: u32| format!("10.{}.{}.1", index >> 8, index & 255);
    let singles: Vec<_> = (0..5000).map(number).collect();
    let ranges: Vec<_> = singles.iter().map(|ip| format!("{ip}-{ip}5")).collect();
    for elements in [singles, ranges] {
        let chain = "type filter hook prerouting priority mangle; policy accept;";
        let set = elements.join(", ");
        let text = format!(
            "table inet wgq-wg0 {{\nchain c {{\n{chain}\nip daddr {{ {set} }} drop\n}}\n}}\n"
        );
        nft(&["-f", "-"], &text);
        let table = listed_json("wgq-wg0");
        native::replace(&table).unwrap();
        assert_eq!(listed_json("wgq-wg0"), table);
        assert_eq!(native::observe("wgq-wg0").unwrap(), Some(table));
        native::delete(&[Deletion::Table("wgq-wg0")]).unwrap();
    }
}

#[test]
fn random_rules_are_read_back_as_they_were_described() {
    own_network();
    random::check(48, |table| {
        native::replace(table).unwrap();
        let found = native::observe(&table.name).unwrap().unwrap();
        assert_eq!(found.to_string(), table.to_string());
        assert_eq!(&found, table);
        assert_eq!(&listed_json(&table.name), table);
        assert_eq!(listed(&table.name), table.to_string());
        // and the text says the same as the description
        nft(
            &["-f", "-"],
            &format!("delete table inet {}\n{table}", table.name),
        );
        assert_eq!(&listed_json(&table.name), table);
    });
}

#[test]
fn a_table_that_belongs_to_another_program_is_told_as_that() {
    own_network();
    let mut owner = Command::new("nft");
    let mut owner = owner.arg("-i").stdin(Stdio::piped()).spawn().unwrap();
    let mut commands = owner.stdin.take().unwrap();
    writeln!(commands, "add table inet wgq-wg0 {{ flags owner; }}").unwrap();
    while !nft(&["list", "tables"], "").contains("wgq-wg0") {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let error = native::replace(&NftTable::new("wg0".parse().unwrap())).unwrap_err();
    drop(commands);
    owner.wait().unwrap();
    assert!(matches!(&error, Error::Refused { source, .. } if source.errno() == libc::EPERM));
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("`nft list table inet wgq-wg0` shows"),
        "{hint}"
    );
}
