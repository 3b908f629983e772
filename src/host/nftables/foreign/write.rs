//! What wgq's own rule in another program's chain is made of.

use super::super::attribute::Attributes;
use super::super::compile::ACCEPT;
use super::super::instruction::{
    Comparison, EXPRESSION_DATA, EXPRESSION_NAME, Instruction, LIST_ELEMENT,
};
use super::conntrack;
use super::rule::{DESTINATION_PORT, IFNAME_LEN, IIFNAME, L4PROTO, OIFNAME};
use crate::foreign::{Accept, Connections, Packets, Tool, UDP};
use crate::net::Ifname;

/// Returns the instructions of the rule. iptables(8) counts in every rule of its own, and shows what was counted.
pub(super) fn instructions(accept: &Accept) -> Attributes {
    let list = match accept.packets {
        Packets::From(of) => connections(of, accept.tool, by(IIFNAME, accept.ifname)),
        Packets::To(of) => connections(of, accept.tool, by(OIFNAME, accept.ifname)),
        Packets::Port(port) => list([
            Instruction::Meta { key: L4PROTO },
            equal(vec![UDP]),
            DESTINATION_PORT,
            equal(port.to_be_bytes().to_vec()),
        ]),
    };
    let list = match accept.tool {
        Tool::Iptables => {
            let counter = Attributes::new().text(EXPRESSION_NAME, "counter");
            let counter = counter.nested(EXPRESSION_DATA, &Attributes::new());
            list.nested(LIST_ELEMENT, &counter)
        }
        Tool::Nft => list,
    };
    let verdict = Instruction::Verdict {
        code: ACCEPT,
        chain: None,
    };
    verdict.append_to(list, 0)
}

fn list(instructions: impl IntoIterator<Item = Instruction>) -> Attributes {
    extend(Attributes::new(), instructions)
}

fn extend(list: Attributes, instructions: impl IntoIterator<Item = Instruction>) -> Attributes {
    let append = |list, instruction: Instruction| instruction.append_to(list, 0);
    instructions.into_iter().fold(list, append)
}

fn equal(value: Vec<u8>) -> Instruction {
    Instruction::Compare {
        how: Comparison::Equal,
        value,
    }
}

/// That the packet came in or leaves by the interface.
fn by(key: u32, ifname: Ifname) -> Attributes {
    let mut name = ifname.as_str().as_bytes().to_vec();
    name.resize(IFNAME_LEN, 0);
    list([Instruction::Meta { key }, equal(name)])
}

/// That the packet is of one of the connections, as the tool asks it.
fn connections(connections: Connections, tool: Tool, list: Attributes) -> Attributes {
    let tracked = connections.tracked();
    match tool {
        _ if tracked.is_empty() => list,
        Tool::Iptables => list.nested(LIST_ELEMENT, &conntrack::xt_match(&tracked)),
        Tool::Nft => extend(list, conntrack::instructions(&tracked)),
    }
}
