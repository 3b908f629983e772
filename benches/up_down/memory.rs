//! A root in memory. The machine has the host's files by 9p, where each opening is a question to the host, in which the
//! machine's clock runs on: programs that start others would look slower than they are on any disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::unistd::chroot;

const ROOT: &str = "/run/root";

/// What the kernel opens for programs, which no trace shows.
const INTERPRETERS: [&str; 2] = ["/bin/bash", "/lib64/ld-linux-x86-64.so.2"];

/// File systems that are taken along as they are.
const KEPT: [&str; 4] = ["/proc", "/sys", "/dev", "/run"];

/// Makes a root in memory of these files, and goes there.
pub(crate) fn enter_root_of(files: BTreeSet<PathBuf>) {
    let root = Path::new(ROOT);
    for folder in KEPT.iter().chain(&["/tmp", "/etc", "/usr"]) {
        fs::create_dir_all(root.join(&folder[1..])).unwrap();
    }
    for link in ["bin", "sbin", "lib", "lib64"] {
        if let Ok(to) = fs::read_link(Path::new("/").join(link)) {
            symlink(to, root.join(link)).unwrap();
        }
    }
    for file in files.into_iter().chain(INTERPRETERS.map(PathBuf::from)) {
        copy(&file, root);
    }
    for kept in KEPT {
        mount(
            Some(kept),
            &root.join(&kept[1..]),
            None::<&str>,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            None::<&str>,
        )
        .unwrap();
    }
    chroot(root).unwrap();
    std::env::set_current_dir("/").unwrap();
}

/// Copies a file to its place below the root, by the name that programs use for it.
fn copy(file: &Path, root: &Path) {
    let kept = KEPT.iter().any(|kept| file.starts_with(kept));
    if kept || !file.is_file() || !file.is_absolute() {
        return;
    }
    let folder = file.parent().unwrap().canonicalize().unwrap(); // /lib is /usr/lib
    let folder = root.join(folder.strip_prefix("/").unwrap());
    fs::create_dir_all(&folder).unwrap();
    fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
}
