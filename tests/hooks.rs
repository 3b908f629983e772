//! Hooks, as wg-quick(8) runs them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wgq::host::hooks::{self, HookError};

/// Runs a hook in which `OUT` is the path of a file, and returns what it wrote there.
fn run(command: &str) -> (Result<(), HookError>, String) {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let command = command.replace("OUT", out.to_str().unwrap());
    let result = hooks::run(
        &command,
        "wg0".parse().unwrap(),
        Path::new("/etc/wireguard/wg0.conf"),
    );
    (result, fs::read_to_string(out).unwrap_or_default())
}

fn output(command: &str) -> String {
    let (result, output) = run(command);
    result.unwrap();
    output
}

#[test]
fn a_hook_sees_what_wg_quick_s_see() {
    assert_eq!(
        output(r#"echo "$INTERFACE $CONFIG_FILE $LC_ALL $PROGRAM $#" >OUT"#),
        "wg0 /etc/wireguard/wg0.conf C wgq 0\n"
    );
    let here = std::env::current_dir().unwrap();
    assert_eq!(output("pwd >OUT"), format!("{}\n", here.display()));
    assert_eq!(
        output("cmd echo a 'b  c' >OUT 2>&1"),
        "[#] echo a b  c\na b  c\n"
    );
}

#[test]
fn a_hook_is_bash_s() {
    assert_eq!(
        output("cat <(echo a) >OUT; [[ x == !(y) ]] && echo b >>OUT"),
        "a\nb\n"
    );
    assert_eq!(
        output(r"printf '%s\n' 'a#b' a\;b $'c\td' >OUT # end"),
        "a#b\na;b\nc\td\n"
    );
    assert_eq!(output("echo a >OUT\n# two lines\necho b >>OUT"), "a\nb\n");
    assert_eq!(output(""), "");
}

#[test]
fn the_first_failure_ends_a_hook_with_its_status() {
    let (result, output) = run("echo a >OUT; (exit 42); echo b >>OUT");
    assert!(matches!(result, Err(HookError::Exit(42))), "{result:?}");
    assert_eq!(output, "a\n");
    assert!(matches!(run("false | true").0, Err(HookError::Exit(1))));
    assert!(
        matches!(run("die no >OUT 2>&1"), (Err(HookError::Exit(1)), said) if said == "wgq: no\n")
    );
    assert!(matches!(
        run("nosuchcommand 2>OUT").0,
        Err(HookError::Exit(127))
    ));
    assert!(matches!(
        run("exec 2>OUT; eval if").0,
        Err(HookError::Exit(_))
    ));
    assert_eq!(run("false").0.unwrap_err().to_string(), "exit status 1");
}

#[test]
fn a_signal_that_ends_a_hook_is_named() {
    let error = run("kill -INT $$").0.unwrap_err();
    assert_eq!(error.to_string(), "killed by SIGINT");
}

#[test]
fn the_text_of_a_hook_is_neither_among_the_arguments_nor_passed_on() {
    let arguments = output("tr '\\0' ' ' </proc/$$/cmdline >OUT; : a secret");
    assert!(
        arguments.contains("wg0") && !arguments.contains("a secret"),
        "{arguments}"
    );
    assert_eq!(output("env | grep -c 'a secret' >OUT || : a secret"), "0\n");
    assert_eq!(output("echo \"${INTERFACE@a}${WGQ_HOOK+set}\" >OUT"), "\n");
}

#[test]
fn a_ctrl_c_at_the_terminal_reaches_a_hook_for_it_is_in_our_process_group() {
    let group = nix::unistd::getpgrp();
    assert_eq!(
        output("cut -d' ' -f5 /proc/$$/stat >OUT"),
        format!("{group}\n")
    );
}

#[test]
fn bash_is_here() {
    hooks::check().unwrap();
}
