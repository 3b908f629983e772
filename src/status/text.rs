//! The form for people: that of `wg show`, with names and with what there is beyond the device.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::units::{Ip, ago, bytes, count, every, roughly};
use super::{Activity, Drift, Interface, Layers, Peer, Status, endpoint, layers};
use crate::columns::visible;

/// How text is to look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether it is coloured.
    pub color: bool,
    /// The columns of the terminal, at which lists are broken; none is no terminal.
    pub width: Option<usize>,
    /// Whether private and preshared keys are shown.
    pub show_keys: bool,
}

pub(super) const BOLD: &str = "\x1b[1m";
pub(super) const DIM: &str = "\x1b[2m";
pub(super) const GREEN: &str = "\x1b[32m";
pub(super) const YELLOW: &str = "\x1b[33m";
const BOLD_GREEN: &str = "\x1b[1;32m";
const BOLD_YELLOW: &str = "\x1b[1;33m";

/// Where values begin: after the longest label.
const VALUES_AT: usize = "  persistent keepalive: ".len();

impl Style {
    /// Gives a text a colour, if there are to be any.
    pub(super) fn paint(self, color: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{color}{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Returns the text of all interfaces.
pub fn text(status: &Status, style: Style) -> String {
    let mut page = Page {
        text: String::new(),
        style,
    };
    for interface in &status.interfaces {
        let peers = interface.peers(status.at);
        page.interface(interface, &peers);
        for peer in &peers {
            page.peer(interface, peer, status);
        }
    }
    page.text
}

/// What is written so far.
struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn interface(&mut self, interface: &Interface, peers: &[Peer<'_>]) {
        self.heading(BOLD_GREEN, "interface", interface.ifname.as_str());
        self.text.push('\n');
        self.file(interface);
        self.field("state", &state(interface));
        let addresses = interface.addresses.iter();
        self.list("addresses", addresses.map(ToString::to_string));
        self.settings(interface);
        self.layers(&interface.layers);
        let is_online = |peer: &&Peer<'_>| peer.session.activity == Activity::Online;
        let online = peers.iter().filter(is_online).count();
        let peers = format!("{}, {online} online", count(peers.len(), "peer"));
        self.field("peers", &peers);
    }

    fn file(&mut self, interface: &Interface) {
        let origin = &interface.origin;
        let Some(file) = &origin.file else {
            if origin.by_wgq {
                self.field("file", "none, from standard input");
            }
            return;
        };
        let file = file.display().to_string();
        let (color, drift) = match &origin.drift {
            Drift::NoFile => (DIM, String::new()),
            Drift::Steps(0) => (DIM, "as it says".to_owned()),
            Drift::Steps(steps) => {
                let steps = count(*steps, "step");
                let ifname = interface.ifname;
                (YELLOW, format!("differs in {steps}: wgq diff {ifname}"))
            }
            Drift::Unknown(why) => (YELLOW, visible(why)),
        };
        let drift = if drift.is_empty() {
            drift
        } else {
            format!(" ({drift})")
        };
        let drift = self.style.paint(color, &drift);
        self.field("file", &format!("{}{drift}", visible(&file)));
    }

    fn settings(&mut self, interface: &Interface) {
        let settings = &interface.device.settings;
        if let Some(key) = &settings.private_key {
            self.field("public key", &key.public_key().to_string());
            self.secret("private key", &key.to_base64());
        }
        if let Some(port) = settings.listen_port {
            self.field("listening port", &port.to_string());
        }
        if let Some(mark) = settings.fwmark {
            self.field("fwmark", &format!("{:#x}", mark.0));
        }
    }

    fn layers(&mut self, layers: &Layers) {
        if let Some(forwarding) = layers::forwarding(layers) {
            self.field("forwarding", &forwarding);
        }
        if let Some(masquerade) = &layers.masquerade {
            self.field("masquerade", &layers::masquerade(masquerade));
        }
        for forward in &layers.port_forwards {
            self.field("port forward", &forward.to_string());
        }
        if layers.kill_switch {
            self.field("kill switch", "on");
        }
        if let Some(dns) = &layers.dns {
            self.field("dns", &visible(&layers::dns(dns)));
        }
    }

    fn peer(&mut self, interface: &Interface, peer: &Peer<'_>, status: &Status) {
        let key = peer.status.public_key.to_string();
        let name = peer.name.map(visible);
        self.heading(BOLD_YELLOW, "peer", name.as_deref().unwrap_or(&key));
        if name.is_some() {
            let key = self.style.paint(DIM, &format!("({key})"));
            let _ = write!(self.text, " {key}");
        }
        self.text.push('\n');
        self.session(peer, status);
        if let Some(key) = &peer.status.preshared_key {
            self.secret("preshared key", &key.to_base64());
        }
        if let Some(at) = peer.status.endpoint {
            self.field("endpoint", &endpoint(at, &interface.scopes));
        }
        let allowed_ips = peer.status.allowed_ips.iter();
        let allowed_ips = allowed_ips.map(|it| format!("{}/{}", Ip(it.ip()), it.prefix_len()));
        if peer.status.allowed_ips.is_empty() {
            self.field("allowed ips", "(none)");
        }
        self.list("allowed ips", allowed_ips);
        if let Some(last) = peer.status.last_handshake {
            self.field("latest handshake", &ago(status.at, last));
        }
        let (received, sent) = (peer.status.rx_bytes, peer.status.tx_bytes);
        if received > 0 || sent > 0 {
            let transfer = format!("{} received, {} sent", bytes(received), bytes(sent));
            self.field("transfer", &transfer);
        }
        if let Some(seconds) = peer.status.persistent_keepalive {
            self.field("persistent keepalive", &every(seconds));
        }
    }

    /// How it goes with a peer: `idle, stale: sends, and no answer for 4 minutes`.
    fn session(&mut self, peer: &Peer<'_>, status: &Status) {
        let session = peer.session;
        let word = session.activity.word();
        let stale = match peer.status.last_handshake {
            _ if !session.is_stale => String::new(),
            Some(last) => {
                let age = roughly(status.at.abs_diff(last));
                format!(", stale: sends, and no answer for {age}")
            }
            None => ", stale: sends, and no answer yet".to_owned(),
        };
        let color = match session.activity {
            _ if session.is_stale => YELLOW,
            Activity::Online => GREEN,
            Activity::Idle | Activity::Never => DIM,
        };
        let word = self.style.paint(color, &format!("{word}{stale}"));
        self.field("state", &word);
    }

    /// The first line of a block, with no end yet.
    fn heading(&mut self, color: &str, label: &str, name: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let label = self.style.paint(color, label);
        let name = self.style.paint(color, name);
        let _ = write!(self.text, "{label}: {name}");
    }

    fn label(&mut self, label: &str) {
        let padding = VALUES_AT.saturating_sub("  : ".len() + label.len());
        let label = self.style.paint(BOLD, label);
        let _ = write!(self.text, "  {label}: {:padding$}", "");
    }

    fn field(&mut self, label: &str, value: &str) {
        self.label(label);
        self.text.push_str(value);
        self.text.push('\n');
    }

    fn secret(&mut self, label: &str, key: &str) {
        let shown = self.style.show_keys;
        self.field(label, if shown { key } else { "(hidden)" });
    }

    /// A list, broken where the terminal ends; nothing if it is empty.
    fn list(&mut self, label: &str, items: impl Iterator<Item = String>) {
        let mut column = 0;
        let mut items = items.peekable();
        while let Some(item) = items.next() {
            let comma = usize::from(items.peek().is_some());
            let end = column + item.width() + comma;
            if column == 0 {
                self.label(label);
                column = VALUES_AT;
            } else if self.style.width.is_some_and(|width| end + 1 > width) {
                let _ = write!(self.text, "\n{:VALUES_AT$}", "");
                column = VALUES_AT;
            } else {
                self.text.push(' ');
                column += 1;
            }
            column += item.width() + comma;
            self.text.push_str(&item);
            self.text.push_str(if comma == 1 { "," } else { "\n" });
        }
    }
}

/// The state of the link: `up, MTU 1420, in the network namespace blue, driven by boringtun`.
fn state(interface: &Interface) -> String {
    let mut state = match interface.link {
        Some(link) => {
            let word = if link.up { "up" } else { "down" };
            format!("{word}, MTU {}", link.mtu)
        }
        None => "in another network namespace".to_owned(),
    };
    if let Some(netns) = &interface.netns {
        let _ = write!(state, ", in the network namespace {netns}");
    }
    match interface.driver() {
        "kernel" => {}
        "userspace" => state.push_str(", driven by a userspace program"),
        driver => {
            let _ = write!(state, ", driven by {}", visible(driver));
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn shown(style: Style) -> String {
        text(&sample::status(), style)
    }

    #[test]
    fn the_text_is_as_it_was() {
        sample::is_golden("show.txt", &shown(Style::default()));
    }

    #[test]
    fn lists_are_broken_where_the_terminal_ends() {
        let text = shown(Style {
            width: Some(40),
            ..Style::default()
        });
        let broken = "allowed ips:          10.8.0.2/32,\n                        fd42::2/128\n";
        assert!(text.contains(broken), "{text}");
        let wide = Style {
            width: Some(80),
            ..Style::default()
        };
        assert_eq!(shown(wide), shown(Style::default()));
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let text = shown(Style {
            color: true,
            ..Style::default()
        });
        let mut plain = String::new();
        for part in text.split("\x1b[") {
            let rest = part.split_once('m').filter(|_| !plain.is_empty());
            plain += rest.map_or(part, |(_, rest)| rest);
        }
        assert!(plain.ends_with(&shown(Style::default())[10..]), "{plain}");
        assert!(text.contains("\x1b[1;32mwg0\x1b[0m\n"));
        assert!(text.contains("\x1b[32monline\x1b[0m\n"));
    }

    #[test]
    fn keys_are_hidden_unless_they_are_asked_for() {
        let hidden = shown(Style::default());
        assert!(!hidden.contains(sample::PRIVATE) && !hidden.contains(sample::PRESHARED));
        let text = shown(Style {
            show_keys: true,
            ..Style::default()
        });
        assert!(text.contains(sample::PRIVATE) && text.contains(sample::PRESHARED));
    }
}
