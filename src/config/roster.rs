//! The peers of a file as people handle them: by name, added and taken out one by one, and turned off for a while.
//!
//! One that is turned off stays in the file as comments that nobody else writes: `#- ` before each line of its section.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::document::{Line, Section, Syntax};
use super::edit::Edit;
use super::layout::{Layout, Part};
use super::model::{Config, Peer};
use super::note::{self, Name};
use super::parse::parse;
use super::reader::Names;
use super::save::{ended, line_end};
use super::span::Fragment;
use crate::columns::visible;
use crate::key::{PresharedKey, PublicKey};

/// What stands before each line of a section that is turned off.
const OFF: &str = "#-";

/// The fewest characters of a public key that mean it: a name that is mistyped is not to mean somebody's key.
const LEAST_OF_KEY: usize = 4;

/// Whether a line looks like one of a section that is turned off. `#------` does not.
pub(super) fn is_off(line: &str) -> bool {
    let rest = line
        .strip_prefix(OFF)
        .map(|rest| rest.trim_end_matches(['\r', '\n']));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// A file's peers, in order.
#[derive(Debug)]
pub struct Roster {
    /// The file, with an end to its last line.
    text: String,
    /// What the file says, with all its peers turned on.
    config: Config,
    members: Vec<Member>,
    /// For each line, whether there is nothing on it.
    blank: Vec<bool>,
}

/// What is known of a peer beside what its section says.
#[derive(Debug)]
struct Member {
    name: Option<String>,
    is_off: bool,
    /// Its lines, by number from 0, with the comments that belong to it.
    lines: Range<usize>,
}

/// A peer of a file.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'r> {
    /// Its place among the peers.
    pub index: usize,
    /// Its name, if it has one.
    pub name: Option<&'r str>,
    /// Whether it is turned off.
    pub is_off: bool,
    /// What its section says.
    pub peer: &'r Peer,
}

impl fmt::Display for Listed<'_> {
    /// The name, as it may go to a terminal, or else the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => f.write_str(&visible(name)),
            None => self.peer.public_key.value.fmt(f),
        }
    }
}

impl Roster {
    /// Reads a file. On failure what is wrong with it is in the diagnostics; lines are the same as in the file, and there is
    /// nothing wrong with one that is in order when all its peers are turned on.
    pub fn read(text: &str, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        let text = ended(text, line_end(text)).into_owned();
        let was_off = off_lines(&text);
        let all_on = turned_on(&text, &was_off);
        let parsed = parse(all_on.as_bytes(), names);
        let config = parsed.config.ok_or(parsed.diagnostics)?;
        let layout = Layout::of(&all_on);
        let parts = layout.parts_of(Section::Peer).into_iter();
        let members = parts.map(|part| Member {
            name: note::name(&layout, part).map(|name| name.text().to_owned()),
            is_off: was_off.get(part.header()).copied().unwrap_or_default(),
            lines: layout.lines_of(part),
        });
        Ok(Self {
            members: members.collect(),
            blank: text
                .split_inclusive('\n')
                .map(|line| line.trim().is_empty())
                .collect(),
            config,
            text,
        })
    }

    /// What the file says, with all its peers turned on.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The peers, in order.
    pub fn iter(&self) -> impl Iterator<Item = Listed<'_>> {
        let peers = self.config.peers.iter().zip(&self.members).enumerate();
        peers.map(|(index, (peer, member))| Listed {
            index,
            name: member.name.as_deref(),
            is_off: member.is_off,
            peer,
        })
    }

    /// The peers that are meant by a name, or else by the beginning of a public key.
    pub fn find(&self, wanted: &str) -> Vec<Listed<'_>> {
        let named: Vec<_> = self.iter().filter(|it| it.name == Some(wanted)).collect();
        if !named.is_empty() || wanted.len() < LEAST_OF_KEY {
            return named;
        }
        let begins = |it: &Listed<'_>| it.peer.public_key.value.to_string().starts_with(wanted);
        self.iter().filter(begins).collect()
    }

    /// The file with one peer more at its end: `lines` are those of its section after the header.
    pub fn with(&self, lines: &[String]) -> String {
        let end = line_end(&self.text);
        let mut text = self.text.clone();
        for line in ["", "[Peer]"]
            .into_iter()
            .chain(lines.iter().map(String::as_str))
        {
            text += line;
            text += end;
        }
        text
    }

    /// The file without a peer.
    pub fn without(&self, index: usize) -> String {
        self.without_all(&[index])
    }

    /// The lines of a peer's section, and the blank ones above it.
    fn extent(&self, index: usize) -> Range<usize> {
        let Range { mut start, end } = self.lines(index);
        while start > 0 && self.blank.get(start - 1) == Some(&true) {
            start -= 1;
        }
        start..end
    }

    /// The file without some peers.
    pub fn without_all(&self, indices: &[usize]) -> String {
        let gone: Vec<Range<usize>> = indices.iter().map(|index| self.extent(*index)).collect();
        let stays = |line: usize| !gone.iter().any(|extent| extent.contains(&line));
        let lines = self.text.split_inclusive('\n').enumerate();
        lines
            .filter(|(line, _)| stays(*line))
            .map(|(_, text)| text)
            .collect()
    }

    /// A peer's section with the comments that belong to it, as it is when it is turned on.
    pub fn section(&self, index: usize) -> String {
        let lines = self.lines(index);
        let all = self.text.split_inclusive('\n');
        all.skip(lines.start)
            .take(lines.len())
            .map(turn_on)
            .collect()
    }

    /// The file with a peer turned on or off.
    pub fn turned(&self, index: usize, off: bool) -> String {
        self.section_changed(index, off, str::to_owned)
    }

    /// The file with another name for a peer.
    pub fn renamed(&self, index: usize, name: &str) -> String {
        self.edited(index, |edit, layout, part| match note::name(layout, part) {
            Some(Name::Own(old)) => edit.replace(old.span().range(), name.to_owned()),
            Some(Name::Foreign(_)) | None => edit.add_below(part, &format!("# Name = {name}")),
        })
    }

    /// The file with other keys for a peer; one that had no preshared key goes without.
    pub fn rekeyed(&self, index: usize, key: PublicKey, preshared: &PresharedKey) -> String {
        self.edited(index, |edit, layout, part| {
            edit.set(&[part], "PublicKey", Some(key));
            if !layout.entries(part, "PresharedKey").is_empty() {
                edit.set(&[part], "PresharedKey", Some(&*preshared.to_base64()));
            }
        })
    }

    /// The file with a section changed key by key, turned on or off as it was.
    fn edited(
        &self,
        index: usize,
        change: impl FnOnce(&mut Edit<'_, '_>, &Layout<'_>, Part),
    ) -> String {
        let is_off = self.members.get(index).is_some_and(|member| member.is_off);
        self.section_changed(index, is_off, |section| {
            let layout = Layout::of(section);
            let mut edit = Edit::of(&layout, line_end(section));
            if let Some(part) = layout.parts_of(Section::Peer).pop() {
                change(&mut edit, &layout, part);
            }
            edit.apply(section)
        })
    }

    fn section_changed(
        &self,
        index: usize,
        off: bool,
        change: impl FnOnce(&str) -> String,
    ) -> String {
        let lines = self.lines(index);
        let section = change(&self.section(index));
        let all = || self.text.split_inclusive('\n');
        let mut text: String = all().take(lines.start).collect();
        for line in section.split_inclusive('\n') {
            match (off, line.trim().is_empty()) {
                (false, _) => {}
                (true, true) => text += OFF,
                (true, false) => text.extend([OFF, " "]),
            }
            text += line;
        }
        text.extend(all().skip(lines.end));
        text
    }

    fn lines(&self, index: usize) -> Range<usize> {
        let member = self.members.get(index);
        member
            .map(|member| member.lines.clone())
            .unwrap_or_default()
    }
}

/// For each line, whether it is of a section that is turned off: of lines in a row that look so those from the header on, and
/// the comments above it. What else looks so is a comment of somebody else's.
fn off_lines(text: &str) -> Vec<bool> {
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let mut off = Vec::with_capacity(lines.len());
    for run in lines.chunk_by(|a, b| is_off(a) == is_off(b)) {
        let is_run = run.first().is_some_and(|line| is_off(line));
        let is_header =
            |line: &&str| matches!(syntax(turn_on(line)), Syntax::Section(Section::Peer, _));
        let header = run.iter().position(is_header).filter(|_| is_run);
        let first = header.map(|header| {
            let above = run.get(..header).unwrap_or_default();
            let is_comment = |line: &&&str| matches!(syntax(turn_on(line)), Syntax::Blank);
            header - above.iter().rev().take_while(is_comment).count()
        });
        off.extend((0..run.len()).map(|at| first.is_some_and(|first| at >= first)));
    }
    off
}

fn syntax(line: &str) -> Syntax<'_> {
    let whole = Fragment::new(line, 1, 0);
    Line { whole }.syntax()
}

/// The text with all that is turned off turned on, line by line.
fn turned_on<'t>(text: &'t str, off: &[bool]) -> Cow<'t, str> {
    if !off.contains(&true) {
        return text.into();
    }
    let lines = text.split_inclusive('\n').zip(off);
    lines
        .map(|(line, off)| if *off { turn_on(line) } else { line })
        .collect()
}

fn turn_on(line: &str) -> &str {
    match line.strip_prefix(OFF) {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => line,
    }
}

#[cfg(test)]
mod tests;
