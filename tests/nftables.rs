//! The firewall's writer and reader against the kernel, and against nft(8), in network namespaces of their own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use nftables::schema::{NfListObject, NfObject, Nftables};
use nix::sched::{CloneFlags, unshare};
use wgq::host::nftables::{self as native, Error};
use wgq::net::{Address, FwMark};
use wgq::nft::{NftChain, NftTable};

/// Every shape of rule that wgq writes, as nft(8) lists it.
const SHAPES: &str = include_str!("nftables/shapes.nft");

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
fn every_shape_is_read_back_as_it_was_described() {
    own_network();
    let table = shapes();
    native::replace(&table).unwrap();
    let found = native::observe(&table.name).unwrap().unwrap();
    assert_eq!(found.to_string(), table.to_string());
    assert_eq!(found, table);
}
