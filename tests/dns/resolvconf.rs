//! The two resolvconfs that there are, as Debian packages them, each in a root of its own.

use std::os::unix::fs::{chroot, symlink};
use std::process::Command;
use std::sync::Mutex;

use nix::mount::{MsFlags, mount};

use super::mounts::{bind, in_private_mounts};
use super::*;

/// Gives this thread a root with this machine's programs, those of a package, and an /etc and a /run of its own.
fn enter_root_with(package: &str) {
    let unpacked = unpack(package);
    let work = unpacked.with_file_name("work");
    fs::create_dir_all(&work).unwrap();
    let mount_new = |kind: &str, to: &Path, data: Option<&str>| {
        mount(Some(kind), to, Some(kind), MsFlags::empty(), data).unwrap();
    };
    mount_new("tmpfs", &work, None);
    let root = work.join("root");
    for name in ["scratch", "root/run", "root/usr", "root/dev"] {
        fs::create_dir_all(work.join(name)).unwrap();
    }
    copy(&unpacked.join("usr"), &work.join("upper"));
    copy(&unpacked.join("etc"), &root.join("etc"));
    for name in ["bin", "sbin", "lib", "lib64"] {
        let on_host = Path::new("/").join(name);
        if let Ok(target) = fs::read_link(on_host) {
            symlink(target, root.join(name)).unwrap();
        }
    }
    let work = work.display();
    let options = format!("lowerdir=/usr,upperdir={work}/upper,workdir={work}/scratch");
    mount_new("overlay", &root.join("usr"), Some(&options));
    bind(Path::new("/dev"), &root.join("dev"));
    chroot(&root).unwrap();
    std::env::set_current_dir("/").unwrap();
}

fn copy(from: &Path, to: &Path) {
    run(Command::new("cp")
        .args(["-R", "--preserve=mode,links"])
        .args([from, to]));
}

/// Fetches and unpacks a package, once, and moves what is for the links /sbin and /lib to where they lead.
fn unpack(package: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(package);
    let unpacked = folder.join("root");
    if unpacked.join("usr/sbin").exists() {
        return unpacked;
    }
    fs::create_dir_all(&folder).unwrap();
    run(Command::new("apt-get")
        .args(["-q", "download", package])
        .current_dir(&folder));
    let deb = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let deb = deb
        .into_iter()
        .find(|path| path.extension() == Some("deb".as_ref()))
        .unwrap();
    run(Command::new("dpkg").arg("-x").arg(deb).arg(&unpacked));
    for name in ["lib", "sbin"] {
        if unpacked.join(name).is_dir() {
            run(Command::new("cp")
                .arg("-a")
                .args([unpacked.join(name), unpacked.join("usr")]));
            fs::remove_dir_all(unpacked.join(name)).unwrap();
        }
    }
    unpacked
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// What stands in the file, without comments.
fn servers() -> Vec<String> {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap();
    lines(&text).into_iter().map(str::to_owned).collect()
}

/// Brings two tunnels up and down; `both` is what stands there while both are up.
fn two_tunnels_come_and_go(backend: &DnsBackend, one: &[&str], both: &[&str]) {
    let host = Host::default();
    assert_eq!(host.detect(), *backend);
    let before = servers();
    let mut first = dns(backend.clone(), "10.0.0.1");
    first.search = vec!["lan".to_owned()];
    let second = dns(backend.clone(), "10.0.0.2");
    let set = |ifname: &str, from: Option<&Dns>, to: Option<&Dns>| {
        assert_eq!(host.set(name(ifname), from, to).unwrap(), Outcome::Done);
    };
    set("wg0", Some(&first), None); // never told
    assert_eq!(servers(), before);
    set("wg0", None, Some(&first));
    assert_eq!(servers(), one);
    set("wg1", None, Some(&second));
    assert_eq!(servers(), both);
    set("wg1", Some(&second), None);
    assert_eq!(servers(), one);
    set("wg0", Some(&first), None);
    set("wg0", Some(&first), None);
    assert_eq!(servers(), before);
}

#[test]
fn debian_s_resolvconf_puts_a_tunnel_before_the_others() {
    in_private_mounts(|| {
        enter_root_with("resolvconf");
        fs::create_dir_all("/run/resolvconf/interface").unwrap();
        fs::write(
            "/run/resolvconf/interface/eth0.dhclient",
            "nameserver 192.0.2.53\n",
        )
        .unwrap();
        fs::write("/run/resolvconf/resolv.conf", "").unwrap();
        symlink("/run/resolvconf/resolv.conf", "/etc/resolv.conf").unwrap();
        run(Command::new("resolvconf").arg("--enable-updates"));
        run(Command::new("resolvconf").arg("-u"));
        assert_eq!(servers(), ["nameserver 192.0.2.53"]);

        let prefix = "tun.".to_owned();
        two_tunnels_come_and_go(
            &DnsBackend::Resolvconf { prefix },
            &["nameserver 10.0.0.1", "nameserver 192.0.2.53", "search lan"],
            &[
                "nameserver 10.0.0.1",
                "nameserver 10.0.0.2",
                "nameserver 192.0.2.53",
                "search lan",
            ],
        );
    });
}

#[test]
fn openresolv_gives_a_tunnel_all_the_say() {
    in_private_mounts(|| {
        enter_root_with("openresolv");
        let original = "# by hand\nnameserver 192.0.2.53\n";
        fs::write("/etc/resolv.conf", original).unwrap();
        let prefix = String::new();
        two_tunnels_come_and_go(
            &DnsBackend::Resolvconf { prefix },
            &["search lan", "nameserver 10.0.0.1"],
            &["nameserver 10.0.0.2"],
        );
        assert_eq!(fs::read_to_string("/etc/resolv.conf").unwrap(), original);
    });
}

#[test]
fn what_resolvconf_says_is_in_the_error() {
    in_private_mounts(|| {
        enter_root_with("openresolv");
        fs::write("/run/resolvconf", "in the way").unwrap();
        let prefix = String::new();
        let wanted = dns(DnsBackend::Resolvconf { prefix }, "10.0.0.1");
        let error = Host::default()
            .set(name("wg0"), None, Some(&wanted))
            .unwrap_err();
        let text = format!("{error:#}");
        assert!(text.starts_with("resolvconf -a: "), "{text}");
        assert!(text.ends_with(": exit status: 1"), "{text}");
        assert!(text.contains("/run/resolvconf"), "{text}");
    });
}
