//! What runs, written into the file: only what changed, and there where it stands.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::document::Section;
use super::edit::{Edit, joined};
use super::layout::{Layout, Part};
use super::model::{self, Config, Endpoint};
use super::span::Spanned;
use super::values;
use crate::key::PresharedKey;
use crate::net::{Address, FwMark, Prefix};
use crate::state::{Peer, State};

/// The file's text with what runs: `config` is what the text says, `now` what is found of it.
///
/// Comments, order and spacing stay. So do host names, keys from files or hooks, and what the file leaves to wgq or the
/// kernel to choose: port, mark and MTU change only where the file has one.
pub fn save(text: &str, config: &Config, now: &State) -> String {
    let line_end = line_end(text);
    let ended = ended(text, line_end);
    let saved = edit(&Layout::of(&ended), line_end, config, now, ended.len()).apply(&ended);
    match saved.strip_suffix(line_end) {
        Some(unended) if ended.len() > text.len() => unended.to_owned(),
        _ => saved,
    }
}

/// What [`save`] would change, in the form of `diff -U0`, without the two lines on files; nothing if that is nothing.
/// Secret keys are hidden.
pub fn show_save(text: &str, config: &Config, now: &State) -> String {
    let line_end = line_end(text);
    let ended = ended(text, line_end);
    edit(&Layout::of(&ended), line_end, config, now, ended.len()).show(&ended)
}

/// How the lines of a text end.
pub(super) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The text with an end to its last line, so that lines are all alike.
pub(super) fn ended<'t>(text: &'t str, line_end: &str) -> Cow<'t, str> {
    if text.is_empty() || text.ends_with('\n') {
        text.into()
    } else {
        (text.to_owned() + line_end).into()
    }
}

/// The changes to a text of `length` bytes.
fn edit<'l, 't>(
    layout: &'l Layout<'t>,
    line_end: &'static str,
    config: &Config,
    now: &State,
    length: usize,
) -> Edit<'l, 't> {
    let peers = &now.device.peers;
    let mut running: BTreeMap<_, _> = peers.iter().map(|peer| (peer.public_key, peer)).collect();
    let keeps = |written: &model::Peer| {
        let peer = running.get(&written.public_key.value);
        peer.is_some_and(|peer| peer.allowed_ips == written.allowed_ips)
    };
    let mut save = Save {
        layout,
        edit: Edit::of(layout, line_end),
        moved: config.peers.len() != peers.len() || !config.peers.iter().all(keeps),
    };
    save.interface(&config.interface, now);
    let parts = layout.parts_of(Section::Peer).into_iter();
    for (part, written) in parts.zip(&config.peers) {
        match running.remove(&written.public_key.value) {
            Some(peer) => save.peer(part, written, peer),
            None if written.expires.is_some() => {} // its time may be over, which is not for this to settle
            None => save.edit.delete(layout.extent(part)),
        }
    }
    let is_new = |peer: &&Peer| running.contains_key(&peer.public_key);
    for peer in peers.iter().filter(is_new) {
        save.edit.insert(length, section(peer, line_end));
    }
    save.edit
}

struct Save<'l, 't> {
    layout: &'l Layout<'t>,
    edit: Edit<'l, 't>,
    /// Whether any prefix has another peer than by the file. If none has, a line may go on naming one that a later peer
    /// names too; but it would come to have it if that peer lost it.
    moved: bool,
}

impl Save<'_, '_> {
    fn interface(&mut self, written: &model::Interface, now: &State) {
        let parts = self.layout.parts_of(Section::Interface);
        let settings = &now.device.settings;
        let key_is_elsewhere = written.private_key_file.is_some()
            || (written.private_key.is_none() && written.hooks.give_private_key());
        if let Some(key) = &settings.private_key
            && written.private_key.as_ref() != Some(key)
            && !key_is_elsewhere
        {
            self.edit.set(&parts, "PrivateKey", Some(&*key.to_base64()));
        }
        if let Some(port) = settings.listen_port
            && written
                .listen_port
                .is_some_and(|written| written != 0 && written != port)
        {
            self.edit.set(&parts, "ListenPort", Some(port));
        }
        let mark = settings.fwmark.unwrap_or(FwMark(0));
        // a full tunnel without a mark, or with the mark 0, gets one, which is not to be kept
        if written
            .fwmark
            .is_some_and(|written| written.value != FwMark(0) && written.value != mark)
        {
            let off = mark == FwMark(0);
            let mark = if off { "off".into() } else { mark.to_string() };
            self.edit.set(&parts, "FwMark", Some(mark));
        }
        if let (Some(written), Some(link)) = (written.mtu, &now.link)
            && written.value != link.settings.mtu
        {
            self.edit.set(&parts, "MTU", Some(link.settings.mtu));
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
        self.edit.set_list(
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
            self.edit.set(parts, "PresharedKey", key.as_deref());
        }
        if self.moved && self.prefixes(part) != peer.allowed_ips {
            let wanted: Vec<_> = peer.allowed_ips.iter().copied().collect();
            self.edit.set_list(
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
            self.edit.set(parts, "Endpoint", Some(at));
        }
        if written.persistent_keepalive != peer.persistent_keepalive {
            self.edit
                .set(parts, "PersistentKeepalive", peer.persistent_keepalive);
        }
    }

    /// The prefixes that a section names, whoever has them.
    fn prefixes(&self, part: Part) -> BTreeSet<Prefix> {
        let mut prefixes = BTreeSet::new();
        for (_, entry) in self.layout.entries(part, "AllowedIPs") {
            for item in values::prefixes(entry.value) {
                match item.strip_prefix('-').map(values::added_prefix) {
                    Some(removed) => removed.is_some_and(|prefix| prefixes.remove(&prefix)),
                    None => {
                        values::added_prefix(item).is_some_and(|prefix| prefixes.insert(prefix))
                    }
                };
            }
        }
        prefixes
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
