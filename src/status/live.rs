//! The live table: a line a peer, with rates.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::text::{BOLD, DIM, GREEN, Style, YELLOW};
use super::units::{briefly, bytes, count};
use super::{Activity, Interface, Peer, PeerStatus, Session, Status, endpoint};
use crate::columns::visible;
use crate::key::PublicKey;
use crate::net::Ifname;

/// How large a screen is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// The bytes that each peer had received and sent at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    at: Duration,
    peers: BTreeMap<(Ifname, PublicKey), (u64, u64)>,
}

impl Counters {
    /// Those of what was found.
    pub fn of(status: &Status) -> Self {
        let counters = |interface: &Interface| {
            let ifname = interface.ifname;
            let peers = interface.device.peers.iter();
            let peers = peers.map(|it| ((ifname, it.public_key), (it.rx_bytes, it.tx_bytes)));
            peers.collect::<Vec<_>>()
        };
        Self {
            at: status.at,
            peers: status.interfaces.iter().flat_map(counters).collect(),
        }
    }

    /// What was received and sent since then, in bytes per second; nothing of what was not there, or began anew.
    fn rates(&self, ifname: Ifname, peer: &PeerStatus, now: Duration) -> (u64, u64) {
        let before = self.peers.get(&(ifname, peer.public_key));
        let time = now.saturating_sub(self.at).as_millis();
        let rate = |before: u64, now: u64| {
            let bytes = u128::from(now.saturating_sub(before)) * 1000;
            let rate = bytes.checked_div(time).unwrap_or_default();
            u64::try_from(rate).unwrap_or(u64::MAX)
        };
        before.map_or((0, 0), |&(rx, tx)| {
            (rate(rx, peer.rx_bytes), rate(tx, peer.tx_bytes))
        })
    }
}

/// A row of the table.
struct Row<'a> {
    peer: Peer<'a>,
    rates: (u64, u64),
}

/// Returns the lines of a screen. `before` is what was counted at an earlier look, by which rates are told.
pub fn screen(status: &Status, before: &Counters, size: Size, style: Style) -> Vec<String> {
    let interfaces = status.interfaces.iter();
    let tables: Vec<_> = interfaces
        .map(|interface| (interface, rows(interface, status, before)))
        .collect();
    let columns = Columns::fitting(&tables, size.width);
    let mut lines = Vec::new();
    for (interface, rows) in &tables {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(title(interface, rows, size, style));
        if !rows.is_empty() {
            lines.push(style.paint(DIM, &columns.header()));
        }
        let shown = rows.iter().take(size.height); // no more are seen
        lines.extend(shown.map(|row| columns.line(row, interface, status.at, style)));
        let unseen = rows.len().saturating_sub(size.height);
        lines.extend((0..unseen).map(|_| String::new()));
    }
    if lines.is_empty() {
        lines.push("no WireGuard interface is up".to_owned());
    }
    let room = size.height.saturating_sub(2).max(1); // the last line is for what ends it
    if lines.len() > room {
        let more = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(style.paint(DIM, &format!("and {more} more")));
    }
    lines.push(String::new());
    lines.push(style.paint(DIM, &fit("q to quit", size.width)));
    lines.truncate(size.height.max(1));
    lines
}

/// The rows of an interface.
fn rows<'a>(interface: &'a Interface, status: &Status, before: &Counters) -> Vec<Row<'a>> {
    let ifname = interface.ifname;
    let peers = interface.peers(status.at).into_iter();
    let rows = peers.map(|peer| {
        let sent = before.peers.get(&(ifname, peer.status.public_key));
        let sent = sent.map_or(u64::MAX, |&(_, tx)| tx);
        let session = Session::since(peer.status, status.at, sent);
        Row {
            peer: Peer { session, ..peer },
            rates: before.rates(ifname, peer.status, status.at),
        }
    });
    rows.collect()
}

/// The line above a table: `wg0  2 of 4 peers online, 1.20 MiB/s received, 340.00 KiB/s sent`.
fn title(interface: &Interface, rows: &[Row<'_>], size: Size, style: Style) -> String {
    let is_online = |row: &&Row<'_>| row.peer.session.activity == Activity::Online;
    let online = rows.iter().filter(is_online).count();
    let received: u64 = rows.iter().map(|row| row.rates.0).sum();
    let sent: u64 = rows.iter().map(|row| row.rates.1).sum();
    let peers = count(rows.len(), "peer");
    let ifname = interface.ifname.to_string();
    let rest = format!(
        "  {online} of {peers} online, {}/s received, {}/s sent",
        bytes(received),
        bytes(sent)
    );
    let rest = fit(&rest, size.width.saturating_sub(ifname.len()));
    format!("{}{rest}", style.paint(BOLD, &ifname))
}

/// Which columns fit, beside the one of names, and how wide that is.
struct Columns {
    name: usize,
    with_totals: bool,
    with_endpoint: bool,
}

const STATE: usize = "online".len();
const HANDSHAKE: usize = "HANDSHAKE".len();
const RATE: usize = "1023.99 KiB/s".len();
const TOTAL: usize = "1023.99 KiB".len();
const GAP: usize = 2;
const LONGEST_NAME: usize = 30;
const SHORTEST_NAME: usize = 8;

impl Columns {
    fn fitting(tables: &[(&Interface, Vec<Row<'_>>)], width: usize) -> Self {
        let peers = |(interface, rows): &(&Interface, Vec<Row<'_>>)| {
            let scopes = interface.scopes.clone();
            let peers = rows.iter().map(move |row| {
                let at = row.peer.status.endpoint.map(|at| endpoint(at, &scopes));
                (called(&row.peer).width(), at.unwrap_or_default().len())
            });
            peers.collect::<Vec<_>>()
        };
        let widths: Vec<(usize, usize)> = tables.iter().flat_map(peers).collect();
        let longest = widths
            .iter()
            .map(|(name, _)| *name)
            .max()
            .unwrap_or_default();
        let wanted = longest.clamp(SHORTEST_NAME, LONGEST_NAME);
        let longest = widths.iter().map(|(_, endpoint)| *endpoint).max();
        let endpoint = GAP + longest.unwrap_or_default().max("ENDPOINT".len());
        let rest = GAP + STATE + GAP + HANDSHAKE + 2 * (GAP + RATE);
        let totals = 2 * (GAP + TOTAL);
        let with_totals = wanted + rest + totals <= width;
        let with_endpoint = with_totals && wanted + rest + totals + endpoint <= width;
        Self {
            name: wanted.min(width.saturating_sub(rest).max(SHORTEST_NAME)),
            with_totals,
            with_endpoint,
        }
    }

    fn header(&self) -> String {
        let name = self.name;
        let mut line = format!(
            "{:name$}  {:STATE$}  {:>HANDSHAKE$}  {:>RATE$}  {:>RATE$}",
            "PEER", "STATE", "HANDSHAKE", "RECEIVING", "SENDING"
        );
        if self.with_totals {
            let _ = write!(line, "  {:>TOTAL$}  {:>TOTAL$}", "RECEIVED", "SENT");
        }
        if self.with_endpoint {
            line += "  ENDPOINT";
        }
        line
    }

    fn line(&self, row: &Row<'_>, interface: &Interface, now: Duration, style: Style) -> String {
        let Row { peer, rates } = row;
        let name = fit(&called(peer), self.name);
        let padding = self.name - name.width();
        let last = peer.status.last_handshake;
        let age = last.map_or_else(|| "-".to_owned(), |it| briefly(now.abs_diff(it)));
        let session = peer.session;
        let (color, word) = match session.activity {
            _ if session.is_stale => (YELLOW, "stale"),
            Activity::Online => (GREEN, "online"),
            other @ (Activity::Idle | Activity::Never) => (DIM, other.word()),
        };
        let state = style.paint(color, &format!("{word:STATE$}"));
        let rate = |rate: u64| match rate {
            0 => "-".to_owned(),
            rate => format!("{}/s", bytes(rate)),
        };
        let mut line = format!(
            "{name}{:padding$}  {state}  {age:>HANDSHAKE$}  {:>RATE$}  {:>RATE$}",
            "",
            rate(rates.0),
            rate(rates.1)
        );
        if self.with_totals {
            let (received, sent) = (bytes(peer.status.rx_bytes), bytes(peer.status.tx_bytes));
            let _ = write!(line, "  {received:>TOTAL$}  {sent:>TOTAL$}");
        }
        if let Some(at) = peer.status.endpoint
            && self.with_endpoint
        {
            let _ = write!(line, "  {}", endpoint(at, &interface.scopes));
        }
        line
    }
}

/// How a peer is called: by its name, or else by the beginning of its key.
fn called(peer: &Peer<'_>) -> String {
    const KEY: usize = 12;
    match peer.name {
        Some(name) => visible(name),
        None => fit(&peer.status.public_key.to_string(), KEY),
    }
}

/// As much of a text as fits into that many columns.
fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut end = 0;
    for c in text.chars() {
        end += c.width().unwrap_or_default();
        if end + 1 > width {
            break;
        }
        shown.push(c);
    }
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn shown(width: usize, height: usize) -> String {
        let status = sample::status();
        let mut earlier = status.clone();
        earlier.at -= Duration::from_secs(2);
        let phone = &mut earlier.interfaces[0].device.peers[1];
        phone.rx_bytes -= 1_048_576;
        phone.tx_bytes -= 5_000;
        let before = Counters::of(&earlier);
        let style = Style::default();
        let mut lines = screen(&status, &before, Size { width, height }, style);
        for line in &mut lines {
            assert!(line.width() <= width, "{width}: {line}");
            *line += "\n";
        }
        assert!(lines.len() <= height);
        lines.concat()
    }

    #[test]
    fn the_table_is_as_it_was() {
        for width in [130, 100, 80] {
            sample::is_golden(&format!("watch-{width}.txt"), &shown(width, 24));
        }
    }

    #[test]
    fn a_small_screen_says_what_is_not_on_it() {
        let text = shown(80, 6);
        assert!(text.contains("and 7 more\n\nq to quit\n"), "{text}");
        for height in 1..12 {
            shown(70, height);
        }
    }

    #[test]
    fn what_was_sent_without_an_answer_is_stale() {
        let mut status = sample::status();
        let laptop = &mut status.interfaces[0].device.peers[0];
        laptop.persistent_keepalive = None;
        let before = Counters::of(&status);
        let size = Size {
            width: 80,
            height: 24,
        };
        let line = |status: &Status| {
            let lines = screen(status, &before, size, Style::default());
            let laptop = lines.iter().find(|line| line.contains("laptop"));
            laptop.unwrap().clone()
        };
        assert!(line(&status).contains("  idle "));
        status.interfaces[0].device.peers[0].tx_bytes += 148;
        assert!(line(&status).contains("  stale "));
    }
}
