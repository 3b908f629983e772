//! Tests that are scripts, each on a host of its own, which begins with tests/engine/prelude.sh.

use std::io::Write;
use std::process::Command;

const PRELUDE: &str = include_str!("../engine/prelude.sh");

/// Runs a script on a new host; it must end well. Returns what it printed.
#[allow(clippy::unwrap_used, reason = "a test")]
pub(crate) fn host(script: &str) -> String {
    let mut command = Command::new("unshare");
    if !nix::unistd::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    // a process namespace too: what the script leaves running dies with it
    command.args([
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{PRELUDE}\n{script}").unwrap();
    command.args(["timeout", "1800", "bash"]).arg(file.path()); // what waits forever fails, too
    let output = command
        .env("WGQ", env!("CARGO_BIN_EXE_wgq"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
