//! The hooks of a file by their lines, and keys in their place.

use std::collections::BTreeMap;

use super::document::{Entry, Line, Section};
use super::edit::Edit;
use super::layout::Layout;
use super::save::{ended, line_end};
use super::span::{Span, is_blank};

/// The keys of hooks, in the order in which they run.
pub const HOOK_KEYS: [&str; 4] = ["PreUp", "PostUp", "PreDown", "PostDown"];

/// A line with a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookLine {
    /// Its key, one of [`HOOK_KEYS`].
    pub key: &'static str,
    /// Where the command is.
    pub span: Span,
    /// The command as written, with a shell's comment if it has one.
    pub command: String,
}

/// A key that comes in the place of hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// As a file has it.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Whether it stands beside others of its name, and not in their place.
    pub adds: bool,
}

/// A file's text with hooks replaced by keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The text.
    pub text: String,
    /// The changes in the form of `diff -U0`, without the two lines on files, secret keys hidden; nothing if there are none.
    pub diff: String,
}

/// The hooks of a file, in its order.
pub fn hook_lines(text: &str) -> Vec<HookLine> {
    let layout = Layout::of(text);
    let found = entries(&layout).into_iter();
    let hooks = found.map(|(key, _, entry)| HookLine {
        key,
        span: entry.verbatim.span(),
        command: entry.verbatim.as_str().to_owned(),
    });
    let mut hooks: Vec<_> = hooks.filter(|hook| !hook.command.is_empty()).collect();
    hooks.sort_by_key(|hook| hook.span.line);
    hooks
}

/// Takes hooks away, by the numbers of their lines, and puts the keys where the first of them stood. What is given with
/// a line, a shell's comment, stays in its place.
pub fn replace_hooks(
    text: &str,
    gone: &BTreeMap<usize, Option<String>>,
    keys: &[NewKey],
) -> Replaced {
    let line_end = line_end(text);
    let whole = ended(text, line_end);
    let edited = edit(&Layout::of(&whole), line_end, gone, keys).apply(&whole);
    let diff = edit(&Layout::of(&whole), line_end, gone, keys).show(&whole);
    let text = match edited.strip_suffix(line_end) {
        Some(unended) if whole.len() > text.len() => unended.to_owned(),
        _ => edited,
    };
    Replaced { text, diff }
}

fn edit<'l, 't>(
    layout: &'l Layout<'t>,
    line_end: &'static str,
    gone: &BTreeMap<usize, Option<String>>,
    keys: &[NewKey],
) -> Edit<'l, 't> {
    let mut edit = Edit::of(layout, line_end);
    let parts = layout.parts_of(Section::Interface);
    let mut lines = entries(layout);
    lines.retain(|(_, line, _)| gone.contains_key(&line.whole.span().line));
    lines.sort_by_key(|(_, line, _)| line.whole.span().start);
    let Some((_, first, _)) = lines.first() else {
        return edit;
    };
    for key in keys {
        let written = parts
            .iter()
            .any(|part| !layout.entries(*part, key.name).is_empty());
        if written && !key.adds {
            edit.set(&parts, key.name, Some(&key.value));
        } else {
            let line = format!("{}{} = {}{line_end}", indent(*first), key.name, key.value);
            edit.insert(first.whole.span().start, line);
        }
    }
    for (_, line, _) in &lines {
        let span = line.whole.span();
        if let Some(Some(comment)) = gone.get(&span.line) {
            edit.insert(span.start, format!("{}{comment}{line_end}", indent(*line)));
        }
        edit.delete(span.range());
    }
    edit
}

fn entries<'t>(layout: &Layout<'t>) -> Vec<(&'static str, Line<'t>, Entry<'t>)> {
    let mut found = Vec::new();
    for part in layout.parts_of(Section::Interface) {
        for key in HOOK_KEYS {
            let entries = layout.entries(part, key).into_iter();
            found.extend(entries.map(|(line, entry)| (key, line, entry)));
        }
    }
    found
}

/// The blanks before a line's key.
fn indent(line: Line<'_>) -> &str {
    let text = line.whole.as_str();
    let blanks = text.len() - text.trim_start_matches(is_blank).len();
    text.get(..blanks).unwrap_or_default()
}
