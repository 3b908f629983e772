//! The cases of `tests/oracle`: each is taken up and down in namespaces of its own, and what changes with each command is
//! written as text. The file `expected` of a case is that text for wg-quick; `WGQ_RECORD=1` writes it anew.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::differences;
use crate::machine::{self, Machine};
use crate::state::{self, State};

/// How many machines share the cases.
const MACHINES: usize = 2;

/// One command of a case and the lines that are in the state after it and not before the case, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    pub title: String,
    pub done: bool,
    /// Each begins with `+`, `-` or (what hooks wrote) `>`.
    pub lines: Vec<String>,
}

#[test]
fn every_case_is_up_and_down_as_with_wg_quick() {
    if std::env::var_os("WGQ_RECORD").is_some() {
        record();
        return;
    }
    let mut wrong = String::new();
    for (name, phases) in transcripts("oracle", machine::wgq()) {
        let recorded = parse(&fs::read_to_string(cases().join(&name).join("expected")).unwrap());
        let want = differences::wanted(&recorded);
        let found: Vec<Phase> = phases.iter().map(differences::neutral).collect();
        if want != found {
            writeln!(wrong, "\n{name}:").unwrap();
            for (want, found) in want
                .iter()
                .zip(&found)
                .filter(|(want, found)| want != found)
            {
                wrong += &difference(want, found);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "not as recorded from wg-quick and listed in differences.rs:\n{wrong}"
    );
}

fn record() {
    let found = Command::new(machine::folder().join("wg-quick"))
        .output()
        .unwrap();
    assert!(
        found.status.success(),
        "{}",
        String::from_utf8_lossy(&found.stderr)
    );
    let wg_quick = String::from_utf8(found.stdout).unwrap();
    for (name, phases) in transcripts("record", OsStr::new(wg_quick.trim())) {
        fs::write(cases().join(name).join("expected"), text(&phases)).unwrap();
    }
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle")
}

/// Runs the cases with `tool`: all, or those named in `WGQ_CASES`.
fn transcripts(run: &str, tool: &OsStr) -> BTreeMap<String, Vec<Phase>> {
    let mut names: Vec<OsString> = fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let only = std::env::var("WGQ_CASES").ok();
    let wanted = |name: &OsStr| {
        only.as_ref()
            .is_none_or(|only| only.split_whitespace().any(|one| *one == *name))
    };
    names.retain(|name| cases().join(name).is_dir() && wanted(name));
    names.sort();
    let run_some = |(number, names): (usize, &[OsString])| {
        let folder = cases();
        let mut arguments = vec![tool, folder.as_os_str()];
        arguments.extend(names.iter().map(OsString::as_os_str));
        let boot = Machine::new(&format!("{run}-{number}")).run("cases", &arguments);
        let transcript = |name: &OsString| {
            (
                name.to_str().unwrap().to_owned(),
                transcript(&boot.results.join(name)),
            )
        };
        names.iter().map(transcript).collect::<Vec<_>>()
    };
    let shares = names.chunks(names.len().div_ceil(MACHINES)).enumerate();
    thread::scope(|scope| {
        let running: Vec<_> = shares
            .map(|share| scope.spawn(move || run_some(share)))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Reads the numbered folders of a case; the first is the state before.
fn transcript(results: &Path) -> Vec<Phase> {
    let mut folders: Vec<PathBuf> = fs::read_dir(results)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let (before, after) = folders.split_first().expect("no phase was run");
    let before = state::read(before);
    let phase = |folder: &PathBuf| {
        let file = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let mut lines = changes(&before, &state::read(folder));
        lines.extend(file("hooks").lines().map(|line| format!("> {line}")));
        Phase {
            title: file("title").trim().to_owned(),
            done: file("status").trim() == "0",
            lines,
        }
    };
    after.iter().map(phase).collect()
}

/// What is gone (`-`) and what is new (`+`).
pub(crate) fn changes(before: &State, after: &State) -> Vec<String> {
    let gone = before.difference(after).map(|line| format!("- {line}"));
    let new = after.difference(before).map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}

/// What a phase should have (`wanted`) and has not, and the other way round (`found`).
fn difference(want: &Phase, found: &Phase) -> String {
    let mut text = format!(
        "{}: done: wanted {}, found {}\n",
        found.title, want.done, found.done
    );
    for line in want.lines.iter().filter(|line| !found.lines.contains(line)) {
        writeln!(text, "  wanted {line}").unwrap();
    }
    for line in found.lines.iter().filter(|line| !want.lines.contains(line)) {
        writeln!(text, "  found  {line}").unwrap();
    }
    text
}

fn text(phases: &[Phase]) -> String {
    let mut text = String::new();
    for phase in phases {
        writeln!(
            text,
            "{}: {}",
            phase.title,
            if phase.done { "done" } else { "refused" }
        )
        .unwrap();
        phase
            .lines
            .iter()
            .for_each(|line| writeln!(text, "  {line}").unwrap());
    }
    text
}

fn parse(text: &str) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("  ") {
            phases
                .last_mut()
                .expect("a line before any command")
                .lines
                .push(line.to_owned());
        } else {
            let (title, done) = line
                .rsplit_once(": ")
                .expect("neither a command nor a line of it");
            phases.push(Phase {
                title: title.to_owned(),
                done: done == "done",
                lines: Vec::new(),
            });
        }
    }
    phases
}
