//! The command line as a user meets it: bad input gets one clear error and changes nothing. Needs no privileges.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test"
)]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::sys::stat::Mode;

const KEY: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

fn wgq(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgq"));
    command
        .current_dir(folder)
        .args(args)
        .stdin(Stdio::null())
        .env_remove("NO_COLOR");
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The command as a user without rights; root becomes `nobody`. It is a copy in that folder, for the build folder may be
/// root's own; and cp(1) makes it, for a file that this process has written cannot be run while another test forks.
fn unprivileged(folder: &Path) -> Command {
    if !nix::unistd::geteuid().is_root() {
        return Command::new(env!("CARGO_BIN_EXE_wgq"));
    }
    let program = folder.join("wgq");
    let mut copy = Command::new("cp");
    let copied = copy.arg(env!("CARGO_BIN_EXE_wgq")).arg(&program).status();
    assert!(copied.unwrap().success());
    let mut command = Command::new("setpriv");
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    command.args(nobody).arg(program);
    command
}

/// What a dry run of `up` says of a file with this content: its exit code and its errors.
fn of_file(name: &str, content: &[u8]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    let output = wgq(folder.path(), &["--dry-run", "up", &format!("./{name}")]);
    assert!(output.stdout.is_empty(), "steps were planned");
    (output.status.code(), stderr(&output))
}

/// The lines that say what is wrong: without warnings, excerpts and hints.
fn errors(stderr: &str) -> Vec<&str> {
    let said = |line: &&str| line.starts_with("wgq: ");
    let only = |line: &&str| !line.starts_with("wgq: warning:") && !line.starts_with("wgq: hint:");
    stderr.lines().filter(said).filter(only).collect()
}

fn one_error(name: &str, content: &[u8], expected: &str) {
    let (code, text) = of_file(name, content);
    assert_eq!(code, Some(1), "{text}");
    let errors = errors(&text);
    assert_eq!(errors.len(), 1, "{text}");
    assert!(errors.concat().contains(expected), "{text}");
}

#[test]
fn a_file_that_is_no_config_gets_one_error() {
    one_error("wg0.conf", b"", "there is nothing in the file");
    one_error("wg0.conf", b"\x7fELF\x02\x01\xff\xfe\x00", "UTF-8");
    one_error("wg0.conf", b"[Interface]\nPostUp = a\0b\n", "NUL");
    one_error("0123456789abcdef.conf", b"[Interface]\n", "at most 15");
    one_error("a b.conf", b"[Interface]\n", "cannot contain ` `");
    one_error("wg0", b"[Interface]\n", "followed by .conf");
    one_error("wg0.conf", &vec![b'#'; 10 << 20], "larger than 8 MiB");
}

#[test]
fn mebibytes_of_nonsense_are_refused_in_time() {
    let start = std::time::Instant::now();
    let (code, text) = of_file("wg0.conf", &b"nonsense = nonsense\n".repeat((7 << 20) / 20));
    assert_eq!(code, Some(1));
    assert!(text.len() < 64 << 10, "{} bytes of errors", text.len());
    let (code, text) = of_file("wg0.conf", &vec![b'x'; 7 << 20]);
    assert_eq!(code, Some(1));
    assert!(text.len() < 4096, "{} bytes of errors", text.len());
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    nix::unistd::mkfifo(&folder.path().join("wg0.conf"), Mode::S_IRWXU).unwrap();
    fs::create_dir(folder.path().join("wg1.conf")).unwrap();
    for (file, expected) in [
        ("./wg0.conf", "not a regular file"),
        ("./wg1.conf", "directory"),
    ] {
        let output = wgq(folder.path(), &["--dry-run", "up", file]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn an_unreadable_file_is_named_with_the_kernels_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wg0.conf");
    fs::write(&file, "[Interface]\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = unprivileged(folder.path());
    let output = command
        .args(["--dry-run", "up"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("wgq: {}: Permission denied (os error 13)\n", file.display());
    assert_eq!(stderr(&output), expected);
}

#[test]
fn a_name_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["../x", "a b", "0123456789abcdef", "wg0/", "ü", "."] {
        for command in ["up", "down", "strip"] {
            let output = wgq(folder.path(), &["--dry-run", command, name]);
            assert_eq!(output.status.code(), Some(1), "{command} {name}");
            assert_eq!(errors(&stderr(&output)).len(), 1, "{}", stderr(&output));
        }
    }
}

#[test]
fn a_bare_file_name_is_the_file_that_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("[Interface]\nPrivateKey = {KEY}\n");
    fs::write(folder.path().join("here0.conf"), text).unwrap();
    let output = wgq(folder.path(), &["strip", "here0.conf"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().contains(KEY));
}

#[test]
fn a_config_from_standard_input_needs_a_name() {
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wgq"));
        command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text = format!("[Interface]\nPrivateKey = {KEY}\nAddress = 10.0.0.1/24\n");
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        child.wait_with_output().unwrap()
    };
    let output = run(&["--dry-run", "up", "-"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("--name"), "{}", stderr(&output));
    let output = run(&["--dry-run", "up", "-", "--name", "wgtest0"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let plan = String::from_utf8(output.stdout).unwrap();
    assert!(
        plan.contains("ip -4 address add 10.0.0.1/24 dev wgtest0\n"),
        "{plan}"
    );
    assert!(!plan.contains(KEY));
}

#[test]
fn all_errors_of_a_file_come_at_once_and_no_key_is_shown() {
    let broken = &KEY[..43];
    let text = format!(
        "[Interface]\nPrivateKey = {broken}\nAdress = 10.0.0.1\nMTU = x\n[Peer]\nPresharedKey = {broken}\n"
    );
    let (code, text) = of_file("wg0.conf", text.as_bytes());
    assert_eq!(code, Some(1));
    for place in [
        "wg0.conf:2:14: PrivateKey",
        "wg0.conf:3:1:",
        "wg0.conf:4:7: MTU",
        ":6:16:",
    ] {
        assert!(text.contains(place), "no {place} in {text}");
    }
    assert!(!text.contains(&KEY[..8]), "{text}");
    assert!(
        text.contains("hint: the nearest known key is Address, in [Interface]"),
        "{text}"
    );
}

#[test]
fn colours_come_when_asked_for_alone() {
    let folder = tempfile::tempdir().unwrap();
    let plain = wgq(folder.path(), &["down", "../x"]);
    assert!(!stderr(&plain).contains('\x1b'));
    let coloured = wgq(folder.path(), &["--color", "always", "down", "../x"]);
    assert!(stderr(&coloured).contains('\x1b'));
}

#[test]
fn usage_errors_are_told_from_failures() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        wgq(folder.path(), &["sideways", "wg0"]).status.code(),
        Some(2)
    );
    assert_eq!(wgq(folder.path(), &["up"]).status.code(), Some(2));
    assert!(wgq(folder.path(), &["--version"]).status.success());
    let help = String::from_utf8(wgq(folder.path(), &["--help"]).stdout).unwrap();
    assert!(help.contains("Examples:"), "{help}");
}

#[test]
fn only_root_may_change_anything() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = unprivileged(folder.path());
    let output = command.args(["up", "wg0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("wgq: `wgq up` must be run as root\n"));
}

#[test]
fn the_length_of_a_name_is_without_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let output = wgq(folder.path(), &["--dry-run", "up", "0123456789abcdef.conf"]);
    assert_eq!(
        stderr(&output),
        "wgq: 0123456789abcdef.conf: an interface name has at most 15 characters, and `0123456789abcdef` has 16\n"
    );
}

#[test]
fn a_key_file_that_is_no_file_is_not_waited_for_and_one_for_everybody_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    nix::unistd::mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
    fs::write(path("key"), KEY).unwrap();
    for mode in [0o755, 0o700] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        fs::set_permissions(path("key"), fs::Permissions::from_mode(0o644)).unwrap();
        let file = path("key").display().to_string();
        let text = format!(
            "[Interface]\nPrivateKeyFile = {file}\n[Peer]\nPublicKey = {KEY}\nPresharedKeyFile = {file}\n"
        );
        fs::write(path("wg0.conf"), text).unwrap();
        fs::set_permissions(path("wg0.conf"), fs::Permissions::from_mode(0o600)).unwrap();
        let output = wgq(folder.path(), &["--dry-run", "up", "./wg0.conf"]);
        let warning = format!(
            "wgq: warning: `{file}' is world accessible: `chmod 600` keeps its keys secret\n"
        );
        let times = if mode == 0o755 { 2 } else { 0 };
        assert_eq!(
            stderr(&output).matches(&warning).count(),
            times,
            "{}",
            stderr(&output)
        );
    }
    for key in [
        "PrivateKeyFile = fifo\n",
        "PrivateKey =\n[Peer]\nPublicKey = AAAA\nPresharedKeyFile = fifo\n",
    ] {
        let text = format!("[Interface]\n{key}")
            .replace("AAAA", KEY)
            .replace("PrivateKey =", &format!("PrivateKey = {KEY}"));
        fs::write(path("wg0.conf"), text).unwrap();
        let output = wgq(folder.path(), &["--dry-run", "up", "./wg0.conf"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("KeyFile: fifo: not a regular file"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_stripped_file_has_the_keys_of_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let psk = "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=";
    file("key", &format!("{KEY}\n"));
    file("psk", psk);
    let peer = format!("[Peer]\nPublicKey = {psk}\nPresharedKeyFile = psk");
    file(
        "wg0.conf",
        &format!("[Interface]\nPrivateKeyFile = key\nMetric = 5\n{peer}\n"),
    );
    let output = wgq(folder.path(), &["strip", "wg0.conf"]);
    let expected = format!(
        "[Interface]\nPrivateKey = {KEY}\n[Peer]\nPublicKey = {psk}\nPresharedKey = {psk}\n\n"
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    fs::remove_file(folder.path().join("psk")).unwrap();
    let output = wgq(folder.path(), &["strip", "wg0.conf"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert_eq!(
        stderr(&output),
        "wgq: wg0.conf:6:20: PresharedKeyFile: psk: No such file or directory (os error 2)\n 6 | PresharedKeyFile = psk\n   |                    ^^^\n"
    );
}

#[test]
fn a_peer_with_the_interfaces_own_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let own = KEY.parse::<wgq::key::PrivateKey>().unwrap().public_key();
    let text = format!("[Interface]\nPrivateKey = {KEY}\n[Peer]\nPublicKey = {own}\n");
    fs::write(folder.path().join("wg0.conf"), text).unwrap();
    let output = wgq(folder.path(), &["--dry-run", "up", "wg0.conf"]);
    assert!(stderr(&output).contains("wg0.conf:4:13: PublicKey: this is the interface's own key"));
}

/// A server as guides have it.
const HOOKS: &str = "PostUp = iptables -A FORWARD -i %i -j ACCEPT; iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -o %i -j MASQUERADE
PostDown = iptables -D FORWARD -i %i -j ACCEPT; iptables -t nat -D POSTROUTING -s 10.0.0.0/24 ! -o %i -j MASQUERADE
";

fn server() -> String {
    format!("# mine\n[Interface]\nPrivateKey = {KEY}\nAddress = 10.0.0.1/24\n{HOOKS}# end\n")
}

#[test]
fn migrate_shows_the_change_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wgq-test.conf");
    fs::write(&file, server()).unwrap();
    for args in [
        &["migrate", "wgq-test.conf"][..],
        &["--dry-run", "migrate", "--write", "wgq-test.conf"],
    ] {
        let output = wgq(folder.path(), args);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let diff = String::from_utf8(output.stdout).unwrap();
        assert!(
            diff.starts_with("--- wgq-test.conf\n+++ wgq-test.conf\n@@ -5,2 +5 @@\n-PostUp = "),
            "{diff}"
        );
        assert!(diff.ends_with("\n+Masquerade = yes\n"), "{diff}");
        assert_eq!(fs::read_to_string(&file).unwrap(), server());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn migrate_shows_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let hook = format!("PostUp = echo {KEY} | wg set %i private-key /dev/stdin\n");
    fs::write(
        folder.path().join("wgq-test.conf"),
        server() + &hook.replace("PostUp", "[Interface]\nPostUp"),
    )
    .unwrap();
    let output = wgq(folder.path(), &["migrate", "wgq-test.conf"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output) + &String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("stays a hook") && !said.contains(&KEY[..30]),
        "{said}"
    );
}

#[test]
fn an_interface_that_is_not_here_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let keys = "Masquerade = wg0, lo, nowhere7\nPortForward = nowhere8:tcp/80 -> 10.0.0.2";
    let peer = "[Peer]\nPublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=\nAllowedIPs = 10.0.0.2/32";
    let text = format!("[Interface]\nPrivateKey = {KEY}\n{keys}\n{peer}\n");
    fs::write(folder.path().join("wg0.conf"), text).unwrap();
    let output = wgq(folder.path(), &["--dry-run", "up", "wg0.conf"]);
    let said = stderr(&output);
    for (place, name) in [
        ("3:14: Masquerade", "nowhere7"),
        ("4:15: PortForward", "nowhere8"),
    ] {
        let warning =
            format!("wgq: warning: wg0.conf:{place}: there is no interface `{name}' here\n");
        assert!(said.contains(&warning), "{said}");
    }
    assert_eq!(said.matches("no interface").count(), 2, "{said}");
}
