//! What a parser found wrong, collected up to a number that a person can read.

use super::diagnostic::{Diagnostic, Severity};
use super::span::{Fragment, Span};

/// As many errors are told, and as many warnings; the others are counted.
const MOST_SHOWN: usize = 50;

/// What is wrong with a part of the file.
#[derive(Debug)]
pub(super) struct Fault {
    span: Span,
    message: String,
    hint: Option<String>,
}

impl Fault {
    pub(super) fn new(part: Fragment<'_>, message: impl Into<String>) -> Self {
        Self::at(part.span(), message)
    }

    /// A fault of a value that was read before.
    pub(super) fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// The diagnostics of one file.
pub(super) struct Report<'t> {
    text: &'t str,
    /// The key that is being read.
    pub(super) key: Option<&'static str>,
    errors: Shown,
    warnings: Shown,
}

#[derive(Default)]
struct Shown {
    diagnostics: Vec<Diagnostic>,
    more: usize,
}

impl<'t> Report<'t> {
    /// A report with nothing in it, on the file of that text.
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            key: None,
            errors: Shown::default(),
            warnings: Shown::default(),
        }
    }

    /// Tells for what the file is refused.
    pub(super) fn error(&mut self, fault: Fault) {
        self.tell(Severity::Error, fault);
    }

    /// Tells what is probably not meant.
    pub(super) fn warning(&mut self, fault: Fault) {
        self.tell(Severity::Warning, fault);
    }

    /// Whether a further error would only be counted, so that there is no use in looking for a hint.
    pub(super) fn is_full(&self) -> bool {
        self.errors.diagnostics.len() == MOST_SHOWN
    }

    /// Whether the file is refused.
    pub(super) fn is_refused(&self) -> bool {
        !self.errors.diagnostics.is_empty()
    }

    /// What was told, by place.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let more = [
            (self.errors.more, Severity::Error, "errors"),
            (self.warnings.more, Severity::Warning, "warnings"),
        ];
        let mut diagnostics = self.errors.diagnostics;
        diagnostics.extend(self.warnings.diagnostics);
        diagnostics.sort_by_key(Diagnostic::order);
        for (count, severity, what) in more {
            if count > 0 {
                diagnostics.push(Diagnostic::new(
                    severity,
                    &format!("... and {count} more {what}"),
                ));
            }
        }
        diagnostics
    }

    fn tell(&mut self, severity: Severity, fault: Fault) {
        let shown = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if shown.diagnostics.len() == MOST_SHOWN {
            shown.more += 1;
            return;
        }
        let Fault {
            span,
            message,
            hint,
        } = fault;
        let mut diagnostic = Diagnostic::new(severity, &message).at(self.text, span);
        if let Some(key) = self.key {
            diagnostic = diagnostic.key(key);
        }
        if let Some(hint) = hint {
            diagnostic = diagnostic.hint(hint);
        }
        shown.diagnostics.push(diagnostic);
    }
}

/// A piece of the file in a message: short, in backquotes, with nothing in it that a terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 50;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
