//! The man page: what `clap_mangen` makes of the command line, with the written sections in man/sections.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command as Process;

use clap::Command;
use clap_mangen::Man;

use wgq::config::known_keys;

use crate::{command, is_up_to_date};

/// When the page was last changed in substance.
const DATE: &str = "2026-11-23";

/// What the command line does not know, in order.
const WRITTEN: [&str; 16] = [
    include_str!("../../man/sections/configuration-file"),
    include_str!("../../man/sections/clients"),
    include_str!("../../man/sections/apply"),
    include_str!("../../man/sections/status"),
    include_str!("../../man/sections/full-tunnel"),
    include_str!("../../man/sections/endpoints"),
    include_str!("../../man/sections/network-namespaces"),
    include_str!("../../man/sections/other-firewalls"),
    include_str!("../../man/sections/network-managers"),
    include_str!("../../man/sections/migration"),
    include_str!("../../man/sections/differences"),
    include_str!("../../man/sections/environment"),
    include_str!("../../man/sections/files"),
    include_str!("../../man/sections/exit-status"),
    include_str!("../../man/sections/examples"),
    include_str!("../../man/sections/see-also"),
];

#[test]
fn the_man_page_is_up_to_date() {
    is_up_to_date("man/wgq.8", &page());
}

#[test]
fn the_man_page_names_every_key_of_a_config_file() {
    let page = page();
    let (_, keys) = page.split_once(".SS Keys of [Interface]\n").unwrap();
    let (keys, _) = keys.split_once(".SH ").unwrap();
    let (of_interface, of_peer) = keys.split_once(".SS Keys of [Peer]\n").unwrap();
    let named = |section: &str| -> BTreeSet<String> {
        let heads = section
            .split(".TP\n")
            .skip(1)
            .map(|entry| entry.lines().next().unwrap());
        let words = heads.flat_map(|head| head.split([' ', '"', ',']).skip(1));
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let known = |section| -> BTreeSet<String> {
        let keys = known_keys().filter(|key| key.0 == section);
        keys.map(|key| key.1.to_owned()).collect()
    };
    assert_eq!(named(of_interface), known("[Interface]"));
    assert_eq!(named(of_peer), known("[Peer]"));
}

#[test]
fn the_man_page_names_every_option() {
    let page = page();
    let mut command = command();
    command.build();
    for option in all(&command).into_iter().flat_map(Command::get_arguments) {
        if let Some(long) = option.get_long() {
            let roff = format!("\\fB\\-\\-{}\\fR", long.replace('-', "\\-"));
            assert!(page.contains(&roff), "--{long} is not in the man page");
        }
    }
}

/// A command and all that are in it.
fn all(command: &Command) -> Vec<&Command> {
    let inner = command.get_subcommands().flat_map(all);
    std::iter::once(command).chain(inner).collect()
}

#[test]
fn the_man_page_is_clean() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/man/wgq.8");
    let lint = Process::new("mandoc")
        .args(["-T", "lint", "-W", "warning", file])
        .output();
    let lint = lint.expect("mandoc: run tests/install");
    assert!(
        lint.status.success(),
        "{}",
        String::from_utf8_lossy(&lint.stdout)
    );

    let mut render = Process::new("man");
    render
        .args(["--warnings", "--local-file", file])
        .env("MANWIDTH", "80");
    let shown = render.output().expect("man: run tests/install");
    assert_eq!(String::from_utf8(shown.stderr).unwrap(), "");
    let text = String::from_utf8(shown.stdout).unwrap();
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
}

fn page() -> String {
    let command = command();
    let man = Man::new(command.clone())
        .title("WGQ")
        .section("8")
        .date(DATE)
        .manual("System Administration");
    let mut page = String::new();
    page += &rendered(|to| man.render_title(to));
    page += &rendered(|to| man.render_name_section(to));
    page += &rendered(|to| man.render_synopsis_section(to));
    page += &description(&man);
    page += ".SH COMMANDS\n";
    for sub in command.get_subcommands() {
        page += &subcommands("wgq", sub);
    }
    page += &rendered(|to| man.render_options_section(to));
    page + &with_examples(&WRITTEN.concat())
}

/// A line `.so examples/FILE` is the text of that file.
fn with_examples(written: &str) -> String {
    let lines = written.lines().map(|line| match line.strip_prefix(".so ") {
        Some(path) => {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            fs::read_to_string(file).unwrap().replace('-', "\\-")
        }
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// A command and those in it as parts of the page.
fn subcommands(of: &str, sub: &Command) -> String {
    let called = format!("{of} {}", sub.get_name());
    let inner = sub
        .get_subcommands()
        .map(|inner| subcommands(&called, inner));
    subcommand(&called, sub) + &inner.collect::<String>()
}

/// A command as a part of the page: how it is called, what it does, and its options.
fn subcommand(called: &str, sub: &Command) -> String {
    let man = Man::new(sub.clone().bin_name(called).disable_help_flag(true));
    let name = called.trim_start_matches("wgq ");
    let synopsis = rendered(|to| man.render_synopsis_section(to)).replace(".SH SYNOPSIS\n", "");
    let description =
        rendered(|to| man.render_description_section(to)).replace(".SH DESCRIPTION\n", "");
    let options = rendered(|to| man.render_options_section(to)).replace(".SH OPTIONS\n", "");
    format!(".SS {name}\n{synopsis}.PP\n{description}{options}")
}

/// What the program is; the line of NAME is not said again.
fn description(man: &Man) -> String {
    let text = rendered(|to| man.render_description_section(to));
    let (_, longer) = text.split_once(".PP\n").unwrap();
    format!(".SH DESCRIPTION\n{longer}")
}

/// What a part of `clap_mangen` writes, as man pages have it: literals in bold, no blank lines or blanks at the end of one.
fn rendered(write: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let text = text
        .strip_prefix(APOSTROPHE)
        .unwrap_or(&text)
        .replace("\\*(Aq", "\\(aq");
    let text = text.replace("\n.br\n\n.br\n", "\n.br\n");
    let mut pieces = text.split('`');
    let mut page = pieces.next().unwrap().to_owned();
    while let (Some(literal), Some(rest)) = (pieces.next(), pieces.next()) {
        page.extend(["\\fB", literal, "\\fR", rest]);
    }
    page.lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect()
}

/// What every part begins with: how roff is made to print `'` as it is.
const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
