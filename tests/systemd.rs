//! The systemd units, as systemd reads them. The virtual machine boots with them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::process::Command;

/// Installs the program, the units and the man page, in a mount namespace of our own.
const INSTALL: &str = r#"
set -e
for folder in /run /usr/local; do mount -t tmpfs none "$folder"; done
mkdir -p /usr/local/bin /run/systemd/system
ln -s "$1" /usr/local/bin/wgq
install -D -m 644 -t /usr/local/share/man/man8 man/wgq.8
install -m 644 -t /run/systemd/system systemd/wgq*
exec systemd-analyze verify --recursive-errors=no wgq@wg0.service wgq-reresolve@wg0.timer wgq-reresolve@wg0.service wgq-expire@wg0.timer wgq-expire@wg0.service wgq.target
"#;

#[test]
fn systemd_finds_nothing_to_say_against_the_units() {
    let mut verify = Command::new("unshare");
    verify.args([
        "--mount",
        "sh",
        "-c",
        INSTALL,
        "sh",
        env!("CARGO_BIN_EXE_wgq"),
    ]);
    let output = verify
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "{said}(is systemd-analyze there? run tests/install)"
    );
}
