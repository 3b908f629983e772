//! The keys of a config file: which there are, in which section, and what reads the value of each.

use Owner::{Wg, WgQuick, Wgq};
use Repeated::{Adds, Replaces};

use super::document::Entry;
use super::model::{Interface, Peer};
use super::reader::Reader;
use super::report::Fault;
use super::span::is_blank;
use super::{endpoint, firewall, values};

/// A key that a config file may have.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) owner: Owner,
    pub(super) repeated: Repeated,
    pub(super) read: Read,
}

/// Whose key it is, which decides how freely it may be written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// wg's: blanks do not count, not inside of key and value either. The value must not be empty.
    Wg,
    /// wg-quick's: an empty value takes back what was said before, or says nothing.
    WgQuick,
    /// Ours: the value must not be empty.
    Wgq,
}

/// What a second line with the key means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeated {
    /// More of the same.
    Adds,
    /// Something else instead.
    Replaces,
}

/// The reader of the value, by the section in which the key stands.
#[derive(Clone, Copy)]
pub(super) enum Read {
    Interface(fn(&mut Interface, Entry<'_>, &mut Reader<'_>) -> Result<(), Fault>),
    Peer(fn(&mut Peer, Entry<'_>, &mut Reader<'_>) -> Result<(), Fault>),
}

/// All of them.
#[rustfmt::skip] // a table
pub(super) const KEYS: &[Key] = &[
    interface("PrivateKey", Wg, Replaces, |i, e, _| values::private_key(e.value).map(|key| i.private_key = key)),
    interface("ListenPort", Wg, Replaces, |i, e, r| endpoint::port(e.value, r.names).map(|port| i.listen_port = Some(port))),
    interface("FwMark", Wg, Replaces, |i, e, _| values::fwmark(e.value).map(|mark| i.fwmark = Some(e.value.spanned(mark)))),
    peer("PublicKey", Wg, Replaces, |p, e, _| values::public_key(e.value).map(|key| p.public_key = e.value.spanned(key))),
    peer("PresharedKey", Wg, Replaces, |p, e, _| values::preshared_key(e.value).map(|key| p.preshared_key = key)),
    peer("AllowedIPs", Wg, Adds, |p, e, r| { values::allowed_ips(p, e, r); Ok(()) }),
    peer("Endpoint", Wg, Replaces, |p, e, r| endpoint::endpoint(e.value, r).map(|to| p.endpoint = Some(e.value.spanned(to)))),
    peer("PersistentKeepalive", Wg, Replaces, |p, e, _| values::keepalive(e.value).map(|time| p.persistent_keepalive = time)),
    interface("Address", WgQuick, Adds, |i, e, r| { values::addresses(i, e, r); Ok(()) }),
    interface("DNS", WgQuick, Adds, |i, e, r| { values::dns(i, e, r); Ok(()) }),
    interface("MTU", WgQuick, Replaces, |i, e, _| values::mtu(e.value).map(|mtu| i.mtu = mtu)),
    interface("Table", WgQuick, Replaces, |i, e, r| values::table(e.value, r.names).map(|table| i.table = e.value.spanned(table))),
    interface("PreUp", WgQuick, Adds, |i, e, _| { values::hook(&mut i.hooks.pre_up, e); Ok(()) }),
    interface("PostUp", WgQuick, Adds, |i, e, _| { values::hook(&mut i.hooks.post_up, e); Ok(()) }),
    interface("PreDown", WgQuick, Adds, |i, e, _| { values::hook(&mut i.hooks.pre_down, e); Ok(()) }),
    interface("PostDown", WgQuick, Adds, |i, e, _| { values::hook(&mut i.hooks.post_down, e); Ok(()) }),
    interface("SaveConfig", WgQuick, Replaces, |i, e, _| values::choice(e.value, "true", "false").map(|save| i.save_config = save)),
    interface("PrivateKeyFile", Wgq, Replaces, |i, e, _| values::path(e.value).map(|path| i.private_key_file = Some(path))),
    interface("Metric", Wgq, Replaces, |i, e, _| values::number(e.value, 0, u32::MAX).map(|metric| i.metric = Some(metric))),
    interface("DNSRequired", Wgq, Replaces, |i, e, _| values::choice(e.value, "yes", "no").map(|required| i.dns_required = required)),
    interface("Netns", Wgq, Replaces, |i, e, _| values::netns(e.value).map(|netns| i.netns = Some(netns))),
    interface("Forward", Wgq, Replaces, |i, e, _| firewall::yes_or_no(e.value).map(|forward| i.firewall.forward = Some(forward))),
    interface("Masquerade", Wgq, Replaces, |i, e, _| firewall::masquerade(e.value).map(|masquerade| i.firewall.masquerade = masquerade)),
    interface("OpenPort", Wgq, Replaces, |i, e, _| firewall::yes_or_no(e.value).map(|open| i.firewall.open_port = open)),
    interface("PortForward", Wgq, Adds, |i, e, _| firewall::port_forward(e.value).map(|forward| i.firewall.port_forwards.push(forward))),
    interface("ClampMSS", Wgq, Replaces, |i, e, _| firewall::yes_or_no(e.value).map(|clamp| i.firewall.clamp_mss = Some(clamp))),
    interface("Isolate", Wgq, Replaces, |i, e, _| firewall::yes_or_no(e.value).map(|isolate| i.firewall.isolate = isolate)),
    interface("KillSwitch", Wgq, Replaces, |i, e, _| firewall::yes_or_no(e.value).map(|kill| i.firewall.kill_switch = kill)),
    interface("ExcludeIPs", Wgq, Adds, |i, e, r| { firewall::exclude_ips(i, e, r); Ok(()) }),
    interface("KeepInbound", Wgq, Replaces, |i, e, _| firewall::yes_or_no(e.value).map(|keep| i.firewall.keep_inbound = keep)),
    peer("Expires", Wgq, Replaces, |p, e, _| values::time(e.value).map(|time| p.expires = Some(e.value.spanned(time)))),
    peer("PresharedKeyFile", Wgq, Replaces, |p, e, _| values::path(e.value).map(|path| p.preshared_key_file = Some(path))),
];

const fn interface(
    name: &'static str,
    owner: Owner,
    repeated: Repeated,
    read: fn(&mut Interface, Entry<'_>, &mut Reader<'_>) -> Result<(), Fault>,
) -> Key {
    Key {
        name,
        owner,
        repeated,
        read: Read::Interface(read),
    }
}

const fn peer(
    name: &'static str,
    owner: Owner,
    repeated: Repeated,
    read: fn(&mut Peer, Entry<'_>, &mut Reader<'_>) -> Result<(), Fault>,
) -> Key {
    Key {
        name,
        owner,
        repeated,
        read: Read::Peer(read),
    }
}

impl Key {
    /// The section it belongs to, as it is written.
    pub(super) fn section(&self) -> &'static str {
        match self.read {
            Read::Interface(_) => "[Interface]",
            Read::Peer(_) => "[Peer]",
        }
    }

    /// Whether this is how the key is written in a file.
    pub(super) fn is(&self, written: &str) -> bool {
        if self.owner == Owner::Wg {
            let solid = written.bytes().filter(|&byte| !is_blank(byte.into()));
            solid
                .map(|byte| byte.to_ascii_lowercase())
                .eq(self.name.bytes().map(|byte| byte.to_ascii_lowercase()))
        } else {
            written.eq_ignore_ascii_case(self.name)
        }
    }

    /// Whether its value is a secret, or may be one in the wrong place.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.name, "PrivateKey" | "PresharedKey" | "PublicKey")
    }
}

/// Every key that a config file may have, with its section: `("[Interface]", "PrivateKey")`.
pub fn known_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEYS.iter().map(|key| (key.section(), key.name))
}

/// The key that is written so, if there is one.
pub(super) fn find(written: &str) -> Option<&'static Key> {
    let first = written.bytes().next()?;
    let begins = |key: &Key| {
        key.name
            .bytes()
            .next()
            .is_some_and(|it| it.eq_ignore_ascii_case(&first))
    };
    KEYS.iter().find(|key| begins(key) && key.is(written))
}

/// The key that was probably meant.
pub(super) fn nearest(written: &str) -> Option<&'static Key> {
    let written = written.to_ascii_lowercase().replace(is_blank, "");
    let distance =
        |key: &&Key| strsim::damerau_levenshtein(&written, &key.name.to_ascii_lowercase());
    let near = KEYS.iter().min_by_key(distance);
    near.filter(|key| distance(key) <= 1 + written.len() / 4)
        .or_else(|| {
            let part = |key: &&Key| key.name.to_ascii_lowercase().contains(&written);
            KEYS.iter().find(part).filter(|_| written.len() > 3)
        })
}

/// Whether a text that stands where a key should is one by its looks. What is not may be a piece of a secret.
pub(super) fn is_word(written: &str) -> bool {
    written.starts_with(|c: char| c.is_ascii_alphabetic())
        && written.len() <= 30
        && written
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '))
}
