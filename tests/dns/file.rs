//! /etc/resolv.conf itself.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

const ORIGINAL: &str = "# by hand\nnameserver 192.0.2.53\noptions edns0\n";

#[test]
fn what_stood_there_is_put_back_to_the_last_bit() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    fs::set_permissions(host.path("etc/resolv.conf"), Permissions::from_mode(0o604)).unwrap();
    let before = host.snapshot();
    let mut wanted = file("10.0.0.1");
    wanted.servers.push("fd00::1".parse().unwrap());
    wanted.search = vec!["example.com".to_owned(), "lan".to_owned()];

    host.up("wg0", &wanted);
    assert_eq!(
        lines(&host.resolv_conf()),
        [
            "nameserver 10.0.0.1",
            "nameserver fd00::1",
            "search example.com lan"
        ]
    );
    let mode = host.path("etc/resolv.conf").metadata().unwrap().mode();
    assert_eq!(mode & 0o7777, 0o604);

    assert_eq!(host.down("wg0", &wanted), Outcome::Done);
    assert_eq!(host.snapshot(), before);
}

#[test]
fn a_link_is_put_back_as_a_link_and_what_it_leads_to_is_never_written() {
    for target in ["../run/generated.conf", "../run/nowhere.conf"] {
        let host = Folder::new();
        fs::write(host.path("run/generated.conf"), ORIGINAL).unwrap();
        symlink(target, host.path("etc/resolv.conf")).unwrap();
        let before = host.snapshot();

        host.up("wg0", &file("10.0.0.1"));
        assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.1"]);
        let mode = host
            .path("etc/resolv.conf")
            .symlink_metadata()
            .unwrap()
            .mode();
        assert_eq!(mode, 0o100_644);
        let generated = fs::read_to_string(host.path("run/generated.conf")).unwrap();
        assert_eq!(generated, ORIGINAL);

        assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
        assert_eq!(host.snapshot(), before);
    }
}

#[test]
fn where_nothing_stood_nothing_stands_again() {
    let host = Folder::new();
    let before = host.snapshot();
    host.up("wg0", &file("10.0.0.1"));
    assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.1"]);
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert_eq!(host.snapshot(), before);
}

#[test]
fn bytes_that_are_no_text_are_put_back() {
    let host = Folder::new();
    fs::write(host.path("etc/resolv.conf"), b"\xff\x00#\r\n\xc3").unwrap();
    let before = host.snapshot();
    host.up("wg0", &file("10.0.0.1"));
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert_eq!(host.snapshot(), before);
}

#[test]
fn taking_back_what_was_never_told_does_nothing_and_says_nothing() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    let before = host.snapshot();
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert_eq!(host.snapshot(), before);
    assert!(!host.path("run/wgq").exists());

    host.up("wg1", &file("10.0.0.2"));
    let told = host.snapshot();
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert_eq!(host.snapshot(), told);

    assert_eq!(host.down("wg1", &file("10.0.0.2")), Outcome::Done);
    assert_eq!(host.down("wg1", &file("10.0.0.2")), Outcome::Done);
    assert_eq!(host.snapshot(), before);
}

#[test]
fn search_domains_alone_change_nothing() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    let before = host.snapshot();
    let mut wanted = file("10.0.0.1");
    wanted.servers.clear();
    wanted.search = vec!["lan".to_owned()];
    host.up("wg0", &wanted);
    assert_eq!(host.down("wg0", &wanted), Outcome::Done);
    assert_eq!(host.snapshot(), before);
}

/// Every sequence of ups and downs of three tunnels that starts and ends with none up.
fn sequences(
    up: &[usize],
    done: &[usize],
    so_far: &mut Vec<(bool, usize)>,
    all: &mut Vec<Vec<(bool, usize)>>,
) {
    if done.len() == 3 {
        all.push(so_far.clone());
    }
    for tunnel in 0..3 {
        let (is_up, is_done) = (up.contains(&tunnel), done.contains(&tunnel));
        if is_done {
            continue;
        }
        let up: Vec<usize> = if is_up {
            up.iter()
                .copied()
                .filter(|&other| other != tunnel)
                .collect()
        } else {
            [up, &[tunnel]].concat()
        };
        let done = if is_up {
            [done, &[tunnel]].concat()
        } else {
            done.to_vec()
        };
        so_far.push((!is_up, tunnel));
        sequences(&up, &done, so_far, all);
        so_far.pop();
    }
}

#[test]
fn tunnels_may_come_and_go_in_any_order() {
    let mut all = Vec::new();
    sequences(&[], &[], &mut Vec::new(), &mut all);
    assert_eq!(all.len(), 90);
    for sequence in all {
        let host = Folder::with_resolv_conf(ORIGINAL);
        let before = host.snapshot();
        let mut up: Vec<usize> = Vec::new();
        for (comes, tunnel) in &sequence {
            let (ifname, wanted) = (format!("wg{tunnel}"), file(&format!("10.0.0.{tunnel}")));
            if *comes {
                host.up(&ifname, &wanted);
                up.push(*tunnel);
            } else {
                assert_eq!(host.down(&ifname, &wanted), Outcome::Done);
                up.retain(|other| other != tunnel);
            }
            if let Some(last) = up.last() {
                let server = format!("nameserver 10.0.0.{last}");
                assert_eq!(lines(&host.resolv_conf()), [server], "{sequence:?}");
            }
        }
        assert_eq!(host.snapshot(), before, "{sequence:?}");
    }
}

#[test]
fn a_tunnel_that_changes_keeps_its_place() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    let before = host.snapshot();
    let (first, second, changed) = (file("10.0.0.1"), file("10.0.0.2"), file("10.0.0.3"));
    host.up("wg0", &first);
    host.up("wg1", &second);
    let outcome = host
        .host
        .set(name("wg0"), Some(&first), Some(&changed))
        .unwrap();
    assert_eq!(outcome, Outcome::Done);
    assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.2"]);
    let _ = host.down("wg1", &second);
    assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.3"]);
    let _ = host.down("wg0", &changed);
    assert_eq!(host.snapshot(), before);
}

#[test]
fn what_another_program_wrote_meanwhile_is_left() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    host.up("wg0", &file("10.0.0.1"));
    fs::write(host.path("etc/resolv.conf"), "nameserver 192.0.2.99\n").unwrap();
    let outcome = host.down("wg0", &file("10.0.0.1"));
    let path = host.path("etc/resolv.conf");
    assert_eq!(outcome, Outcome::Foreign(path.clone()));
    assert_eq!(
        outcome.to_string(),
        format!(
            "{} was changed by another program meanwhile, leaving it as it is",
            path.display()
        )
    );
    assert_eq!(host.resolv_conf(), "nameserver 192.0.2.99\n");
    assert_eq!(host.snapshot().len(), 1);
}

#[test]
fn what_another_program_wrote_before_the_next_tunnel_is_put_back_after_it() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    host.up("wg0", &file("10.0.0.1"));
    fs::remove_file(host.path("etc/resolv.conf")).unwrap();
    symlink("../run/other.conf", host.path("etc/resolv.conf")).unwrap();
    let foreign = describe(&host.path("etc/resolv.conf"));

    host.up("wg1", &file("10.0.0.2"));
    assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.2"]);
    assert_eq!(host.down("wg1", &file("10.0.0.2")), Outcome::Done);
    assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.1"]);
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert_eq!(host.snapshot(), [foreign]);
}

#[test]
fn a_tunnel_without_a_say_goes_without_a_warning() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    host.up("wg0", &file("10.0.0.1"));
    host.up("wg1", &file("10.0.0.2"));
    fs::write(host.path("etc/resolv.conf"), "nameserver 192.0.2.99\n").unwrap();
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert!(matches!(
        host.down("wg1", &file("10.0.0.2")),
        Outcome::Foreign(_)
    ));
    assert_eq!(host.resolv_conf(), "nameserver 192.0.2.99\n");
}

#[test]
fn what_was_deleted_meanwhile_is_put_back() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    let before = host.snapshot();
    host.up("wg0", &file("10.0.0.1"));
    fs::remove_file(host.path("etc/resolv.conf")).unwrap();
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert_eq!(host.snapshot(), before);
}

#[test]
fn a_copy_that_was_deleted_meanwhile_is_told() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    host.up("wg0", &file("10.0.0.1"));
    fs::remove_file(host.path("etc/resolv.conf.before-wgq")).unwrap();
    assert!(matches!(
        host.down("wg0", &file("10.0.0.1")),
        Outcome::Foreign(_)
    ));
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
}

#[test]
fn after_a_loss_of_power_the_file_of_before_is_put_back() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    let before = host.snapshot();
    let lose_power = || {
        host.up("wg0", &file("10.0.0.1"));
        fs::remove_dir_all(host.path("run/wgq")).unwrap();
    };
    lose_power();
    host.host.recover().unwrap();
    assert_eq!(host.snapshot(), before);

    lose_power();
    assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
    assert_eq!(host.snapshot(), before);

    lose_power();
    host.up("wg1", &file("10.0.0.2"));
    assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.2"]);
    host.host.recover().unwrap();
    assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.2"]);
    assert_eq!(host.down("wg1", &file("10.0.0.2")), Outcome::Done);
    assert_eq!(host.snapshot(), before);

    lose_power();
    fs::write(host.path("etc/resolv.conf"), "nameserver 192.0.2.99\n").unwrap();
    host.host.recover().unwrap();
    assert_eq!(host.resolv_conf(), "nameserver 192.0.2.99\n");
    assert_eq!(host.snapshot().len(), 1);
}

#[test]
fn recovering_where_nothing_was_lost_writes_nothing() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    host.host.recover().unwrap();
    assert!(!host.path("run/wgq").exists());
}

#[test]
fn many_at_once_wait_for_each_other() {
    let host = Folder::with_resolv_conf(ORIGINAL);
    let before = host.snapshot();
    std::thread::scope(|scope| {
        for tunnel in 0..8 {
            let host = &host;
            scope.spawn(move || {
                let (ifname, wanted) = (format!("wg{tunnel}"), file(&format!("10.0.0.{tunnel}")));
                for _ in 0..20 {
                    host.up(&ifname, &wanted);
                    assert_eq!(host.down(&ifname, &wanted), Outcome::Done);
                }
            });
        }
    });
    assert_eq!(host.snapshot(), before);
}
