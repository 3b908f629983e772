//! What is said to the person at the terminal: the trace of steps, warnings, errors and hints. All of it goes to stderr.

use std::fmt::Display;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

use crate::net::Netns;
use crate::step::{Inside, Step};

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How much is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// The steps as well.
    #[default]
    Normal,
    /// Every step in full.
    Verbose,
}

/// The one place that writes to stderr.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    verbosity: Verbosity,
    color: bool,
    stdout_color: bool,
}

/// How many steps of one kind are shown in a row, unless all is asked for.
const MOST_ALIKE: usize = 8;

const BOLD_RED: &str = "\x1b[1;31m";
const BOLD_YELLOW: &str = "\x1b[1;33m";
const BOLD_CYAN: &str = "\x1b[1;36m";
const DIM: &str = "\x1b[2m";

impl Report {
    /// A report in the given loudness. `no_color` is whether the variable `NO_COLOR` is set and not empty.
    pub fn new(verbosity: Verbosity, color: Color, no_color: bool) -> Self {
        let on = |is_terminal: bool| match color {
            Color::Auto => !no_color && is_terminal,
            Color::Always => true,
            Color::Never => false,
        };
        Self {
            verbosity,
            color: on(io::stderr().is_terminal()),
            stdout_color: on(io::stdout().is_terminal()),
        }
    }

    /// How much is said.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Whether what a command prints to standard output is coloured.
    pub fn stdout_color(&self) -> bool {
        self.stdout_color
    }

    /// Whether text is coloured.
    pub fn color(self) -> bool {
        self.color
    }

    /// Shows the steps that come next, of a tunnel that lives in that network namespace, or in this one:
    /// `[#] ip link add dev wg0 type wireguard`.
    pub fn steps(self, steps: &[Step], netns: Option<&Netns>) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let mut text = String::new();
        for alike in steps.chunk_by(|a, b| std::mem::discriminant(a) == std::mem::discriminant(b)) {
            self.alike(&mut text, alike, netns);
        }
        write(&text);
    }

    fn alike(self, text: &mut String, steps: &[Step], netns: Option<&Netns>) {
        let all = self.verbosity == Verbosity::Verbose || steps.len() <= MOST_ALIKE;
        let shown = if all { steps.len() } else { MOST_ALIKE / 2 };
        for step in steps.iter().take(shown) {
            let line = match self.verbosity {
                Verbosity::Verbose => Inside::new(step, netns).to_string(),
                Verbosity::Normal | Verbosity::Quiet => Inside::brief(step, netns).to_string(),
            };
            let _ = writeln!(text, "{} {line}", self.paint(DIM, "[#]"));
        }
        if shown < steps.len() {
            let more = steps.len() - shown;
            let mark = self.paint(DIM, "[#]");
            let _ = writeln!(text, "{mark} ... and {more} more like these");
        }
    }

    /// Says what was skipped, and that all goes on.
    pub fn warning(self, what: impl Display) {
        write(&format!(
            "wgq: {} {what}\n",
            self.paint(BOLD_YELLOW, "warning:")
        ));
    }

    /// Says what went wrong.
    pub fn error(self, what: impl Display) {
        write(&format!("{} {what}\n", self.paint(BOLD_RED, "wgq:")));
    }

    /// Says what can be done.
    pub fn hint(self, what: impl Display) {
        write(&format!("wgq: {} {what}\n", self.paint(BOLD_CYAN, "hint:")));
    }

    /// Says something that is worth knowing.
    pub fn note(self, what: impl Display) {
        if self.verbosity > Verbosity::Quiet {
            write(&format!("wgq: {what}\n"));
        }
    }

    /// Says what was found, to those who want to know it all.
    pub fn detail(self, what: impl Display) {
        if self.verbosity == Verbosity::Verbose {
            write(&format!("{} {what}\n", self.paint(DIM, "[i]")));
        }
    }

    /// Says a text of several lines that is complete as it is.
    pub fn block(self, text: &str) {
        write(&format!("{text}\n"));
    }

    fn paint(self, style: &str, text: &str) -> String {
        if self.color {
            format!("{style}{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A stderr that is closed or full is no reason to stop half-way.
fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
