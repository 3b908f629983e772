//! What is wrong with a file, told with the place, the line and a caret, and never with a key.

use std::fmt::Write as _;

use super::excerpt::Excerpt;
use super::secret;
use super::span::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken, and this is probably not meant.
    Warning,
}

/// One thing that is wrong with a file. What looks like a key is masked when it comes in, in every text here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    severity: Severity,
    place: Option<Box<Place>>,
    key: Option<&'static str>,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    line: usize,
    /// In characters, from 1.
    column: usize,
    excerpt: Option<Excerpt>,
}

impl Diagnostic {
    /// Something for which a file is refused.
    pub fn error(message: impl AsRef<str>) -> Self {
        Self::new(Severity::Error, message.as_ref())
    }

    /// Something that is probably not meant, or worth knowing.
    pub fn warning(message: impl AsRef<str>) -> Self {
        Self::new(Severity::Warning, message.as_ref())
    }

    pub(super) fn new(severity: Severity, message: &str) -> Self {
        Self {
            severity,
            place: None,
            key: None,
            message: presentable(message),
            hint: None,
        }
    }

    /// With the place in the file's text; a span of no line leaves the file as a whole.
    #[must_use]
    pub fn at(self, text: &str, span: Span) -> Self {
        let begin = text.get(..span.start).unwrap_or_default();
        let place = (span.line > 0).then(|| {
            Box::new(Place {
                line: span.line,
                column: column(begin),
                excerpt: Some(Excerpt::of(text, span)),
            })
        });
        Self { place, ..self }
    }

    /// With the place after this much of the file, of which nothing can be shown.
    #[must_use]
    pub(super) fn after(self, begin: &str) -> Self {
        let place = Place {
            line: begin.matches('\n').count() + 1,
            column: column(begin),
            excerpt: None,
        };
        Self {
            place: Some(Box::new(place)),
            ..self
        }
    }

    /// With the key it is about.
    #[must_use]
    pub fn key(self, key: &'static str) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    /// With what can be done about it.
    #[must_use]
    pub fn hint(self, hint: impl AsRef<str>) -> Self {
        Self {
            hint: Some(presentable(hint.as_ref())),
            ..self
        }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Where it is told among others: by place, and what has none last.
    pub(super) fn order(&self) -> (usize, usize) {
        self.place
            .as_ref()
            .map_or((usize::MAX, 0), |place| (place.line, place.column))
    }

    /// The text for the user: lines that begin with `wgq: ` or show the file's line, without a line feed at the end.
    pub fn render(&self, file: &str, colour: bool) -> String {
        let paint = Paint { colour };
        let mut out = String::from("wgq: ");
        if self.severity == Severity::Warning {
            out += &paint.yellow("warning: ");
        }
        out += file;
        if let Some(place) = &self.place {
            let _ = write!(out, ":{}:{}", place.line, place.column); // a String takes every write
        }
        out += ": ";
        if let Some(key) = self.key {
            out += key;
            out += ": ";
        }
        out += &paint.bold(&self.message);
        if let Some(place) = &self.place
            && let Some(excerpt) = &place.excerpt
        {
            let (line, margin) = (place.line, " ".repeat(place.line.to_string().len()));
            let caret = match self.severity {
                Severity::Error => paint.red(&excerpt.caret()),
                Severity::Warning => paint.yellow(&excerpt.caret()),
            };
            let _ = write!(out, "\n {line} | {}\n {margin} | {caret}", excerpt.line());
        }
        if let Some(hint) = &self.hint {
            let _ = write!(out, "\nwgq: {} {hint}", paint.cyan("hint:"));
        }
        out
    }
}

/// The text without keys, and not longer than a person reads.
fn presentable(text: &str) -> String {
    const MOST: usize = 300;
    let mut shown = secret::mask_keys(text.get(..text.floor_char_boundary(MOST)).unwrap_or(text));
    if text.len() > MOST {
        shown.push('…');
    }
    shown
}

/// The column of what comes after this much of a file, which may begin with a byte-order mark.
fn column(begin: &str) -> usize {
    let line = begin.rsplit('\n').next().unwrap_or_default();
    line.trim_start_matches('\u{feff}').chars().count() + 1
}

/// Writes in colour, or plainly.
struct Paint {
    colour: bool,
}

impl Paint {
    fn bold(&self, text: &str) -> String {
        self.sgr("1", text)
    }

    fn red(&self, text: &str) -> String {
        self.sgr("1;31", text)
    }

    fn yellow(&self, text: &str) -> String {
        self.sgr("1;33", text)
    }

    fn cyan(&self, text: &str) -> String {
        self.sgr("36", text)
    }

    fn sgr(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
