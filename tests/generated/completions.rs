//! The completions: what `clap_complete` makes, and the names of interfaces, which it cannot know.

use clap::Command;
use clap_complete::Shell;

use crate::{command, is_up_to_date};

#[test]
fn the_completions_are_up_to_date() {
    is_up_to_date("completions/wgq.bash", &bash());
    is_up_to_date("completions/_wgq", &zsh());
    is_up_to_date("completions/wgq.fish", &fish());
}

fn generate(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "wgq", &mut script);
    String::from_utf8(script).unwrap()
}

/// A second function calls clap's, and says what that one cannot.
fn bash() -> String {
    let interfaces = include_str!("../../completions/interfaces/bash");
    generate(Shell::Bash) + "\n" + &interfaces.replace("@COMMANDS@", &targeted("|"))
}

/// The action for files becomes one for interfaces and files, where an interface stands.
fn zsh() -> String {
    let script = generate(Shell::Zsh);
    let mut found = 0;
    let mut lines = String::new();
    for line in script.lines() {
        let is_interface = ["':config -- ", "'::config -- "]
            .iter()
            .any(|it| line.starts_with(it));
        let before = line.strip_suffix(":_files' \\").filter(|_| is_interface);
        found += usize::from(before.is_some());
        let line = before.map_or(line.to_owned(), |before| {
            format!("{before}:_wgq_interfaces' \\")
        });
        lines = lines + &line + "\n";
    }
    assert_eq!(found, targeted(" ").split(' ').count());
    let script = lines;
    let (functions, start) = script.rsplit_once("\nif [ ").unwrap();
    format!(
        "{functions}\n{}\nif [ {start}",
        include_str!("../../completions/interfaces/zsh")
    )
}

/// More lines do it.
fn fish() -> String {
    let interfaces = include_str!("../../completions/interfaces/fish");
    generate(Shell::Fish) + "\n" + &interfaces.replace("@COMMANDS@", &targeted(" "))
}

/// The commands that take an interface.
fn targeted(separator: &str) -> String {
    let takes_one = |sub: &&Command| {
        let mut arguments = sub.get_positionals();
        arguments.any(|argument| argument.get_id() == "config")
    };
    let command = command();
    let names = command
        .get_subcommands()
        .filter(takes_one)
        .map(Command::get_name);
    names.collect::<Vec<_>>().join(separator)
}
