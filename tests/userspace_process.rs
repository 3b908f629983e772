//! How the process of a userspace WireGuard begins, lives and ends.
//!
//! Needs root, or `unshare -rn`, /dev/net/tun, and `ip`, `wg`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic and tell"
)]

mod hosts;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use hosts::{Host, WGQ, wait_until, wg0};
use wgq::host::uapi;
use wgq::host::userspace;

#[test]
fn each_way_to_end_it_leaves_no_link_and_no_socket() {
    let host = Host::new();
    for end in [
        "rm -f /var/run/wireguard/wg0.sock",
        "ip link del wg0",
        "kill $(cat /run/pid)",
        "kill -INT $(cat /run/pid)",
    ] {
        host.sh(&format!(
            ": >/run/out; ({WGQ} userspace wg0 >/run/out 2>&1 & echo $! >/run/pid)"
        ));
        wait_until(|| host.sh("cat /run/out") == "ready\n");
        let mode = host.sh("stat -c %a /var/run/wireguard /var/run/wireguard/wg0.sock");
        assert_eq!(mode, "700\n600\n");
        let link = host.sh("ip -d addr show wg0");
        assert!(
            link.contains("mtu 1420")
                && link.contains("state DOWN")
                && link.contains("persist off"),
            "{link}"
        );
        host.sh(end);
        wait_until(|| {
            host.sh("ip link show wg0 2>&1 || true; ls /var/run/wireguard")
                == "Device \"wg0\" does not exist.\n"
        });
        wait_until(|| host.sh("kill -0 $(cat /run/pid) 2>/dev/null || echo gone") == "gone\n");
    }
    assert_eq!(host.run(|| uapi::status(wg0()).unwrap()), None);
}

#[test]
fn a_link_has_only_the_addresses_it_is_given() {
    let host = Host::new();
    host.start();
    host.sh("ip link set wg0 up");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!host.sh("ip addr show wg0").contains("fe80"));
}

#[test]
fn the_socket_of_a_killed_process_is_replaced_and_that_of_a_living_one_is_not() {
    let host = Host::new();
    host.start();
    let refused = host.run(|| {
        userspace::start_embedded(Path::new(WGQ), wg0(), None)
            .unwrap_err()
            .to_string()
    });
    assert_eq!(refused, "`wg0' already exists");
    // the same name in another network namespace
    let refused = host.sh(&format!("unshare -n {WGQ} userspace wg0 2>&1 || true"));
    assert_eq!(
        refused,
        "wgq: /var/run/wireguard/wg0.sock answers: another process serves wg0\n"
    );
    host.sh(&format!("kill -9 {}", host.server()));
    wait_until(|| !host.sh("ip -br link").contains("wg0"));
    assert!(host.run(|| !userspace::is_running(wg0())));
    assert_eq!(host.sh("ls /var/run/wireguard"), "wg0.sock\n");
    host.start();
    assert!(host.run(|| userspace::is_running(wg0())));
    host.run(|| userspace::stop(wg0()).unwrap());
}

#[test]
fn a_host_without_tun_is_told_what_to_do() {
    let host = Host::new();
    host.sh("mount -t tmpfs tmpfs /dev/net");
    let error = host.run(|| {
        userspace::start_embedded(Path::new(WGQ), wg0(), None)
            .unwrap_err()
            .to_string()
    });
    assert!(
        error.contains("No such file or directory (os error 2)")
            && error.contains("modprobe tun")
            && error.contains("--device /dev/net/tun"),
        "{error}"
    );
}

#[test]
fn the_process_is_alone_in_its_session_and_holds_nothing_of_its_starter() {
    let host = Host::new();
    host.run(|| {
        let lock = fs::File::create("/run/lock").unwrap();
        let inherited = lock.try_clone().unwrap();
        nix::fcntl::fcntl(
            &inherited,
            nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()),
        )
        .unwrap();
        lock.lock().unwrap();
        userspace::start_embedded(Path::new(WGQ), wg0(), None).unwrap();
    });
    // not at once: what other tests start meanwhile inherits it too, for a moment
    wait_until(|| host.run(|| fs::File::open("/run/lock").unwrap().try_lock().is_ok()));
    let pid = host.server();
    assert_eq!(
        fs::read_to_string(format!("/proc/{pid}/comm")).unwrap(),
        "wgq\n"
    );
    assert_eq!(
        fs::read(format!("/proc/{pid}/cmdline")).unwrap(),
        b"wgq\0userspace\0wg0\0"
    );
    // pid (comm) state ppid pgrp session tty_nr: proc_pid_stat(5)
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let stat: Vec<_> = stat.split(' ').collect();
    assert_eq!(stat[4..7], [&pid.to_string(), &pid.to_string(), "0"]);
    for fd in 0..3 {
        assert_eq!(
            fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap(),
            Path::new("/dev/null")
        );
    }
}

#[test]
fn another_program_can_stand_in_and_is_ended_alike() {
    let host = Host::new();
    host.run(|| {
        let script = format!("#!/bin/sh\n{WGQ} userspace \"$1\" >/dev/null 2>&1 &\n");
        fs::write("/run/other-wg", script).unwrap();
        fs::set_permissions("/run/other-wg", fs::Permissions::from_mode(0o755)).unwrap();
        userspace::start(wg0(), Some("/run/other-wg")).unwrap();
        assert!(userspace::is_running(wg0()));
        userspace::stop(wg0()).unwrap();
        let error = userspace::start(wg0(), Some("no-such-program")).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "run no-such-program: No such file or directory (os error 2)"
        );
        let error = userspace::start(wg0(), Some("false")).unwrap_err();
        assert_eq!(format!("{error:#}"), "false ended with exit status: 1");
    });
}

#[test]
fn a_process_that_hangs_loses_its_link_and_ends_when_it_can() {
    let host = Host::new();
    host.start();
    let pid = host.server();
    host.sh(&format!("kill -STOP {pid}"));
    host.run(|| userspace::stop(wg0()).unwrap());
    assert!(!host.sh("ip -br link").contains("wg0"));
    host.sh(&format!("kill -CONT {pid}"));
    wait_until(|| fs::read_link(format!("/proc/{pid}/exe")).is_err());
}
