//! How a command ends when it does not end well: what to say, and the exit code.

use std::fmt::Display;

use crate::apply::FailedStep;
use crate::host;
use crate::report::Report;

/// A command that was refused or failed.
#[derive(Debug, Default)]
pub struct Error {
    /// What was being done and why it failed, one fact a line; nothing if it was said already.
    said: Vec<String>,
    /// An action that the user can take.
    hint: Option<String>,
    /// What state the host is in.
    outcome: Vec<String>,
    /// Whether something was done and could not be undone.
    left: bool,
    /// Whether 1 says something else than that the command was refused.
    trouble: bool,
}

impl Error {
    /// Refused or failed; the host is as it was.
    pub fn new(what: impl Display) -> Self {
        Self {
            said: vec![what.to_string()],
            ..Self::default()
        }
    }

    /// The command line asks for what there is not.
    pub fn usage(what: impl Display) -> Self {
        Self::new(what).trouble()
    }

    /// Refused, and all was said already.
    pub fn said() -> Self {
        Self::default()
    }

    /// With something that the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into().or(self.hint);
        self
    }

    /// With a sentence on the state of the host.
    #[must_use]
    pub fn outcome(mut self, outcome: impl Display) -> Self {
        self.outcome.push(outcome.to_string());
        self
    }

    /// With what could not be done, each step by its own text; nothing changes if there is none.
    #[must_use]
    pub fn left(mut self, failed: &[FailedStep]) -> Self {
        self.left |= !failed.is_empty();
        self.outcome
            .extend(failed.iter().map(|failed| format!("  {failed}")));
        self
    }

    /// With something left that the sentences name.
    #[must_use]
    pub fn something_left(mut self) -> Self {
        self.left = true;
        self
    }

    /// With an exit code of its own, for a command that answers with 1, as diff(1) does.
    #[must_use]
    pub fn trouble(mut self) -> Self {
        self.trouble = true;
        self
    }

    /// Says all of it.
    pub fn tell(&self, report: &Report) {
        self.said.iter().for_each(|what| report.error(what));
        self.hint.iter().for_each(|hint| report.hint(hint));
        self.outcome
            .iter()
            .for_each(|outcome| report.error(outcome));
    }

    /// 1: refused or failed, the host is as it was. 2: so it is with a command for which 1 is an answer. 3: something is
    /// left.
    pub fn exit_code(&self) -> u8 {
        match (self.left, self.trouble) {
            (true, _) => 3,
            (false, true) => 2,
            (false, false) => 1,
        }
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::new(format_args!("{error:#}")).hint(host::hint(&error))
    }
}
