//! The parser: from a file's text to the model, and everything that is wrong with it in one go.

use std::collections::{BTreeMap, HashMap};

use super::check;
use super::diagnostic::Diagnostic;
use super::document::{self, Entry, Line, Syntax};
use super::keys::{self, Key, Owner, Read, Repeated};
use super::model::{Config, Peer};
use super::report::{Fault, Report, quoted};
use super::span::{Fragment, Span, Spanned};
use crate::key::{KEY_LEN, PublicKey};
use crate::net::Prefix;

/// What names stand for on this host, for the values that may be names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Routing tables, from `rt_tables`.
    pub tables: BTreeMap<String, u32>,
    /// Ports of UDP services, from /etc/services.
    pub services: BTreeMap<String, u16>,
}

impl Names {
    /// The number of a routing table; iproute2 knows three without a file.
    pub(super) fn table(&self, name: &str) -> Option<u32> {
        self.tables.get(name).copied().or(match name {
            "default" => Some(253),
            "main" => Some(254),
            "local" => Some(255),
            _ => None,
        })
    }
}

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

/// What the readers of values share.
pub(super) struct Reader<'a> {
    pub(super) names: &'a Names,
    pub(super) report: Report<'a>,
    /// The peer whose section this is, by its number.
    peer: usize,
    /// Who has a prefix so far, and the line that says so.
    owners: HashMap<Prefix, (usize, usize)>,
    /// What a later peer took from the one of that number.
    taken: Vec<(usize, Prefix)>,
}

impl Reader<'_> {
    /// Gives a prefix to the peer whose section this is, and takes it from whoever had it.
    pub(super) fn claim(&mut self, prefix: Prefix, part: Fragment<'_>) {
        let span = part.span();
        if let Some((owner, line)) = self.owners.insert(prefix, (self.peer, span.line))
            && owner != self.peer
        {
            self.taken.push((owner, prefix));
            self.report.warning(
                Fault::at(
                    span,
                    format!("{prefix} is on line {line} too, for another peer"),
                )
                .hint("a prefix has one peer, and this is the last that names it: it gets it"),
            );
        }
    }
}

/// The section that a line is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// None yet.
    None,
    /// One that was told not to exist; what it has is passed over.
    Unknown,
    Interface,
    Peer,
}

struct Parser<'a> {
    reader: Reader<'a>,
    section: Section,
    config: Config,
    /// Whether something stood before the first section, which is told once.
    stray: bool,
    /// Where the keys that hold once were read: the interface's, and those of the last peer.
    interface_keys: Vec<(&'static str, Span)>,
    peer_keys: Vec<(&'static str, Span)>,
    /// The header of the last peer.
    header: Span,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, names: &'a Names) -> Self {
        Self {
            reader: Reader {
                names,
                report: Report::new(text),
                peer: 0,
                owners: HashMap::new(),
                taken: Vec::new(),
            },
            section: Section::None,
            config: Config::default(),
            stray: false,
            interface_keys: Vec::new(),
            peer_keys: Vec::new(),
            header: Span::default(),
        }
    }

    fn line(&mut self, line: Line<'_>) {
        self.reader.report.key = None;
        match line.syntax() {
            Syntax::Blank => {}
            Syntax::Section(header) => self.header(header),
            Syntax::Entry(entry) => self.entry(entry),
            Syntax::Other(text) => self.other(text),
        }
    }

    fn header(&mut self, header: Fragment<'_>) {
        self.leave_section();
        let name = header.squashed();
        self.section = if name.eq_ignore_ascii_case("[Interface]") {
            Section::Interface
        } else if name.eq_ignore_ascii_case("[Peer]") {
            self.reader.peer = self.config.peers.len();
            self.header = header.span();
            // until its key is read it has one that is on no line
            let unnamed = Spanned {
                value: PublicKey([0; KEY_LEN]),
                span: Span::default(),
            };
            self.config.peers.push(Peer::new(unnamed));
            Section::Peer
        } else {
            let unknown = format!("unknown section {}", quoted(header.as_str()));
            let fault = Fault::new(header, unknown);
            self.reader
                .report
                .error(fault.hint("the sections are [Interface] and [Peer]"));
            Section::Unknown
        };
    }

    /// Tells if the peer that ends here has no key.
    fn leave_section(&mut self) {
        let keys = std::mem::take(&mut self.peer_keys);
        if self.section == Section::Peer && !keys.iter().any(|&(name, _)| name == "PublicKey") {
            let fault = Fault::at(self.header, "this peer has no PublicKey");
            self.reader.report.error(fault);
        }
    }

    fn entry(&mut self, entry: Entry<'_>) {
        match self.section {
            Section::None => self.stray(entry.key),
            Section::Unknown => {}
            Section::Interface | Section::Peer => match keys::find(entry.key.as_str()) {
                Some(key) => {
                    self.reader.report.key = Some(key.name);
                    if let Err(fault) = self.known(key, entry) {
                        self.reader.report.error(fault);
                    }
                }
                None => self.unknown(entry),
            },
        }
    }

    fn known(&mut self, key: &Key, entry: Entry<'_>) -> Result<(), Fault> {
        if entry.value.is_empty() && key.owner != Owner::WgQuick {
            return Err(Fault::new(entry.key, "the value is empty")
                .hint("leave the line out, or put `#` before it"));
        }
        match (key.read, self.section, self.config.peers.last_mut()) {
            (Read::Interface(read), Section::Interface, _) => {
                note(
                    &mut self.interface_keys,
                    key,
                    entry,
                    &mut self.reader.report,
                );
                read(&mut self.config.interface, entry, &mut self.reader)
            }
            (Read::Peer(read), Section::Peer, Some(peer)) => {
                note(&mut self.peer_keys, key, entry, &mut self.reader.report);
                read(peer, entry, &mut self.reader)
            }
            _ => Err(Fault::new(
                entry.key,
                format!("it belongs in {}", key.section()),
            )),
        }
    }

    fn unknown(&mut self, entry: Entry<'_>) {
        let written = entry.key.as_str();
        let report = &mut self.reader.report;
        // what is no word, or has nothing after it, may be a part of a secret
        let fault = if !entry.value.is_empty() && keys::is_word(written) {
            Fault::new(entry.key, format!("unknown key {}", quoted(written)))
        } else {
            Fault::new(
                entry.key,
                "this is not `Key = value` with a key that is known",
            )
        };
        report.error(if written.starts_with([';', '/', '-']) {
            fault.hint("a comment begins with `#`")
        } else if !report.is_full()
            && let Some(key) = keys::nearest(written)
        {
            fault.hint(format!(
                "the nearest known key is {}, in {}",
                key.name,
                key.section()
            ))
        } else {
            fault
        });
    }

    fn other(&mut self, text: Fragment<'_>) {
        match self.section {
            Section::None => self.stray(text),
            Section::Unknown => {}
            Section::Interface | Section::Peer => {
                let fault = Fault::new(text, "this is not `Key = value`: there is no `=`");
                self.reader
                    .report
                    .error(if text.as_str().starts_with([';', '/', '-']) {
                        fault.hint("a comment begins with `#`")
                    } else {
                        fault
                    });
            }
        }
    }

    fn stray(&mut self, text: Fragment<'_>) {
        if !self.stray {
            self.stray = true;
            let fault = Fault::new(text, "this stands before the first section");
            self.reader
                .report
                .error(fault.hint("a config begins with [Interface]"));
        }
    }

    fn finish(mut self) -> Parsed {
        self.leave_section();
        let Reader {
            mut report, taken, ..
        } = self.reader;
        report.key = None;
        for (owner, prefix) in taken {
            if let Some(peer) = self.config.peers.get_mut(owner) {
                peer.allowed_ips.remove(&prefix);
            }
        }
        if self.section == Section::None && !self.stray {
            report.error(Fault::at(
                Span::default(),
                "the file is empty: it has no [Interface] section",
            ));
        } else {
            check::check(&self.config, &mut report);
        }
        Parsed {
            config: (!report.is_refused()).then_some(self.config),
            diagnostics: report.finish(),
        }
    }
}

/// Notes that a key was read, and tells if that is not for the first time where only one counts.
fn note(
    seen: &mut Vec<(&'static str, Span)>,
    key: &Key,
    entry: Entry<'_>,
    report: &mut Report<'_>,
) {
    if key.repeated == Repeated::Adds {
        return;
    }
    match seen.iter_mut().find(|(name, _)| *name == key.name) {
        None => seen.push((key.name, entry.key.span())),
        Some((_, last)) => {
            let told = format!(
                "it is on line {} too, and only the last one counts",
                last.line
            );
            *last = entry.key.span();
            let fault = Fault::new(entry.key, told);
            report.warning(if key.name == "PublicKey" {
                fault.hint("each peer has a [Peer] line of its own")
            } else {
                fault
            });
        }
    }
}
