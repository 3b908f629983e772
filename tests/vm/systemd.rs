//! Where systemd is PID 1: the units, systemd-resolved, systemd-networkd and NetworkManager.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::{self, Machine};
use crate::oracle::changes;
use crate::scenarios::assert_passed;
use crate::state;

/// Makes an empty ext4 image, for a machine that is booted more than once.
fn disk(name: &str) -> PathBuf {
    let image = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::File::create(&image)
        .unwrap()
        .set_len(256 << 20)
        .unwrap();
    let made = Command::new("mkfs.ext4")
        .args(["-q", "-F"])
        .arg(&image)
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "no mkfs.ext4 here: run tests/vm/install as root"
    );
    image
}

/// The files of the units.
fn units() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd");
    let files = fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths.filter(|path| path.is_file()).collect()
}

/// The arguments of a script that installs the program and the units.
fn installed(units: &[PathBuf]) -> Vec<&OsStr> {
    let units = units.iter().map(|unit| unit.as_os_str());
    std::iter::once(machine::wgq()).chain(units).collect()
}

#[test]
fn the_unit_starts_at_boot_and_stops() {
    let image = disk("vm-unit.ext4");
    let units = units();
    let arguments = [&[OsStr::new("wgq@wg0")], &installed(&units)[..]].concat();
    let boot = |name: &str| {
        Machine::new(name)
            .systemd()
            .disk(&image)
            .run("unit", &arguments)
            .results
    };
    let (first, second) = (boot("unit-first"), boot("unit-second"));
    let up = state::read(&first.join("up-first"));
    assert!(
        !changes(&state::read(&first.join("before")), &up).is_empty(),
        "nothing came up"
    );
    assert_eq!(
        changes(&up, &state::read(&first.join("up-restarted"))),
        [""; 0]
    );
    assert_eq!(
        changes(&up, &state::read(&second.join("up-second"))),
        [""; 0]
    );
    assert_eq!(
        changes(
            &state::read(&first.join("before")),
            &state::read(&second.join("after"))
        ),
        [""; 0]
    );
}

#[test]
fn systemd_resolved_is_told_and_asked_and_what_a_hard_reset_left_is_mended_at_boot() {
    let image = disk("vm-resolved.ext4");
    let units = units();
    let arguments = installed(&units);
    for name in ["resolved-first", "resolved-second"] {
        let boot = Machine::new(name)
            .systemd()
            .disk(&image)
            .run("resolved", &arguments);
        assert_passed(&boot, "resolved");
    }
}

#[test]
fn at_boot_without_dns_the_interface_is_up_at_once_and_names_follow() {
    let image = disk("vm-reresolve.ext4");
    let units = units();
    let arguments = installed(&units);
    for name in ["reresolve-first", "reresolve-second"] {
        Machine::new(name)
            .systemd()
            .disk(&image)
            .run("reresolve", &arguments);
    }
}

#[test]
fn systemd_networkd_and_networkmanager_leave_tunnels_as_they_are() {
    let dropin = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/NetworkManager/90-wgq.conf");
    let boot = Machine::new("managers")
        .systemd()
        .run("managers", &[machine::wgq(), dropin.as_os_str()]);
    assert_passed(&boot, "networkd");
    assert_passed(&boot, "network-manager");
}
