//! Hosts in network namespaces: the kernel agrees.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::thread;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::seed::seed;
use crate::{configs, script};

/// Writes pairs of files.
fn write(folder: &Path, seed: u64, pairs: usize) {
    let seed: Vec<u8> = seed.to_le_bytes().repeat(4);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    for number in 0..pairs {
        let (a, b) = (configs::file(), configs::file())
            .new_tree(&mut runner)
            .unwrap()
            .current();
        fs::write(folder.join(format!("{number}.a")), a).unwrap();
        fs::write(folder.join(format!("{number}.b")), b).unwrap();
    }
}

/// Tries pairs on a host of their own.
fn agrees(seed: u64, pairs: usize) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), seed, pairs);
    let settings = format!("pairs={}\n", folder.path().display());
    let said = script::host(&format!("{settings}{}", include_str!("host.sh")));
    assert_eq!(said.trim(), pairs.to_string());
}

/// Tries pairs on several hosts at a time, which wait for much of it; each has as many, of its own.
fn all_agree(hosts: Range<u64>, pairs: usize) {
    let seed = seed();
    thread::scope(|scope| {
        for host in hosts {
            scope.spawn(move || agrees(seed.wrapping_add(host), pairs));
        }
    });
}

#[test]
fn fifty_pairs() {
    all_agree(0..2, 25);
}

#[test]
fn more_pairs() {
    all_agree(2..7, 70);
}
