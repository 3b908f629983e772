//! What `wgq migrate` makes of hooks does what they did: the files of tests/migrate, each applied as it was by wg-quick and
//! as it is then by wgq, and who reaches whom with which source address, with real packets, in the world of
//! tests/engine/blocks.sh.
//!
//! A case is run if it has a `reach.txt`, and is added without writing Rust. That has a part for each host it is run on:
//!
//! ```text
//! host forwarding dropping           what the host is beside the file: functions of tests/engine/blocks.sh
//! phone>server:tcp/22    server<phone                           who answered, and whom it saw; always the same
//! phone>world:tcp/80     -              world<eth0  world<eth0  without the hooks, by wg-quick, by wgq
//! lan>phone:tcp/22       -              -           phone<lan   # why wgq is different here
//! never lan>phone:udp/53             what nobody answered in any way
//! ```
//!
//! Where the old file does not even come up, the reason at `up` stands for all. After `host` and a `#` is why the hooks make no difference, where they make none. `WGQ_BLESS=1 cargo test --test blocks`
//! writes all but reasons anew, to be reviewed; it takes a file of nothing but `host` lines, too.
//! `WGQ_BLOCKS=NAME` runs the cases whose names contain that.
//!
//! Needs root, or a user namespace in which one is root, /dev/net/tun, and what tests/install installs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    missing_docs,
    reason = "a test"
)]

mod script;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

const WORLD: &str = include_str!("engine/blocks.sh");

/// The ways a file is applied, in the order of the columns.
const WAYS: [&str; 3] = ["without", "wg-quick", "wgq"];

/// Most of the time everybody waits for answers that do not come.
const AT_ONCE: usize = 10;

/// What a question was answered, way by way.
type Answers = [String; 3];

/// A case on one host.
#[derive(Clone, Default)]
struct Part {
    /// What the host is beside the file.
    words: String,
    /// Why the hooks make no difference, or nothing.
    alike: String,
    /// By question.
    answers: BTreeMap<String, Answers>,
    /// By question: why wgq is different.
    reasons: BTreeMap<String, String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The text and the comment of a line.
fn comment(line: &str) -> (&str, &str) {
    let (text, comment) = line.split_once('#').unwrap_or((line, ""));
    (text.trim(), comment.trim())
}

fn parse(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (text, reason) = comment(line);
        let fields: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if fields[0] == "host" {
            parts.push(Part {
                words: fields[1..].join(" "),
                alike: reason.to_owned(),
                ..Part::default()
            });
            continue;
        }
        let part = parts.last_mut().unwrap();
        if fields[0] == "never" {
            let silent = fields[1..].iter().cloned();
            part.answers
                .extend(silent.map(|question| (question, ["-"; 3].map(str::to_owned))));
            continue;
        }
        let all = [1, 2, 3].map(|column| fields.get(column).unwrap_or(&fields[1]).clone());
        part.answers.insert(fields[0].clone(), all);
        if !reason.is_empty() {
            part.reasons.insert(fields[0].clone(), reason.to_owned());
        }
    }
    parts
}

fn render(part: &Part) -> String {
    let mut text = format!("host {}", part.words);
    if !part.alike.is_empty() {
        write!(text, " # {}", part.alike).unwrap();
    }
    text.push('\n');
    let mut never = "never".to_owned();
    for (question, answers) in &part.answers {
        let [without, old, new] = answers;
        if [without, old] == [old, new] {
            if without == "-" {
                write!(never, " {question}").unwrap();
            } else {
                writeln!(text, "{question:<24} {without}").unwrap();
            }
            continue;
        }
        let mut line = format!("{question:<24} {without:<15} {old:<15} {new:<15}");
        if let Some(reason) = part.reasons.get(question) {
            write!(line, " # {reason}").unwrap();
        }
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    if never != "never" {
        writeln!(text, "{never}").unwrap();
    }
    text
}

/// Looks who reaches whom; the reasons stay as they are.
fn run(case: &Path, part: &Part) -> Part {
    let told = script::host(&format!(
        "case='{}' words='{}' probe='{}' patience=0.6\n{WORLD}",
        case.display(),
        part.words,
        folder().join("engine/probe.pl").display()
    ));
    let mut answers: BTreeMap<String, Answers> = BTreeMap::new();
    for line in told.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let way = WAYS.iter().position(|way| *way == fields[0]).unwrap();
        let all = answers.entry(fields[1].to_owned()).or_default();
        fields[2].clone_into(&mut all[way]);
    }
    Part {
        answers,
        ..part.clone()
    }
}

/// What a part lacks to prove something.
fn unproved(part: &Part) -> Vec<String> {
    let mut lacks = Vec::new();
    let comes_up = |way: usize| part.answers["up"][way] == "ok";
    for (question, [_, old, new]) in &part.answers {
        if question != "up" && comes_up(1) != comes_up(2) {
            continue;
        }
        match part.reasons.get(question) {
            None if old != new => lacks.push(format!(
                "{question}: by wg-quick {old}, by wgq {new}, and no reason is given"
            )),
            Some(_) if old == new => {
                lacks.push(format!("{question}: a reason for no difference"));
            }
            _ => {}
        }
    }
    let matters = part
        .answers
        .values()
        .any(|[without, old, _]| without != old);
    if matters != part.alike.is_empty() {
        lacks.push("the hooks make a difference, or it is said why they make none".to_owned());
    }
    lacks
}

/// Runs a part until it is as it should be; a busy machine gets a second and a third try.
fn settle(case: &Path, part: &Part, bless: bool) -> Result<Part, String> {
    let mut found = Err(String::new());
    for _ in 0..3 {
        found = catch_unwind(|| run(case, part)).map_err(|panic| {
            let said = panic.downcast_ref::<String>();
            format!("host {}: {}", part.words, said.map_or("", String::as_str))
        });
        if matches!(&found, Ok(found) if bless || found.answers == part.answers) {
            break;
        }
    }
    found
}

/// What is wrong with a case, if anything.
fn check(case: &Path, bless: bool) -> Option<String> {
    let golden = case.join("reach.txt");
    let expected = fs::read_to_string(&golden).unwrap();
    let mut found = String::new();
    let mut wrong = String::new();
    for part in parse(&expected) {
        match settle(case, &part, bless) {
            Err(error) => writeln!(wrong, "{error}").unwrap(),
            Ok(part) => {
                for lack in unproved(&part) {
                    writeln!(wrong, "host {}: {lack}", part.words).unwrap();
                }
                if !found.is_empty() {
                    found.push('\n');
                }
                found += &render(&part);
            }
        }
    }
    if bless && !found.is_empty() {
        fs::write(&golden, &found).unwrap();
    } else if found != expected {
        write!(wrong, "--- expected\n{expected}--- found\n{found}").unwrap();
    }
    (!wrong.is_empty()).then(|| format!("{}:\n{wrong}", golden.display()))
}

#[test]
fn keys_reach_whom_the_hooks_reached() {
    let bless = std::env::var_os("WGQ_BLESS").is_some();
    let only = std::env::var("WGQ_BLOCKS").unwrap_or_default();
    let entries = fs::read_dir(folder().join("migrate")).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.join("reach.txt").exists());
    let changed = |case: &&PathBuf| {
        let [old, new] = ["wg0.conf", "expected.conf"].map(|file| fs::read(case.join(file)));
        old.unwrap() != new.unwrap()
    };
    let become_keys = cases.iter().filter(changed).count();
    assert!(become_keys >= 60, "only {become_keys} blocks become keys");
    cases.retain(|case| case.file_name().unwrap().to_string_lossy().contains(&only));
    cases.sort();
    let queue = Mutex::new(cases.into_iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(case) = queue.lock().unwrap().next() else {
                        return;
                    };
                    let start = Instant::now();
                    let lacks = check(&case, bless);
                    wrong.lock().unwrap().extend(lacks);
                    eprintln!("{:.1?} {}", start.elapsed(), case.display());
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
