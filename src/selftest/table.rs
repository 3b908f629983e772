//! The table that the selftest prints: a line or some for each thing, 80 columns wide.

use std::fmt;

/// How wide lines may be, in columns.
const WIDTH: usize = 80;

/// Where what is told of a thing begins: after the verdict and the name.
const TOLD_AT: usize = 34;

/// What was found out about a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is there, or it works.
    Ok,
    /// It is not there, and that costs something.
    Missing,
    /// It does not matter here.
    Unused,
    /// It does not work.
    Failed,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Unused => "-",
            Self::Failed => "FAILED",
        }
    }

    fn style(self) -> &'static str {
        match self {
            Self::Ok => "\x1b[32m",
            Self::Missing => "\x1b[33m",
            Self::Unused => "\x1b[2m",
            Self::Failed => "\x1b[1;31m",
        }
    }
}

/// A thing, and what was found out about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) verdict: Verdict,
    pub(super) name: String,
    /// What there is to tell: sentences, each on a line of its own.
    pub(super) told: Vec<String>,
}

impl Row {
    /// A thing that is there or works.
    pub(super) fn ok(name: &impl ToString) -> Self {
        Self {
            verdict: Verdict::Ok,
            name: name.to_string(),
            told: Vec::new(),
        }
    }

    /// With another verdict.
    pub(super) fn verdict(self, verdict: Verdict) -> Self {
        Self { verdict, ..self }
    }

    /// With something to tell.
    pub(super) fn tell(mut self, what: impl fmt::Display) -> Self {
        self.told.push(what.to_string());
        self
    }

    /// The text, ending in a newline.
    pub(super) fn render(&self, color: bool) -> String {
        let word = format!("{:<8}", self.verdict.word());
        let word = if color {
            format!("{}{word}\x1b[0m", self.verdict.style())
        } else {
            word
        };
        let name = format!("{:<width$}", self.name, width = TOLD_AT - 11);
        let indent = format!("\n{:TOLD_AT$}", "");
        let lines: Vec<String> = self.told.iter().flat_map(|told| wrap(told)).collect();
        let text = format!("  {word} {name}{}", lines.join(&indent));
        format!("{}\n", text.trim_end())
    }
}

/// Breaks a sentence into lines that fit beside the name; a word that is too long sticks out.
fn wrap(sentence: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH - TOLD_AT => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_at_most_80_columns_wide() {
        let row = Row::ok(&"kernel WireGuard")
            .verdict(Verdict::Missing)
            .tell("the embedded one is used, which is slower and takes more of the processor")
            .tell("-> a remedy");
        let expected = "  \
  missing  kernel WireGuard       the embedded one is used, which is slower and
                                  takes more of the processor
                                  -> a remedy
";
        assert_eq!(row.render(false), expected);
        assert!(expected.lines().all(|line| line.len() <= WIDTH));
    }

    #[test]
    fn a_row_with_nothing_to_tell_ends_after_its_name() {
        assert_eq!(Row::ok(&"IPv6").render(false), "  ok       IPv6\n");
        assert_eq!(
            Row::ok(&"IPv6").render(true),
            "  \x1b[32mok      \x1b[0m IPv6\n"
        );
    }
}
