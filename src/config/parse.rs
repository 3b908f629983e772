//! The parser: from a file's text to the model, and everything that is wrong with it in one go.

use super::check;
use super::diagnostic::Diagnostic;
use super::document::{self, Entry, Line, Section, Syntax};
use super::keys::{self, Key, Owner, Read, Repeated};
use super::model::{Config, Peer};
use super::reader::{Names, Reader};
use super::report::{Fault, Report, quoted};
use super::span::{Fragment, Span, Spanned};
use crate::key::{KEY_LEN, PublicKey};

/// What became of a file.
#[derive(Debug)]
pub struct Parsed {
    /// What it says; none if there is an error among the diagnostics.
    pub config: Option<Config>,
    /// Errors and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a config file.
pub fn parse(bytes: &[u8], names: &Names) -> Parsed {
    let text = match document::decode(bytes) {
        Ok(text) => text,
        Err(error) => {
            return Parsed {
                config: None,
                diagnostics: vec![error],
            };
        }
    };
    let mut parser = Parser::new(text, names);
    for line in document::lines(text) {
        parser.line(line);
    }
    parser.finish()
}

struct Parser<'a> {
    reader: Reader<'a>,
    config: Config,
    /// The section that the line is in; none before the first.
    section: Option<Section>,
    /// Whether something stands before the first section, which is told once.
    stray: bool,
    /// The keys that count once, and where they stand: the interface's, and those of the last peer.
    interface_keys: Seen,
    peer_keys: Seen,
    /// The header of the last peer.
    header: Span,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, names: &'a Names) -> Self {
        Self {
            reader: Reader::new(text, names),
            config: Config::default(),
            section: None,
            stray: false,
            interface_keys: Seen::default(),
            peer_keys: Seen::default(),
            header: Span::default(),
        }
    }

    fn line(&mut self, line: Line<'_>) {
        self.reader.report.key = None;
        match (line.syntax(), self.section) {
            (Syntax::Section(section, header), _) => self.enter(section, header),
            (Syntax::Blank, _) | (_, Some(Section::Unknown)) => {} // an unknown header was told
            (Syntax::Entry(Entry { key: content, .. }) | Syntax::Other(content), None) => {
                self.stray(content);
            }
            (Syntax::Entry(entry), Some(_)) => self.entry(entry),
            (Syntax::Other(text), Some(_)) => self.reader.report.error(not_an_entry(text)),
        }
    }

    fn enter(&mut self, section: Section, header: Fragment<'_>) {
        self.leave();
        self.section = Some(section);
        match section {
            Section::Interface => {}
            Section::Peer => {
                self.reader.peer = self.config.peers.len();
                self.header = header.span();
                // until its key is read it has one that is on no line
                self.config.peers.push(Peer::new(Spanned {
                    value: PublicKey([0; KEY_LEN]),
                    span: Span::default(),
                }));
            }
            Section::Unknown => {
                let fault = Fault::new(header, "unknown section");
                let report = &mut self.reader.report;
                report.error(fault.hint("the sections are [Interface] and [Peer]"));
            }
        }
    }

    /// Ends a section: a peer must have been given a key.
    fn leave(&mut self) {
        self.reader.report.key = None; // what was read last is not what is missing
        let keys = std::mem::take(&mut self.peer_keys);
        if self.section == Some(Section::Peer) && !keys.has("PublicKey") {
            let fault = Fault::at(self.header, "this peer has no PublicKey");
            self.reader.report.error(fault);
        }
    }

    fn entry(&mut self, entry: Entry<'_>) {
        if let Some(key) = keys::find(entry.key.as_str()) {
            self.reader.report.key = Some(key.name);
            if let Err(fault) = self.read(key, entry) {
                self.reader.report.error(fault);
            }
        } else {
            let report = &mut self.reader.report;
            let hint = !report.is_full(); // it is looked for in vain otherwise
            report.error(unknown_key(entry, hint));
        }
    }

    fn read(&mut self, key: &Key, entry: Entry<'_>) -> Result<(), Fault> {
        if entry.value.is_empty() && key.owner != Owner::WgQuick {
            let fault = Fault::new(entry.key, "the value is empty");
            return Err(fault.hint("leave the line out, or put `#` before it"));
        }
        match (key.read, self.section, self.config.peers.last_mut()) {
            (Read::Interface(read), Some(Section::Interface), _) => {
                let report = &mut self.reader.report;
                self.interface_keys.note(key, entry.key, report);
                read(&mut self.config.interface, entry, &mut self.reader)
            }
            (Read::Peer(read), Some(Section::Peer), Some(peer)) => {
                self.peer_keys.note(key, entry.key, &mut self.reader.report);
                read(peer, entry, &mut self.reader)
            }
            _ => {
                let told = format!("this key belongs in {}", key.section());
                Err(Fault::new(entry.key, told))
            }
        }
    }

    fn stray(&mut self, content: Fragment<'_>) {
        if !self.stray {
            self.stray = true;
            let fault = Fault::new(content, "this stands before the first section");
            let report = &mut self.reader.report;
            report.error(fault.hint("a config begins with [Interface]"));
        }
    }

    fn finish(mut self) -> Parsed {
        self.leave();
        let ifname = self.reader.names.ifname;
        let mut report = self.reader.settle(&mut self.config.peers);
        report.key = None;
        if self.section.is_some() || self.stray {
            check::check(&self.config, ifname, &mut report);
        } else {
            let told = "there is nothing in the file: no [Interface] and no [Peer]";
            report.error(Fault::at(Span::default(), told));
        }
        Parsed {
            config: (!report.is_refused()).then_some(self.config),
            diagnostics: report.finish(),
        }
    }
}

/// The keys of one section that count once, with their last places.
#[derive(Default)]
struct Seen(Vec<(&'static str, Span)>);

impl Seen {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|&(seen, _)| seen == name)
    }

    /// Notes a key, and tells if it stood before.
    fn note(&mut self, key: &Key, part: Fragment<'_>, report: &mut Report<'_>) {
        if key.repeated == Repeated::Adds {
            return;
        }
        let Some((_, last)) = self.0.iter_mut().find(|(name, _)| *name == key.name) else {
            self.0.push((key.name, part.span()));
            return;
        };
        let told = format!(
            "it is on line {} too, and only the last one counts",
            last.line
        );
        *last = part.span();
        let fault = Fault::new(part, told);
        report.warning(if key.name == "PublicKey" {
            fault.hint("each peer has a [Peer] line of its own")
        } else {
            fault
        });
    }
}

/// A key that is none; it is shown unless it may be a part of a secret.
fn unknown_key(entry: Entry<'_>, with_hint: bool) -> Fault {
    let written = entry.key.as_str();
    if entry.value.is_empty() || !keys::is_word(written) {
        return not_an_entry(entry.key);
    }
    let fault = Fault::new(entry.key, format!("unknown key {}", quoted(written)));
    match with_hint.then(|| keys::nearest(written)).flatten() {
        Some(near) => fault.hint(format!(
            "the nearest known key is {}, in {}",
            near.name,
            near.section()
        )),
        None => fault,
    }
}

fn not_an_entry(content: Fragment<'_>) -> Fault {
    let fault = Fault::new(content, "this is not `Key = value`");
    if content.as_str().starts_with([';', '/', '-']) {
        fault.hint("a comment begins with `#`")
    } else {
        fault
    }
}
