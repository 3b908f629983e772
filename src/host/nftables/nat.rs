//! The rewriting of addresses and ports: the crate's words and the kernel's instructions, both ways.

use nftables::expr::{Expression, Range};
use nftables::stmt::{NAT, NATFamily, NATFlag, Statement};

use super::datatype::Datatype;
use super::instruction::Instruction;

/// `NFT_NAT_SNAT` and `NFT_NAT_DNAT`
pub(super) const SNAT: u32 = 0;
pub(super) const DNAT: u32 = 1;

/// The families of addresses that are written (`NFPROTO_*`).
const FAMILIES: [(NATFamily, u32, Datatype); 2] = [
    (NATFamily::IP, 2, Datatype::Ipv4),
    (NATFamily::IP6, 10, Datatype::Ipv6),
];

/// `NF_NAT_RANGE_PROTO_RANDOM`, `_PROTO_RANDOM_FULLY` and `_PERSISTENT`
const FLAGS: [(NATFlag, u32); 3] = [
    (NATFlag::Random, 1 << 2),
    (NATFlag::FullyRandom, 1 << 4),
    (NATFlag::Persistent, 1 << 3),
];

/// Returns what loads the addresses and ports and writes them into the packet.
pub(super) fn compile(kind: u32, to: &NAT<'_>) -> Option<Vec<Instruction>> {
    let (_, family, datatype) = FAMILIES
        .into_iter()
        .find(|(family, ..)| Some(*family) == to.family)?;
    let addresses = ends(datatype, to.addr.as_ref())?;
    let ports = ends(Datatype::Port, to.port.as_ref())?;
    let nat = Instruction::Nat {
        kind,
        family,
        addresses: u32::try_from(addresses.len()).ok()?,
        ports: u32::try_from(ports.len()).ok()?,
        flags: flags(to),
    };
    let values = (1..).zip(addresses.into_iter().chain(ports));
    let loads = values.map(|(register, value)| Instruction::Value { register, value });
    Some(loads.chain([nat]).collect())
}

/// The numbers of the flags.
pub(super) fn flags(to: &NAT<'_>) -> u32 {
    let set = |flag| to.flags.as_ref().is_some_and(|flags| flags.contains(flag));
    let bits = FLAGS.iter().filter(|(flag, _)| set(flag));
    bits.map(|(_, bit)| bit).sum()
}

/// The ends of a range, or a single value, or nothing.
fn ends(datatype: Datatype, value: Option<&Expression<'_>>) -> Option<Vec<Vec<u8>>> {
    let values = match value {
        None => &[],
        Some(Expression::Range(range)) => range.range.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    values.iter().map(|value| datatype.encode(value)).collect()
}

/// Says what the instruction does with the constants in the registers.
pub(super) fn decompile(nat: &Instruction, registers: &[Vec<u8>]) -> Option<Statement<'static>> {
    let Instruction::Nat {
        kind,
        family,
        addresses,
        ports: _,
        flags,
    } = nat
    else {
        return None;
    };
    let (family, _, datatype) = FAMILIES
        .into_iter()
        .find(|(_, number, _)| number == family)?;
    let (addresses, ports) = registers.split_at_checked(usize::try_from(*addresses).ok()?)?;
    let to = NAT {
        addr: one_or_range(all(datatype, addresses)?),
        family: Some(family),
        port: one_or_range(all(Datatype::Port, ports)?),
        ..with_flags(*flags)
    };
    Some(match *kind {
        DNAT => Statement::DNAT(Some(to)),
        _ => Statement::SNAT(Some(to)),
    })
}

/// A rewriting of which nothing but the flags is said.
pub(super) fn with_flags(bits: u32) -> NAT<'static> {
    let flags = FLAGS.iter().filter(|(_, bit)| bits & bit != 0);
    NAT {
        addr: None,
        family: None,
        port: None,
        flags: (bits != 0).then(|| flags.map(|(flag, _)| *flag).collect()),
    }
}

fn all(datatype: Datatype, values: &[Vec<u8>]) -> Option<Vec<Expression<'static>>> {
    values.iter().map(|value| datatype.decode(value)).collect()
}

fn one_or_range(values: Vec<Expression<'static>>) -> Option<Expression<'static>> {
    match <[_; 2]>::try_from(values) {
        Ok(range) => Some(Expression::Range(Box::new(Range { range }))),
        Err(mut values) => values.pop(),
    }
}
