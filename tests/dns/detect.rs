//! Whom the host's programs ask.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::resolved::install;
use super::*;

const STUB: &str = "nameserver 127.0.0.53\noptions edns0 trust-ad\n";
const STATIC: &str = "nameserver 192.0.2.53\n";

/// A host with resolvectl and the folder of a resolved; with the listener it runs.
fn host_with_resolved(resolv_conf: &str) -> (Folder, UnixListener) {
    let host = Folder::with_resolv_conf(resolv_conf);
    install(&host, "resolvectl", "exit 1");
    fs::create_dir_all(host.path("run/systemd/resolve")).unwrap();
    let listener = UnixListener::bind(host.path("run/systemd/resolve/io.systemd.Resolve")).unwrap();
    (host, listener)
}

fn resolvconf(prefix: &str) -> DnsBackend {
    let prefix = prefix.to_owned();
    DnsBackend::Resolvconf { prefix }
}

#[test]
fn resolved_is_told_where_programs_ask_its_stub() {
    let (host, listener) = host_with_resolved(STUB);
    assert_eq!(host.host.detect(), DnsBackend::Resolved);
    drop(listener); // its socket stays, but nobody listens
    assert_eq!(host.host.detect(), DnsBackend::File);
}

#[test]
fn resolved_is_told_where_programs_ask_nss_resolve() {
    let (host, _listener) = host_with_resolved(STATIC);
    assert_eq!(host.host.detect(), DnsBackend::File);
    let nsswitch = host.path("etc/nsswitch.conf");
    fs::write(
        &nsswitch,
        "passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n",
    )
    .unwrap();
    assert_eq!(host.host.detect(), DnsBackend::Resolved);
    fs::write(&nsswitch, "hosts: files dns resolve # resolve\n").unwrap();
    assert_eq!(host.host.detect(), DnsBackend::File);
}

#[test]
fn a_resolved_that_nobody_asks_is_not_told() {
    let (host, _listener) = host_with_resolved(STATIC);
    fs::write(host.path("run/systemd/resolve/resolv.conf"), STATIC).unwrap();
    fs::remove_file(host.path("etc/resolv.conf")).unwrap();
    symlink(
        "../run/systemd/resolve/resolv.conf",
        host.path("etc/resolv.conf"),
    )
    .unwrap();
    assert_eq!(host.host.detect(), DnsBackend::File);
}

#[test]
fn an_old_resolved_without_a_socket_is_asked() {
    let host = Folder::with_resolv_conf(STUB);
    fs::create_dir_all(host.path("run/systemd/resolve")).unwrap();
    install(&host, "resolvectl", "exit 1");
    assert_eq!(host.host.detect(), DnsBackend::File);
    install(&host, "resolvectl", "exit 0");
    assert_eq!(host.host.detect(), DnsBackend::Resolved);
}

#[test]
fn resolved_keeps_the_links_of_another_network_namespace() {
    let (host, _listener) = host_with_resolved(STUB);
    for (process, netns) in [("1", "net:[1]"), ("thread-self", "net:[2]")] {
        let folder = host.path("proc").join(process).join("ns");
        fs::create_dir_all(&folder).unwrap();
        symlink(netns, folder.join("net")).unwrap();
    }
    assert_eq!(host.host.detect(), DnsBackend::File);
}

#[test]
fn resolvconf_is_told_else() {
    let host = Folder::with_resolv_conf(STATIC);
    install(&host, "resolvconf", "");
    assert_eq!(host.host.detect(), resolvconf(""));
}

#[test]
fn resolvconf_is_no_good_where_it_is_resolvectl() {
    let host = Folder::with_resolv_conf(STATIC);
    install(&host, "resolvectl", "");
    symlink("resolvectl", host.path("bin/resolvconf")).unwrap();
    assert_eq!(host.host.detect(), DnsBackend::File);
}

#[test]
fn debian_s_resolvconf_is_no_good_without_its_link() {
    let host = Folder::with_resolv_conf(STATIC);
    install(&host, "resolvconf", "");
    fs::create_dir_all(host.path("lib/resolvconf")).unwrap();
    fs::write(host.path("lib/resolvconf/list-records"), "").unwrap();
    assert_eq!(host.host.detect(), DnsBackend::File);
    fs::create_dir_all(host.path("run/resolvconf")).unwrap();
    fs::write(host.path("run/resolvconf/resolv.conf"), STATIC).unwrap();
    assert_eq!(host.host.detect(), DnsBackend::File);
    fs::remove_file(host.path("etc/resolv.conf")).unwrap();
    symlink(
        "../run/resolvconf/resolv.conf",
        host.path("etc/resolv.conf"),
    )
    .unwrap();
    assert_eq!(host.host.detect(), resolvconf(""));
}

#[test]
fn the_prefix_is_the_first_plain_pattern_of_interface_order() {
    let host = Folder::with_resolv_conf(STATIC);
    install(&host, "resolvconf", "");
    fs::create_dir(host.path("etc/resolvconf")).unwrap();
    let order = "# interface-order(5)\nlo.inet*\nlo\n  tun*\ntap*\n*\n";
    fs::write(host.path("etc/resolvconf/interface-order"), order).unwrap();
    assert_eq!(host.host.detect(), resolvconf("tun."));
    fs::rename(host.path("bin/resolvconf"), host.path("bin/other")).unwrap();
    symlink("other", host.path("bin/resolvconf")).unwrap();
    assert_eq!(host.host.detect(), resolvconf(""));
}

#[test]
fn the_file_is_written_where_nobody_keeps_it() {
    assert_eq!(
        Folder::with_resolv_conf(STATIC).host.detect(),
        DnsBackend::File
    );
    assert_eq!(
        Folder::with_resolv_conf(STUB).host.detect(),
        DnsBackend::File
    );
    assert_eq!(Folder::new().host.detect(), DnsBackend::File);
}
