//! NetworkManager, played by an nmcli that writes down what it is asked; the real one is for the tests in a VM.

use super::resolved::install;
use super::*;

const FILE: &str = "run/NetworkManager/conf.d/90-wgq-wg0.conf";

/// A host whose nmcli does `script` after it has written down its arguments and the file.
fn host(script: &str) -> Folder {
    let host = Folder::new();
    let log = host.path("log").display().to_string();
    let file = host.path(FILE).display().to_string();
    let script = format!("echo \"$*\" >>{log}; cat {file} >>{log} 2>/dev/null\n{script}");
    install(&host, "nmcli", &script);
    host
}

fn log(host: &Folder) -> String {
    fs::read_to_string(host.path("log")).unwrap_or_default()
}

fn network_manager(server: &str) -> Dns {
    dns(DnsBackend::NetworkManager, server)
}

#[test]
fn it_is_told_servers_and_domains_and_forgets_them() {
    let host = host("exit 0");
    let mut wanted = network_manager("10.0.0.1");
    wanted.servers.push("fd00::1".parse().unwrap());
    wanted.search = vec!["example.com".to_owned(), "lan".to_owned()];
    host.up("wg0", &wanted);
    assert_eq!(host.down("wg0", &wanted), Outcome::Done);
    assert_eq!(host.down("wg0", &wanted), Outcome::Done);
    assert_eq!(
        log(&host),
        "general reload conf\n[global-dns]\nsearches=example.com,lan\n\
         [global-dns-domain-*]\nservers=10.0.0.1,fd00::1\n\
         general reload conf\ngeneral reload conf\n"
    );
    assert!(!host.path(FILE).exists());
}

#[test]
fn when_it_does_not_answer_nothing_is_left_for_it() {
    let host = host("echo 'Error: NetworkManager is not running.' >&2; exit 8");
    let error = host
        .host
        .set(name("wg0"), None, Some(&network_manager("10.0.0.1")))
        .unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.starts_with("nmcli general reload conf: Error: NetworkManager is not running."),
        "{error}"
    );
    assert!(!host.path(FILE).exists());
}

#[test]
fn a_change_that_fails_leaves_what_was_told_before() {
    let host = host("exit 0");
    let before = network_manager("10.0.0.1");
    host.up("wg0", &before);
    install(&host, "nmcli", "exit 8");
    let after = network_manager("10.0.0.2");
    let changed = host.host.set(name("wg0"), Some(&before), Some(&after));
    assert!(changed.is_err());
    let text = fs::read_to_string(host.path(FILE)).unwrap();
    assert!(text.ends_with("servers=10.0.0.1\n"), "{text}");
}
