//! Faults on demand, for the tests of what a failed or killed run leaves: in debug builds only.
//!
//! `WGQ_FAULT=fail:3` has the fourth step fail, `WGQ_FAULT=kill:3` has the process killed before it.

use std::env;

use anyhow::anyhow;
use nix::sys::signal::{Signal, raise};

use crate::apply::Failure;
use crate::step::Step;

/// The variable.
const VARIABLE: &str = "WGQ_FAULT";

/// A fault that waits for its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    kills: bool,
    /// How many steps are executed before.
    after: usize,
}

impl Fault {
    pub(super) fn from_env() -> Option<Self> {
        if !cfg!(debug_assertions) {
            return None;
        }
        let text = env::var(VARIABLE).ok()?;
        let (kind, after) = text.split_once(':')?;
        let kills = match kind {
            "kill" => true,
            "fail" => false,
            _ => return None,
        };
        let after = after.parse().ok()?;
        Some(Self { kills, after })
    }

    /// Executes the steps as far as the fault lets it; none if it is for a later one, which has come nearer by these.
    pub(super) fn strike(
        &mut self,
        steps: &[Step],
        mut execute: impl FnMut(&[Step]) -> Vec<Failure>,
    ) -> Option<Vec<Failure>> {
        if self.after >= steps.len() {
            self.after -= steps.len();
            return None;
        }
        let at = self.after;
        let (before, rest) = steps.split_at(at);
        let mut failures = execute(before);
        if self.kills {
            let _ = raise(Signal::SIGKILL);
        }
        failures.push(Failure {
            index: at,
            error: anyhow!("injected fault"),
            uncertain: false,
        });
        let after = rest.get(1..).unwrap_or_default();
        let later = execute(after).into_iter().map(|failure| Failure {
            index: failure.index + at + 1,
            ..failure
        });
        failures.extend(later);
        Some(failures)
    }
}
