//! Files that cannot be replaced; and how the tests get private mounts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use super::*;

/// Runs `test` in a thread that has mounts of its own.
pub(crate) fn in_private_mounts(test: fn()) {
    let run = move || {
        unshare(CloneFlags::CLONE_NEWNS)
            .expect("needs root; a plain user has it under `unshare -rm`");
        let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).unwrap();
        test();
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

pub(crate) fn bind(from: &Path, to: &Path) {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, flags, None::<&str>).unwrap();
}

/// What is mounted on a host in a folder, for as long as that lives.
#[derive(Default)]
pub(crate) struct Mounts(Mutex<Vec<PathBuf>>);

impl Drop for Mounts {
    fn drop(&mut self) {
        for path in self.0.get_mut().unwrap().drain(..) {
            umount2(&path, MntFlags::MNT_DETACH).unwrap();
        }
    }
}

impl Folder {
    pub(crate) fn bind(&self, from: &str, to: &str) {
        bind(&self.path(from), &self.path(to));
        self.mounts.0.lock().unwrap().push(self.path(to));
        self.link_proc();
    }

    /// Lets the host see what is mounted.
    fn link_proc(&self) {
        symlink("/proc", self.path("proc")).unwrap();
    }

    fn make_etc_read_only(&self) {
        self.bind("etc", "etc");
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(
            None::<&str>,
            &self.path("etc"),
            None::<&str>,
            flags,
            None::<&str>,
        )
        .unwrap();
    }
}

#[test]
fn a_mounted_file_is_written_in_place() {
    in_private_mounts(|| {
        let host = Folder::with_resolv_conf("hidden\n");
        fs::write(host.path("run/mounted"), "nameserver 192.0.2.53\n").unwrap();
        host.bind("run/mounted", "etc/resolv.conf");
        let inode = host.path("etc/resolv.conf").metadata().unwrap().ino();

        host.up("wg0", &file("10.0.0.1"));
        host.up("wg1", &file("10.0.0.2"));
        assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.2"]);
        assert_eq!(
            host.path("etc/resolv.conf").metadata().unwrap().ino(),
            inode
        );
        assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
        assert_eq!(host.down("wg1", &file("10.0.0.2")), Outcome::Done);
        assert_eq!(host.resolv_conf(), "nameserver 192.0.2.53\n");
        assert_eq!(host.snapshot().len(), 1);

        host.up("wg0", &file("10.0.0.1"));
        fs::write(host.path("etc/resolv.conf"), "nameserver 192.0.2.99\n").unwrap();
        assert!(matches!(
            host.down("wg0", &file("10.0.0.1")),
            Outcome::Foreign(_)
        ));
        assert_eq!(host.resolv_conf(), "nameserver 192.0.2.99\n");
        assert_eq!(host.snapshot().len(), 1);
    });
}

#[test]
fn the_mounted_file_of_a_network_namespace_is_another_one_than_the_host_s() {
    in_private_mounts(|| {
        let host = Folder::with_resolv_conf("nameserver 192.0.2.53\n");
        let before = host.snapshot();
        host.link_proc();
        fs::write(host.path("run/netns.conf"), "nameserver 192.0.2.54\n").unwrap();
        host.up("wg0", &file("10.0.0.1"));
        thread::scope(|scope| {
            // as `ip netns exec` does it
            let in_netns = || {
                unshare(CloneFlags::CLONE_NEWNS).unwrap();
                bind(&host.path("run/netns.conf"), &host.path("etc/resolv.conf"));
                host.up("wg0", &file("10.0.0.2"));
                assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.2"]);
                assert_eq!(host.down("wg0", &file("10.0.0.2")), Outcome::Done);
                assert_eq!(host.resolv_conf(), "nameserver 192.0.2.54\n");
                // what was told outside is not to be taken back here
                assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
            };
            scope.spawn(in_netns).join().unwrap();
        });
        assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.1"]);
        assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
        assert_eq!(host.snapshot(), before);
    });
}

#[test]
fn a_read_only_etc_is_told_as_such_and_nothing_is_left() {
    in_private_mounts(|| {
        let host = Folder::with_resolv_conf("nameserver 192.0.2.53\n");
        host.make_etc_read_only();
        let before = host.snapshot();
        let wanted = file("10.0.0.1");
        let error = host.host.set(name("wg0"), None, Some(&wanted)).unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            format!(
                "{}: Read-only file system (os error 30)",
                host.path("etc/resolv.conf").display()
            )
        );
        assert_eq!(host.down("wg0", &wanted), Outcome::Done);
        assert_eq!(host.snapshot(), before);
    });
}

#[test]
fn a_link_in_a_read_only_etc_is_written_through() {
    in_private_mounts(|| {
        let host = Folder::new();
        fs::write(host.path("run/writable"), "nameserver 192.0.2.53\n").unwrap();
        symlink("../run/writable", host.path("etc/resolv.conf")).unwrap();
        host.make_etc_read_only();
        let before = host.snapshot();
        host.up("wg0", &file("10.0.0.1"));
        assert_eq!(lines(&host.resolv_conf()), ["nameserver 10.0.0.1"]);
        assert_eq!(host.down("wg0", &file("10.0.0.1")), Outcome::Done);
        assert_eq!(host.resolv_conf(), "nameserver 192.0.2.53\n");
        assert_eq!(host.snapshot(), before);
    });
}
