//! The scenarios of `lab/scenarios`: what wg-quick does not do, and what takes packets.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::sync::LazyLock;

use crate::machine::{self, Boot, Machine};
use crate::oracle::changes;
use crate::state;

static INTERRUPTED: LazyLock<Boot> =
    LazyLock::new(|| boot("interrupted", &["killed", "killed-beside", "signalled"]));
static OTHERS: LazyLock<Boot> = LazyLock::new(|| {
    boot(
        "scenarios",
        &["left-behind", "two-tunnels", "no-leak", "large"],
    )
});

static INJECTED: LazyLock<Boot> = LazyLock::new(|| boot("injected", &["injected"]));

/// Runs scenarios in one boot. `WGQ_SEED` repeats a run; the seed is in the output of a failed test.
fn boot(machine: &str, names: &[&str]) -> Boot {
    let seed =
        std::env::var("WGQ_SEED").unwrap_or_else(|_| (std::process::id() % 32_768).to_string());
    let arguments: Vec<&OsStr> = [machine::wgq(), OsStr::new(&seed)]
        .into_iter()
        .chain(names.iter().map(OsStr::new))
        .collect();
    let boot = Machine::new(machine).run("run-scenarios", &arguments);
    Boot {
        output: format!("WGQ_SEED={seed}\n{}", boot.output),
        ..boot
    }
}

/// Every expectation held, and each snapshot `NUMBER` or `after-WHAT` is as `before`, each `WHAT-again` as `WHAT`.
pub(crate) fn assert_passed(boot: &Boot, scenario: &str) {
    let folder = boot.results.join(scenario);
    let file = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let mut wrong = String::new();
    let mut looked_at = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let twin = match name.strip_suffix("-again") {
            Some(twin) => twin,
            None if name.starts_with("after-") || name.parse::<u32>().is_ok() => "before",
            None => continue,
        };
        let left = changes(&state::read(&folder.join(twin)), &state::read(&path));
        looked_at += 1;
        if !left.is_empty() {
            let output = file(&format!("output.{name}"));
            writeln!(
                wrong,
                "{name} is not as {twin}:\n  {}\n{output}",
                left.join("\n  ")
            )
            .unwrap();
        }
    }
    let status = file("status");
    assert!(
        wrong.is_empty() && status.trim() == "0" && looked_at > 0,
        "{scenario}: {} expectations failed, {looked_at} snapshots\n{wrong}{}\n{}{}",
        status.trim(),
        file("output"),
        file("rounds"),
        boot.output
    );
}

#[test]
fn down_after_a_sigkill_at_any_moment_leaves_nothing() {
    assert_passed(&INTERRUPTED, "killed");
    assert_passed(&INTERRUPTED, "killed-beside");
    let rounds = |scenario: &str| {
        fs::read_to_string(INTERRUPTED.results.join(scenario).join("rounds")).unwrap()
    };
    let rounds = rounds("killed") + &rounds("killed-beside");
    assert_eq!(rounds.lines().count(), 100);
    let midway = rounds
        .lines()
        .filter(|line| line.contains("status 137") && line.contains("found link"))
        .count();
    assert!(
        midway >= 20,
        "only {midway} of 100 were killed with the link there:\n{rounds}"
    );
    assert!(
        !rounds.contains("at last"),
        "something was left or damaged:\n{rounds}"
    );
}

#[test]
fn a_message_that_the_kernel_refuses_or_that_is_the_last_leaves_nothing() {
    assert_passed(&INJECTED, "injected");
}

#[test]
fn an_up_ended_by_a_signal_leaves_nothing() {
    assert_passed(&INTERRUPTED, "signalled");
}

#[test]
fn down_works_on_what_others_left() {
    assert_passed(&OTHERS, "left-behind");
}

#[test]
fn one_of_two_full_tunnels_goes_and_the_other_works() {
    assert_passed(&OTHERS, "two-tunnels");
}

#[test]
fn a_full_tunnel_lets_no_packet_out_in_the_clear() {
    assert_passed(&OTHERS, "no-leak");
}

#[test]
fn many_peers_and_allowed_ips_are_set_as_by_wg() {
    assert_passed(&OTHERS, "large");
}
