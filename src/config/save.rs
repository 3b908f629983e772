//! What runs, written into the file: only what changed, and there where it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::IpAddr;

use super::document::{Entry, Line, Section};
use super::edit::Edits;
use super::layout::{Layout, Part};
use super::model::{self, Config, Endpoint};
use super::span::{Fragment, Spanned, is_blank};
use super::values;
use crate::key::PresharedKey;
use crate::net::{Address, FwMark};
use crate::state::{Peer, State};

/// The file's text with what runs: `config` is what the text says, `now` what is found of it.
///
/// Comments, order and spacing stay. So do host names, keys from files or hooks, and what the file leaves to wgq or the
/// kernel to choose: port, mark and MTU change only where the file has one.
pub fn save(text: &str, config: &Config, now: &State) -> String {
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let unended = !text.is_empty() && !text.ends_with('\n');
    if unended {
        // as lines are all alike then
        let saved = save(&(text.to_owned() + line_end), config, now);
        return saved
            .strip_suffix(line_end)
            .map(str::to_owned)
            .unwrap_or(saved);
    }
    let layout = Layout::of(text);
    let mut save = Save {
        layout: &layout,
        edits: Edits::default(),
        line_end,
    };
    save.interface(&config.interface, now);

    let peers = &now.device.peers;
    let mut running: BTreeMap<_, _> = peers.iter().map(|peer| (peer.public_key, peer)).collect();
    let parts = layout.parts_of(Section::Peer).into_iter();
    for (part, written) in parts.zip(&config.peers) {
        match running.remove(&written.public_key.value) {
            Some(peer) => save.peer(part, written, peer),
            None => save.edits.delete(layout.extent(part)),
        }
    }

    let mut saved = save.edits.apply(text);
    let is_new = |peer: &&Peer| running.contains_key(&peer.public_key);
    for peer in peers.iter().filter(is_new) {
        saved += &section(peer, line_end);
    }
    saved
}

struct Save<'l, 't> {
    layout: &'l Layout<'t>,
    edits: Edits,
    line_end: &'static str,
}

impl<'t> Save<'_, 't> {
    fn interface(&mut self, written: &model::Interface, now: &State) {
        let parts = self.layout.parts_of(Section::Interface);
        let settings = &now.device.settings;
        let key_is_elsewhere = written.private_key_file.is_some()
            || (written.private_key.is_none() && written.hooks.give_private_key());
        if let Some(key) = &settings.private_key
            && written.private_key.as_ref() != Some(key)
            && !key_is_elsewhere
        {
            self.set(&parts, "PrivateKey", Some(&*key.to_base64()));
        }
        if let Some(port) = settings.listen_port
            && written
                .listen_port
                .is_some_and(|written| written != 0 && written != port)
        {
            self.set(&parts, "ListenPort", Some(port));
        }
        let mark = settings.fwmark.unwrap_or(FwMark(0));
        // a full tunnel without a mark, or with the mark 0, gets one, which is not to be kept
        if written
            .fwmark
            .is_some_and(|written| written.value != FwMark(0) && written.value != mark)
        {
            self.set(&parts, "FwMark", Some(mark));
        }
        if let (Some(written), Some(link)) = (written.mtu, &now.link)
            && written.value != link.settings.mtu
        {
            self.set(&parts, "MTU", Some(link.settings.mtu));
        }
        self.addresses(&parts, &written.addresses, &now.addresses);
    }

    /// A family without any address keeps what is written: the host may have it turned off. The kernel's own
    /// link-local addresses are not ours to write.
    fn addresses(&mut self, parts: &[Part], written: &[Spanned<Address>], now: &[Address]) {
        let written: Vec<Address> = written.iter().map(|address| address.value).collect();
        let is_here = |family| now.iter().any(|address| address.family() == family);
        let ours = now
            .iter()
            .filter(|address| !is_link_local(**address) || written.contains(address));
        let kept = written.iter().filter(|address| !is_here(address.family()));
        let wanted: Vec<Address> = ours.chain(kept).copied().collect();
        self.set_list(
            parts,
            "Address",
            &wanted,
            values::items,
            values::interface_address,
        );
    }

    fn peer(&mut self, part: Part, written: &model::Peer, peer: &Peer) {
        let parts = &[part];
        if written.preshared_key != peer.preshared_key && written.preshared_key_file.is_none() {
            let key = peer.preshared_key.as_ref().map(PresharedKey::to_base64);
            self.set(parts, "PresharedKey", key.as_deref());
        }
        if written.allowed_ips != peer.allowed_ips {
            let wanted: Vec<_> = peer.allowed_ips.iter().copied().collect();
            self.set_list(
                parts,
                "AllowedIPs",
                &wanted,
                values::prefixes,
                values::added_prefix,
            );
        }
        let named = matches!(written.endpoint.as_deref(), Some(Endpoint::Name { .. }));
        let at = peer.endpoint.map(Endpoint::Addr);
        if let Some(at) = at
            && !named
            && written.endpoint.as_deref() != Some(&at)
        {
            self.set(parts, "Endpoint", Some(at));
        }
        if written.persistent_keepalive != peer.persistent_keepalive {
            self.set(parts, "PersistentKeepalive", peer.persistent_keepalive);
        }
    }

    /// Makes a key that counts once say this, or nothing.
    fn set(&mut self, parts: &[Part], name: &str, value: Option<impl Display>) {
        let entries = self.entries(parts, name);
        match (value, entries.last()) {
            (Some(value), Some((_, last))) => self
                .edits
                .replace(last.value.span().range(), value.to_string()),
            (Some(value), None) => self.add_line(parts, name, &value.to_string()),
            (None, _) => {
                for (line, _) in entries {
                    self.edits.delete(line.whole.span().range());
                }
            }
        }
    }

    /// Makes a key that adds up say these and no others, in all its lines together.
    fn set_list<T: Ord + Copy + Display>(
        &mut self,
        parts: &[Part],
        name: &str,
        wanted: &[T],
        items: fn(Fragment<'t>) -> Vec<Fragment<'t>>,
        read: fn(Fragment<'t>) -> Option<T>,
    ) {
        let mut missing: BTreeSet<T> = wanted.iter().copied().collect();
        let mut lists = Vec::new();
        for (line, entry) in self.entries(parts, name) {
            let written = items(entry.value);
            let mut kept = Vec::new();
            for item in &written {
                if read(*item).is_some_and(|value| missing.remove(&value)) {
                    kept.push(item.as_str().to_owned());
                }
            }
            let changed = kept.len() < written.len();
            lists.push((line, entry, kept, changed));
        }

        let added = wanted.iter().filter(|value| missing.contains(value));
        let added: Vec<String> = added.map(T::to_string).collect();
        match lists.last_mut() {
            _ if added.is_empty() => {}
            Some((_, _, kept, changed)) => {
                kept.extend(added);
                *changed = true;
            }
            None => self.add_line(parts, name, &joined(added)),
        }
        for (line, entry, kept, _) in lists.iter().filter(|(.., changed)| *changed) {
            if kept.is_empty() {
                self.edits.delete(line.whole.span().range());
            } else {
                self.edits
                    .replace(entry.value.span().range(), kept.join(", "));
            }
        }
    }

    fn entries(&self, parts: &[Part], name: &str) -> Vec<(Line<'t>, Entry<'t>)> {
        let entries = parts.iter().map(|part| self.layout.entries(*part, name));
        entries.flatten().collect()
    }

    /// A line more at the end of a section, or of one that the file does not have.
    fn add_line(&mut self, parts: &[Part], name: &str, value: &str) {
        let end = self.line_end;
        let Some(last) = parts.last().and_then(|part| self.layout.last_line(*part)) else {
            let section = format!("[Interface]{end}{name} = {value}{end}{end}");
            return self.edits.insert(self.layout.start(), section);
        };
        let text = last.whole.as_str();
        let indent = text.len() - text.trim_start_matches(is_blank).len();
        let indent = text.get(..indent).unwrap_or_default();
        let line = format!("{indent}{name} = {value}{end}");
        self.edits.insert(last.whole.span().end, line);
    }
}

fn is_link_local(address: Address) -> bool {
    matches!(address.ip(), IpAddr::V6(ip) if ip.is_unicast_link_local())
}

/// A section for a peer that the file does not have.
fn section(peer: &Peer, line_end: &str) -> String {
    let lines = [
        Some("[Peer]".to_owned()),
        Some(format!("PublicKey = {}", peer.public_key)),
        peer.preshared_key
            .as_ref()
            .map(|key| format!("PresharedKey = {}", *key.to_base64())),
        Some(joined(&peer.allowed_ips))
            .filter(|prefixes| !prefixes.is_empty())
            .map(|prefixes| format!("AllowedIPs = {prefixes}")),
        peer.endpoint.map(|at| format!("Endpoint = {at}")),
        peer.persistent_keepalive
            .map(|seconds| format!("PersistentKeepalive = {seconds}")),
    ];
    let mut section = line_end.to_owned();
    for line in lines.into_iter().flatten() {
        section += &line;
        section += line_end;
    }
    section
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}
