//! WireGuard's messages, wiped from memory when dropped, as they may hold keys.

use netlink_packet_core::{DecodeError, ParseableParametrized};
use netlink_packet_generic::GenlMessage;
use netlink_packet_wireguard::{
    WireguardAttribute, WireguardCmd, WireguardMessage, WireguardPeerAttribute,
};
use zeroize::Zeroize;

use crate::host::netlink::Message;

/// A message to or from WireGuard. It has no `Debug`, for the message's own prints keys.
pub(super) struct Secrets(GenlMessage<WireguardMessage>);

impl Secrets {
    /// A message of the given content.
    pub(super) fn new(cmd: WireguardCmd, attributes: Vec<WireguardAttribute>) -> Self {
        Self(GenlMessage::from_payload(WireguardMessage {
            cmd,
            attributes,
        }))
    }

    /// Reads what follows the netlink header of an answer.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let family = 0; // which is known, and of no matter here
        GenlMessage::parse_with_param(payload, family).map(Self)
    }

    /// Returns what to send to the family of that number.
    pub(super) fn into_message(mut self, family: u16) -> Message {
        self.0.set_resolved_family_id(family);
        Message::new(&self.0, 0)
    }

    pub(super) fn attributes(&self) -> &[WireguardAttribute] {
        &self.0.payload.attributes
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        for attribute in &mut self.0.payload.attributes {
            if let WireguardAttribute::PrivateKey(key) = attribute {
                key.zeroize();
            }
            if let WireguardAttribute::Peers(peers) = attribute {
                for attribute in peers.iter_mut().flat_map(|peer| &mut peer.0) {
                    if let WireguardPeerAttribute::PresharedKey(key) = attribute {
                        key.zeroize();
                    }
                }
            }
        }
    }
}
