//! systemd-resolved, played by a resolvectl that writes down what it is asked; the real one is for the tests in a VM.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// Puts a program in the host's path that does what a shell script says.
pub(crate) fn install(host: &Folder, name: &str, script: &str) {
    let program = host.path("bin").join(name);
    fs::write(&program, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A host whose resolvectl does `script` after it has written down its arguments.
fn host(script: &str) -> Folder {
    let host = Folder::new();
    let log = host.path("log").display().to_string();
    let script = format!("printf '[%s]' \"$@\" >>{log}; echo >>{log}\n{script}");
    install(&host, "resolvectl", &script);
    host
}

fn log(host: &Folder) -> Vec<String> {
    let log = fs::read_to_string(host.path("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

fn resolved(server: &str) -> Dns {
    dns(DnsBackend::Resolved, server)
}

#[test]
fn a_full_tunnel_is_asked_for_every_name() {
    let host = host("");
    let mut wanted = resolved("10.0.0.1");
    wanted.servers.push("fd00::1".parse().unwrap());
    wanted.search = vec!["example.com".to_owned()];
    host.up("lo", &wanted);
    assert_eq!(host.down("lo", &wanted), Outcome::Done);
    assert_eq!(
        log(&host),
        [
            "[dns][lo][10.0.0.1][fd00::1]",
            "[domain][lo][example.com][~.]",
            "[default-route][lo][true]",
            "[revert][lo]"
        ]
    );
}

#[test]
fn a_change_clears_what_is_no_longer_wanted() {
    let host = host("");
    let before = resolved("10.0.0.1");
    let mut after = resolved("10.0.0.2");
    after.all_names = false;
    let _ = host
        .host
        .set(name("lo"), Some(&before), Some(&after))
        .unwrap();
    assert_eq!(
        log(&host),
        [
            "[dns][lo][10.0.0.2]",
            "[domain][lo][]",
            "[default-route][lo][true]" // a link without domains is never asked otherwise
        ]
    );
}

#[test]
fn search_domains_alone_are_told() {
    let host = host("");
    let mut wanted = resolved("10.0.0.1");
    wanted.servers.clear();
    wanted.search = vec!["lan".to_owned()];
    wanted.all_names = false;
    host.up("lo", &wanted);
    assert_eq!(
        log(&host),
        [
            "[dns][lo][]",
            "[domain][lo][lan]",
            "[default-route][lo][false]"
        ]
    );
}

#[test]
fn a_link_that_is_gone_has_nothing_to_take_back() {
    let host = host("");
    assert_eq!(
        host.down("nosuchlink", &resolved("10.0.0.1")),
        Outcome::Done
    );
    assert!(log(&host).is_empty());
}

#[test]
fn a_link_that_resolved_has_not_heard_of_yet_is_told_again() {
    let script = r#"[ $(wc -l <"${0%/*}/../log") -gt 2 ] || {
        echo "Failed to set DNS configuration: Link 1 not known" >&2
        exit 1
    }"#;
    let host = host(script);
    host.up("lo", &resolved("10.0.0.1"));
    assert_eq!(log(&host).len(), 5);
}

#[test]
fn what_failed_in_the_middle_is_taken_back_and_the_error_says_what_and_why() {
    let script = r#"[ "$1" != default-route ] || { echo "Unknown command verb default-route." >&2; exit 1; }"#;
    let host = host(script);
    let wanted = resolved("10.0.0.1");
    let error = host.host.set(name("lo"), None, Some(&wanted)).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "resolvectl default-route lo true: Unknown command verb default-route.: exit status: 1"
    );
    assert_eq!(log(&host).last().unwrap(), "[revert][lo]");
}

#[test]
fn a_daemon_that_the_program_leaves_behind_holds_nobody_up() {
    let host = host("sleep 20 &");
    let start = std::time::Instant::now();
    host.up("lo", &resolved("10.0.0.1"));
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn a_missing_program_is_named() {
    let host = Folder::new();
    let wanted = resolved("10.0.0.1");
    let error = host.host.set(name("lo"), None, Some(&wanted)).unwrap_err();
    assert_eq!(format!("{error:#}"), "resolvectl: command not found");
}

#[test]
fn moving_to_another_backend_tells_the_new_one_and_takes_back_from_the_old() {
    let host = host("");
    fs::write(host.path("etc/resolv.conf"), "nameserver 192.0.2.53\n").unwrap();
    let (old, new) = (file("10.0.0.1"), resolved("10.0.0.1"));
    host.up("lo", &old);
    let _ = host.host.set(name("lo"), Some(&old), Some(&new)).unwrap();
    assert_eq!(host.resolv_conf(), "nameserver 192.0.2.53\n");
    assert_eq!(log(&host).len(), 3);
}
