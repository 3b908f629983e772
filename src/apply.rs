//! Carries out a plan: all of it or nothing, or as much of it as can be done.

use std::fmt;

use crate::step::{Batch, Brief, Step};

/// The most steps that are sent together; their error replies must fit the socket's receive buffer.
const MOST_TOGETHER: usize = 256;

/// The seam to the host: the one thing through which anything is changed.
pub trait Executor {
    /// Executes the steps in order. Returns those that failed; all others were done.
    fn execute(&mut self, steps: &[Step]) -> Vec<Failure>;

    /// Is told of the steps that come next.
    fn announce(&mut self, steps: &[Step]);

    /// Is told of a step that failed and that the tunnel does without.
    fn forgo(&mut self, step: &Step, error: anyhow::Error);

    /// Returns the name of the signal that asks to stop, once one came.
    fn interrupted(&self) -> Option<&'static str>;
}

/// A step of a run that failed.
#[derive(Debug)]
pub struct Failure {
    /// Which of the steps it was.
    pub index: usize,
    /// Why.
    pub error: anyhow::Error,
    /// Whether the step may be done all the same: the answer was lost.
    pub uncertain: bool,
}

/// A step that failed, and why.
#[derive(Debug)]
pub struct FailedStep {
    /// The step.
    pub step: Step,
    /// Why, in the kernel's words.
    pub error: anyhow::Error,
}

impl FailedStep {
    /// Whether it is a command of the user's that failed, and nothing of the tunnel's.
    pub fn is_hook(&self) -> bool {
        matches!(self.step, Step::Hook { .. })
    }
}

impl fmt::Display for FailedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Step::Hook { phase, .. } = &self.step {
            write!(f, "{phase}: ")?;
        }
        write!(f, "{}: {:#}", Brief(&self.step), self.error)
    }
}

/// Why a transaction stopped before its end.
#[derive(Debug)]
pub enum Stop {
    /// A step failed.
    Failed(Box<FailedStep>),
    /// The named signal came.
    Interrupted(&'static str),
    /// The host could not be looked at half-way.
    Lost(anyhow::Error),
}

/// Steps that were begun together and are kept or undone together.
#[derive(Debug, Default)]
pub struct Transaction {
    done: Vec<Step>,
    forgone: Vec<Step>,
}

impl Transaction {
    /// Executes the steps in order, up to the first that fails or the first signal.
    pub fn execute(&mut self, host: &mut impl Executor, steps: &[Step]) -> Result<(), Stop> {
        for run in runs(steps) {
            if let Some(signal) = host.interrupted() {
                return Err(Stop::Interrupted(signal));
            }
            host.announce(run);
            let failures = host.execute(run);
            self.note(run, &failures);
            for Failure { index, error, .. } in failures {
                match run.get(index) {
                    Some(step) if step.is_optional() => {
                        host.forgo(step, error);
                        self.retreat(host, step);
                    }
                    Some(step) => {
                        return Err(Stop::Failed(Box::new(FailedStep {
                            step: step.clone(),
                            error,
                        })));
                    }
                    None => {}
                }
            }
        }
        host.interrupted()
            .map_or(Ok(()), |signal| Err(Stop::Interrupted(signal)))
    }

    /// Keeps in mind what was done, or perhaps half done.
    fn note(&mut self, run: &[Step], failures: &[Failure]) {
        let refused = |at: usize| {
            let of_step = |failure: &Failure| failure.index == at && !failure.uncertain;
            failures.iter().any(of_step)
        };
        let done = run
            .iter()
            .enumerate()
            .filter(|(at, step)| !refused(*at) || step.may_be_half_done());
        self.done.extend(done.map(|(_, step)| step.clone()));
    }

    /// Clears away what a step has half done that the tunnel does without; what cannot be counts as done.
    fn retreat(&mut self, host: &mut impl Executor, step: &Step) {
        let back: Vec<Step> = step.retreat().into_iter().collect();
        host.announce(&back);
        if host.execute(&back).is_empty() {
            self.done.retain(|done| done != step);
            self.forgone.push(step.clone());
        }
    }

    /// The steps that failed and that the tunnel does without, of which nothing is left.
    pub fn forgone(&self) -> &[Step] {
        &self.forgone
    }

    /// The steps that were done so far, those included that failed and may be half done.
    pub fn done(&self) -> &[Step] {
        &self.done
    }

    /// Leaves those steps as they are, whatever becomes of the others.
    pub fn leave(&mut self, is_left: impl Fn(&Step) -> bool) {
        self.done.retain(|step| !is_left(step));
    }

    /// Undoes what was done, in reverse, whatever fails. Returns what could not be undone.
    ///
    /// A link that was made goes first, and takes with it what was put on it: so no packet with the tunnel's addresses
    /// gets out by another way while the rest is undone.
    pub fn roll_back(self, host: &mut impl Executor) -> Vec<FailedStep> {
        let made = |step: &Step| matches!(step, Step::AddLink { .. });
        let has_made = self.done.iter().any(made);
        let undone = self
            .done
            .iter()
            .rev()
            .filter(|step| !(has_made && step.is_on_link()));
        let (link, rest): (Vec<&Step>, Vec<&Step>) = undone.partition(|step| made(step));
        let undo: Vec<Step> = link
            .into_iter()
            .chain(rest)
            .filter_map(Step::inverse)
            .collect();
        all(host, &undo, |_| false)
    }
}

/// Executes all steps in order, whatever fails. Returns those that failed and that matter.
pub fn as_much_as_possible(host: &mut impl Executor, steps: &[Step]) -> Vec<FailedStep> {
    all(host, steps, Step::is_optional)
}

fn all(
    host: &mut impl Executor,
    steps: &[Step],
    is_optional: impl Fn(&Step) -> bool,
) -> Vec<FailedStep> {
    let mut failed = Vec::new();
    for run in runs(steps) {
        host.announce(run);
        for Failure { index, error, .. } in host.execute(run) {
            match run.get(index) {
                Some(step) if is_optional(step) => host.forgo(step, error),
                Some(step) => failed.push(FailedStep {
                    step: step.clone(),
                    error,
                }),
                None => {}
            }
        }
    }
    failed
}

/// Cuts the plan into runs that are executed together.
fn runs(steps: &[Step]) -> impl Iterator<Item = &[Step]> {
    let together = |a: &Step, b: &Step| a.batch().is_some() && a.batch() == b.batch();
    steps.chunk_by(together).flat_map(|run| {
        let most = match run.first().and_then(Step::batch) {
            Some(Batch::Device) => usize::MAX, // the device's messages are split by size, not by step
            Some(Batch::Route | Batch::Deletion) | None => MOST_TOGETHER,
        };
        run.chunks(most)
    })
}
