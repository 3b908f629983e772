//! `wgq genkey`, `genpsk` and `pubkey` beside `wg`'s commands of these names. Needs no privileges.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test"
)]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

fn run(program: &str, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.args(args).env("LANG", "C");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input); // one that reads nothing is gone already
    child.wait_with_output().unwrap()
}

fn wgq(args: &[&str], input: &[u8]) -> Output {
    run(env!("CARGO_BIN_EXE_wgq"), args, input)
}

fn text(output: &[u8]) -> &str {
    str::from_utf8(output).unwrap()
}

#[test]
fn a_new_key_is_one_that_wg_takes_and_has_the_public_key_that_wg_says() {
    for command in ["genkey", "genpsk"] {
        for _ in 0..32 {
            let key = wgq(&[command], b"");
            assert!(key.status.success() && key.stderr.is_empty());
            assert_eq!(key.stdout.len(), 45);
            let theirs = run("wg", &["pubkey"], &key.stdout);
            let ours = wgq(&["pubkey"], &key.stdout);
            assert!(theirs.status.success() && ours.stderr.is_empty());
            assert_eq!(text(&ours.stdout), text(&theirs.stdout));
        }
    }
}

#[test]
fn what_wg_takes_for_a_key_is_one_and_what_it_refuses_is_none_and_is_not_told() {
    let key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
    let inputs = [
        key.to_owned(),
        format!("{key}\n"),
        format!("{key}\r\n \t\x0b\x0c\0\n"),
        format!(" {key}\n"),
        format!("{key}\nx"),
        format!("{key}{key}"),
        key.replace("mk=", "ml="),
        key.replace('=', ""),
        key.replace('=', "\n"),
        String::new(),
        "\n".to_owned(),
        "é".repeat(44),
        "x".repeat(1 << 16),
    ];
    for input in inputs {
        let (ours, theirs) = (
            wgq(&["pubkey"], input.as_bytes()),
            run("wg", &["pubkey"], input.as_bytes()),
        );
        assert_eq!(ours.status.code(), theirs.status.code(), "{input:?}");
        assert_eq!(ours.stdout, theirs.stdout, "{input:?}");
        let said = text(&ours.stderr);
        assert_eq!(said.is_empty(), ours.status.success(), "{said}");
        assert!(!said.contains("yAnz5TF"), "{said}");
    }
    let said = wgq(&["pubkey"], b"\xff\xfe");
    assert_eq!(text(&said.stderr), "wgq: standard input: not a key\n");
}

#[test]
fn a_file_that_everybody_can_get_at_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let said_of = |mode, command| {
        let path = folder.path().join("key");
        let file = File::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let mut wgq = Command::new(env!("CARGO_BIN_EXE_wgq"));
        let output = wgq.arg(command).stdout(file).output().unwrap();
        assert!(output.status.success());
        assert_eq!(fs::read(&path).unwrap().len(), 45);
        text(&output.stderr).to_owned()
    };
    for command in ["genkey", "genpsk"] {
        assert_eq!(
            said_of(0o644, command),
            "wgq: warning: writing to a world accessible file\n\
             wgq: hint: `umask 077` makes files that only their owner can read\n"
        );
        assert!(!said_of(0o601, command).is_empty());
        assert_eq!(said_of(0o660, command), "");
    }
    assert_eq!(wgq(&["genkey"], b"").stderr, b"");
}

#[test]
fn keys_are_json_too() {
    for (command, name) in [
        ("genkey", "private_key"),
        ("genpsk", "preshared_key"),
        ("pubkey", "public_key"),
    ] {
        let key = wgq(&["genkey"], b"").stdout;
        let output = wgq(&["--json", command], &key);
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found[name].as_str().unwrap().len(), 44, "{command}");
        assert_eq!(found.as_object().unwrap().len(), 1);
    }
}
