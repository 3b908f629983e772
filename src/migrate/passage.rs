//! Which forwarded connections begin to pass, by rules of a firewall and by keys.

use super::fact::{Interface, Is};
use super::wish::{Context, Wish};
use crate::config::{Firewall, Masquerade};
use crate::net::Ifname;

/// What a rule lets pass, by the interfaces on both sides; none is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) input: Option<Is<Interface>>,
    pub(super) output: Option<Is<Interface>>,
}

/// A way through the host with the tunnel at one end or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// From peer to peer.
    Between,
    /// From peers, by another interface.
    Out(String),
    /// From another interface to peers.
    In(String),
}

/// What keys let pass where a firewall drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub(super) struct Opening {
    /// `Forward`: everything from and to the tunnel.
    pub(super) forward: bool,
    /// `Masquerade` by other interfaces: everything from the tunnel.
    pub(super) out: bool,
    /// `Masquerade` by the tunnel: everything to it.
    pub(super) into: bool,
    isolate: bool,
}

impl Passage {
    /// Whether it may be about the tunnel at all.
    pub(super) fn has_tunnel(&self) -> bool {
        admits(self.input.as_ref(), None) || admits(self.output.as_ref(), None)
    }

    /// Whether a side of it is the tunnel and nothing else.
    pub(super) fn names_tunnel(&self) -> bool {
        is_tunnel(self.input.as_ref()) || is_tunnel(self.output.as_ref())
    }

    /// Whether something passes that does not go to the tunnel.
    fn leaves(&self) -> bool {
        admits(self.input.as_ref(), None) && !is_tunnel(self.output.as_ref())
    }

    /// Whether something passes to the tunnel that does not come from it.
    pub(super) fn enters(&self) -> bool {
        admits(self.output.as_ref(), None) && !is_tunnel(self.input.as_ref())
    }

    /// Whether it is a part of that way.
    pub(super) fn is_on(&self, way: &Way) -> bool {
        let (from, to) = match way {
            Way::Between => (None, None),
            Way::Out(name) => (None, Some(name.as_str())),
            Way::In(name) => (Some(name.as_str()), None),
        };
        admits(self.input.as_ref(), from) && admits(self.output.as_ref(), to)
    }
}

impl Way {
    /// The other interface, if peers reach it this way.
    fn leaving(&self) -> Option<&str> {
        if let Self::Out(name) = self {
            Some(name)
        } else {
            None
        }
    }

    /// The other interface, if it reaches peers this way.
    fn coming(&self) -> Option<&str> {
        if let Self::In(name) = self {
            Some(name)
        } else {
            None
        }
    }

    /// Some ways of all, in words; none if there are none.
    pub(super) fn in_words(ways: &[&Self], all: &[Self]) -> Option<String> {
        let has_all = |into: bool| {
            let mut side = all.iter().filter(|way| way.coming().is_some() == into);
            side.all(|way| ways.contains(&way))
        };
        let outs: Vec<&str> = ways.iter().filter_map(|way| way.leaving()).collect();
        let ins: Vec<&str> = ways.iter().filter_map(|way| way.coming()).collect();
        let between = ways.contains(&&Self::Between);
        let mut told = Vec::new();
        if (between || !outs.is_empty()) && has_all(false) {
            told.push("from peers".to_owned());
        } else {
            told.extend(between.then(|| "from peer to peer".to_owned()));
            let names = (!outs.is_empty()).then(|| outs.join(", "));
            told.extend(names.map(|names| format!("from peers to {names}")));
        }
        if !ins.is_empty() {
            told.push(if has_all(true) {
                "to peers".to_owned()
            } else {
                format!("from {} to peers", ins.join(", "))
            });
        }
        (!told.is_empty()).then(|| told.join(", "))
    }
}

/// Whether an interface is one that a rule asks for: another of that name, or the tunnel.
pub(super) fn admits(asked: Option<&Is<Interface>>, name: Option<&str>) -> bool {
    asked.is_none_or(|is| {
        let same = match (&is.value, name) {
            (Interface::Tunnel, None) => true,
            (Interface::Named(asked), Some(name)) => asked == name,
            (Interface::Pattern(begin), Some(name)) => name.starts_with(begin),
            _ => false,
        };
        same != is.not
    })
}

pub(super) fn is_tunnel(interface: Option<&Is<Interface>>) -> bool {
    interface.is_some_and(|is| !is.not && is.value == Interface::Tunnel)
}

impl Opening {
    /// By the keys of the file.
    pub(super) fn given(firewall: &Firewall, ifname: Ifname) -> Self {
        let masquerade = &firewall.masquerade.value;
        let by = |is_own: bool| matches!(masquerade, Masquerade::By(names) if names.iter().any(|name| (*name == ifname) == is_own));
        Self {
            forward: firewall.forward.is_some_and(|forward| forward.value),
            out: *masquerade == Masquerade::Anywhere || by(false),
            into: by(true),
            isolate: firewall.isolate.value,
        }
    }

    /// By the keys of the file and those that are to be.
    pub(super) fn wanted(wishes: &[Wish], context: Context<'_>) -> Self {
        let firewall = &context.config.interface.firewall;
        let mut opening = Self::given(firewall, context.ifname);
        let by = wishes.iter().filter_map(|wish| {
            if let Wish::Masquerade(by) = wish {
                Some(*by)
            } else {
                None
            }
        });
        for by in by {
            if by == Some(context.ifname) {
                opening.into = true;
            } else {
                opening.out = true;
            }
        }
        opening.isolate |= wishes.contains(&Wish::Isolate);
        let redirects = |wish: &Wish| matches!(wish, Wish::PortForward(_));
        let forwards = opening.out
            || opening.into
            || !firewall.port_forwards.is_empty()
            || wishes.iter().any(redirects);
        let lacks = |passage: &Passage| {
            let (leaves, enters) = (passage.leaves(), passage.enters());
            let between = !leaves && !enters && !opening.out && !opening.into;
            (leaves && !opening.out) || (enters && !opening.into) || between
        };
        let needs_forward = |wish: &Wish| {
            let lacking = matches!(wish, Wish::Pass(passages) if passages.iter().any(lacks));
            lacking || (*wish == Wish::Forwarding && !forwards)
        };
        opening.forward |= wishes.iter().any(needs_forward);
        opening
    }

    /// Whether all that goes this way passes.
    pub(super) fn lets(self, way: &Way) -> bool {
        match way {
            Way::Between => (self.forward || self.out || self.into) && !self.isolate,
            Way::Out(_) => self.forward || self.out,
            Way::In(_) => self.forward || self.into,
        }
    }
}
