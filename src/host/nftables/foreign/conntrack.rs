//! Connection tracking in rules: as nft(8) asks for it, and as iptables(8) does, by a match of its own.

use std::collections::BTreeSet;

use super::super::attribute::{Attributes, find, number, text};
use super::super::datatype::Datatype;
use super::super::instruction::{Comparison, EXPRESSION_DATA, EXPRESSION_NAME, Instruction};
use crate::foreign::Tracked;

/// `NFT_CT_*`
pub(super) const STATE: u32 = 0;
const STATUS: u32 = 2;

/// `struct xt_conntrack_mtinfo3`: the length, and where in it are which two bytes. What is before is not asked about.
const LEN: usize = 162;
const MATCH_FLAGS: usize = 146;
const INVERT_FLAGS: usize = 148;
const STATE_MASK: usize = 150;

/// The revision of the match that has this structure; in the one before the end is missing.
const REVISION: u32 = 3;

/// `XT_CONNTRACK_STATE`: the state is asked for.
const BY_STATE: u16 = 1;
/// `XT_CONNTRACK_STATE_ALIAS`: as `-m state` does.
const ALIAS: u16 = 1 << 13;

impl Tracked {
    /// `XT_CONNTRACK_STATE_*`
    fn xt_bit(self) -> u16 {
        match self {
            Self::Invalid => 1,
            Self::Established => 1 << 1,
            Self::Related => 1 << 2,
            Self::New => 1 << 3,
            Self::Snat => 1 << 6,
            Self::Dnat => 1 << 7,
            Self::Untracked => 1 << 8,
        }
    }

    /// The bit, and what it is a bit of.
    fn nft_bit(self) -> Option<(u32, u32)> {
        let bit = |key, datatype: Datatype| Some((key, datatype.symbol(self.word())?));
        bit(STATE, Datatype::CtState).or_else(|| bit(STATUS, Datatype::CtStatus))
    }
}

/// Reads bits of the state, or of the status; none if one is not known.
pub(super) fn of_bits(key: u32, bits: u32) -> Option<BTreeSet<Tracked>> {
    decode(bits, |tracked| {
        tracked.nft_bit().filter(|it| it.0 == key).map(|it| it.1)
    })
}

/// Returns what the bits stand for; none if one is left, or there is none.
fn decode(bits: u32, bit: impl Fn(Tracked) -> Option<u32>) -> Option<BTreeSet<Tracked>> {
    let has = |tracked: &Tracked| bit(*tracked).is_some_and(|bit| bits & bit != 0);
    let found: BTreeSet<Tracked> = Tracked::ALL.into_iter().filter(has).collect();
    let known = found.iter().filter_map(|it| bit(*it));
    (bits != 0 && known.fold(0, |known, bit| known | bit) == bits).then_some(found)
}

/// Asks for any of these, as nft(8) does; all must be of the state, or all of the status.
pub(super) fn instructions(tracked: &BTreeSet<Tracked>) -> Vec<Instruction> {
    let bits: Vec<(u32, u32)> = tracked.iter().filter_map(|it| it.nft_bit()).collect();
    let Some(&(key, _)) = bits.first() else {
        return Vec::new();
    };
    let mask = bits.iter().fold(0, |mask, (_, bit)| mask | bit);
    vec![
        Instruction::Ct { key },
        Instruction::Mask {
            mask: mask.to_ne_bytes().to_vec(),
        },
        Instruction::Compare {
            how: Comparison::NotEqual,
            value: vec![0; size_of::<u32>()],
        },
    ]
}

/// Asks for any of these, as `-m conntrack --ctstate` does: nft(8)'s way is one that iptables(8) cannot show.
pub(super) fn xt_match(tracked: &BTreeSet<Tracked>) -> Attributes {
    let mask = tracked.iter().fold(0, |mask, it| mask | it.xt_bit());
    // as long as the compiler of the kernel makes it, with the alignment of its largest numbers
    let mut info = vec![0; LEN.next_multiple_of(align_of::<u64>())];
    for (at, value) in [(MATCH_FLAGS, BY_STATE), (STATE_MASK, mask)] {
        for (byte, value) in info.iter_mut().skip(at).zip(value.to_ne_bytes()) {
            *byte = value;
        }
    }
    let data = Attributes::new().text(1, "conntrack").number(2, REVISION);
    Attributes::new()
        .text(EXPRESSION_NAME, "match")
        .nested(EXPRESSION_DATA, &data.bytes(3, &info))
}

/// Reads a match of iptables(8); none if it is another one, or asks for more than any of these.
pub(super) fn of_xt_match(data: &[u8]) -> Option<BTreeSet<Tracked>> {
    let revision = find(data, 2).and_then(number)?;
    let is_known = find(data, 1).map(text)? == "conntrack" && matches!(revision, 2 | REVISION);
    let info = find(data, 3).filter(|_| is_known)?;
    let field = |at| {
        let bytes = info.get(at..)?.first_chunk()?;
        Some(u16::from_ne_bytes(*bytes))
    };
    let is_by_state = field(MATCH_FLAGS)? & !ALIAS == BY_STATE && field(INVERT_FLAGS)? == 0;
    let mask = field(STATE_MASK).filter(|_| is_by_state)?;
    decode(mask.into(), |tracked| Some(tracked.xt_bit().into()))
}

#[cfg(test)]
mod tests;
