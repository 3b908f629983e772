//! The man page: what clap_mangen makes of the command line, with the written sections in man/sections.

use clap::Command;
use clap_mangen::Man;

use crate::{command, is_up_to_date};

/// When the page was last changed in substance.
const DATE: &str = "2026-11-22";

/// What the command line does not know, in order.
const WRITTEN: [&str; 8] = [
    include_str!("../../man/sections/configuration-file"),
    include_str!("../../man/sections/full-tunnel"),
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
    page += &rendered(|to| man.render_description_section(to));
    page += ".SH COMMANDS\n";
    for sub in command.get_subcommands() {
        page += &subcommand(sub);
    }
    page += &rendered(|to| man.render_options_section(to));
    WRITTEN.iter().for_each(|section| page += section);
    page
}

/// A command as a part of the page: how it is called, what it does, and its options.
fn subcommand(sub: &Command) -> String {
    let name = sub.get_name();
    let man = Man::new(sub.clone().bin_name(format!("wgq {name}")).disable_help_flag(true));
    let synopsis = rendered(|to| man.render_synopsis_section(to));
    let description = rendered(|to| man.render_description_section(to));
    let options = rendered(|to| man.render_options_section(to));
    let body = |section: &str, heading| section.split_once(heading).unwrap().1.to_owned();
    format!(
        ".SS {name}\n{}.PP\n{}{}",
        body(&synopsis, ".SH SYNOPSIS\n"),
        body(&description, ".SH DESCRIPTION\n"),
        body(&options, ".SH OPTIONS\n"),
    )
}

/// What a part of clap_mangen writes, without the preamble that each part has.
fn rendered(write: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut text = Vec::new();
    write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.strip_prefix(PREAMBLE).unwrap_or(&text).to_owned()
}

/// How roff is made to print `'` as it is.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
