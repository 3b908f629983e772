//! The instructions of the kernel's machine for rules: each loads a register, tests it, or does something with it.
//!
//! Numbers are those of `linux/netfilter/nf_tables.h`. Values pass through the first register, as in nft(8)'s own rules.

use std::collections::BTreeMap;

use super::attribute::{Attributes, attributes, find, number, text};
use super::set::AnonymousSet;

/// `NFT_REG_1`; there are four, of 16 bytes each.
const REGISTER: u32 = 1;
/// `NFTA_LIST_ELEM`
pub(super) const LIST_ELEMENT: u16 = 1;
/// `NFTA_EXPR_NAME`
pub(super) const EXPRESSION_NAME: u16 = 1;
/// `NFTA_EXPR_DATA`
pub(super) const EXPRESSION_DATA: u16 = 2;
/// `NFTA_DATA_VALUE`
const DATA_VALUE: u16 = 1;
/// `NFTA_DATA_VERDICT`
const DATA_VERDICT: u16 = 2;

/// One step of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Instruction {
    /// Loads packet metadata (`NFT_META_*`).
    Meta { key: u32 },
    /// Stores the register as packet metadata.
    SetMeta { key: u32 },
    /// Loads what connection tracking knows (`NFT_CT_*`).
    Ct { key: u32 },
    /// Stores the register in the connection.
    SetCt { key: u32 },
    /// Loads bytes of the packet, from the start of a header (`NFT_PAYLOAD_*_HEADER`).
    Payload { base: u32, offset: u32, len: u32 },
    /// Loads the type of an address, as the routing tables have it (`NFTA_FIB_F_*`).
    AddressType { flags: u32 },
    /// Loads the largest TCP segment that the packet's route takes.
    RouteMss,
    /// Turns a 16-bit number into network order.
    HostToNetwork,
    /// Stores the register in the TCP option for the largest segment, if that is there and larger.
    SetMss,
    /// Clears bits of the register.
    Mask { mask: Vec<u8> },
    /// Ends the rule unless the register compares so.
    Compare { how: Comparison, value: Vec<u8> },
    /// Ends the rule unless the register is in the set, or is not.
    Lookup { inverted: bool, set: AnonymousSet },
    /// Loads a constant into the register of this number.
    Value { register: u32, value: Vec<u8> },
    /// Decides on the packet (`NF_*`, `NFT_*`), or goes on in another chain.
    Verdict { code: u32, chain: Option<String> },
    /// Rewrites addresses and ports with those in the registers, addresses first; two of a kind are a range.
    Nat {
        kind: u32,
        family: u32,
        addresses: u32,
        ports: u32,
        flags: u32,
    },
    /// Rewrites the source with an address of the interface that the packet leaves by.
    Masquerade { flags: u32 },
    /// Drops the packet with an ICMP error of either family (`NFT_REJECT_ICMPX_*`).
    Reject { code: u8 },
}

/// How a register compares with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    AtMost,
    AtLeast,
}

impl Comparison {
    const ALL: [Self; 4] = [Self::Equal, Self::NotEqual, Self::AtMost, Self::AtLeast];

    /// `enum nft_cmp_ops`
    fn number(self) -> u32 {
        match self {
            Self::Equal => 0,
            Self::NotEqual => 1,
            Self::AtMost => 3,
            Self::AtLeast => 5,
        }
    }
}

impl Instruction {
    /// Appends the instruction to a rule's list; a looked-up set is named by the number it has in the transaction.
    pub(super) fn append_to(&self, list: Attributes, set_id: u32) -> Attributes {
        let (name, data) = self.name_and_data(set_id);
        let expression = Attributes::new()
            .text(EXPRESSION_NAME, name)
            .nested(EXPRESSION_DATA, &data);
        list.nested(LIST_ELEMENT, &expression)
    }

    /// The kernel's name of the instruction, and its attributes.
    fn name_and_data(&self, set_id: u32) -> (&'static str, Attributes) {
        let data = Attributes::new();
        match self {
            Self::Meta { key } => ("meta", data.number(1, REGISTER).number(2, *key)),
            Self::SetMeta { key } => ("meta", data.number(2, *key).number(3, REGISTER)),
            Self::Ct { key } => ("ct", data.number(1, REGISTER).number(2, *key)),
            Self::SetCt { key } => ("ct", data.number(2, *key).number(4, REGISTER)),
            Self::Payload { base, offset, len } => {
                let data = data.number(1, REGISTER).number(2, *base);
                ("payload", data.number(3, *offset).number(4, *len))
            }
            Self::AddressType { flags } => (
                "fib",
                data.number(1, REGISTER).number(2, 3).number(3, *flags),
            ),
            Self::RouteMss => ("rt", data.number(1, REGISTER).number(2, 3)),
            Self::HostToNetwork => {
                let data = data.number(1, REGISTER).number(2, REGISTER).number(3, 1);
                ("byteorder", data.number(4, 2).number(5, 2))
            }
            Self::SetMss => {
                // TCP option 2, the two bytes after its header; with a source register there must be no flags
                let data = data.bytes(2, &[2]).number(3, 2).number(4, 2);
                ("exthdr", data.number(6, 1).number(7, REGISTER))
            }
            Self::Mask { mask } => {
                let len = u32::try_from(mask.len()).unwrap_or(u32::MAX);
                let data = data.number(1, REGISTER).number(2, REGISTER).number(3, len);
                let zeros = vec![0; mask.len()];
                ("bitwise", with_value(with_value(data, 4, mask), 5, &zeros))
            }
            Self::Compare { how, value } => {
                let data = data.number(1, REGISTER).number(2, how.number());
                ("cmp", with_value(data, 3, value))
            }
            Self::Lookup { inverted, set: _ } => {
                let data = data.text(1, AnonymousSet::NAME).number(2, REGISTER);
                let data = data.number(4, set_id);
                ("lookup", if *inverted { data.number(5, 1) } else { data })
            }
            Self::Value { register, value } => {
                ("immediate", with_value(data.number(1, *register), 2, value))
            }
            Self::Verdict { code, chain } => {
                let mut verdict = Attributes::new().number(1, *code);
                if let Some(chain) = chain {
                    verdict = verdict.text(2, chain);
                }
                let verdict = Attributes::new().bytes(DATA_VERDICT, &verdict.into_bytes());
                let data = data.number(1, 0); // NFT_REG_VERDICT
                ("immediate", data.bytes(2, &verdict.into_bytes()))
            }
            Self::Nat {
                kind,
                family,
                addresses,
                ports,
                flags,
            } => {
                let mut data = data.number(1, *kind).number(2, *family);
                let kinds = (3..)
                    .take(count(*addresses))
                    .chain((5..).take(count(*ports)));
                for (kind, register) in kinds.zip(REGISTER..) {
                    data = data.number(kind, register);
                }
                (
                    "nat",
                    if *flags == 0 {
                        data
                    } else {
                        data.number(7, *flags)
                    },
                )
            }
            Self::Masquerade { flags: 0 } => ("masq", data),
            Self::Masquerade { flags } => ("masq", data.number(1, *flags)),
            Self::Reject { code } => ("reject", data.number(1, 2).bytes(2, &[*code])),
        }
    }

    /// Reads a rule's list; `set` finds the looked-up sets. None if there is anything in it that wgq does not make.
    pub(super) fn parse_list(
        list: &[u8],
        set: impl Fn(&str) -> Option<AnonymousSet>,
    ) -> Option<Vec<Self>> {
        attributes(list)
            .map(|(_, expression)| Self::parse(expression, &set))
            .collect()
    }

    pub(super) fn parse(
        expression: &[u8],
        set: impl Fn(&str) -> Option<AnonymousSet>,
    ) -> Option<Self> {
        let name = text(find(expression, EXPRESSION_NAME)?);
        let data = find(expression, EXPRESSION_DATA).unwrap_or_default();
        let guess = Self::guess(&name, data, set)?;
        // the rest of the attributes must be what wgq would make too
        let (same, made) = guess.name_and_data(0);
        (same == name && canonical(&name, &made.into_bytes()) == canonical(&name, data))
            .then_some(guess)
    }

    fn guess(name: &str, data: &[u8], set: impl Fn(&str) -> Option<AnonymousSet>) -> Option<Self> {
        let field = |kind| find(data, kind).and_then(number);
        let value = |kind| find(find(data, kind)?, DATA_VALUE).map(<[u8]>::to_vec);
        let registers = |from, to| match (field(from), field(to)) {
            (None, _) => 0,
            (from, to) if to.is_none() || from == to => 1,
            _ => 2,
        };
        Some(match name {
            "meta" if field(3).is_some() => Self::SetMeta { key: field(2)? },
            "meta" => Self::Meta { key: field(2)? },
            "ct" if field(4).is_some() => Self::SetCt { key: field(2)? },
            "ct" => Self::Ct { key: field(2)? },
            "payload" => Self::Payload {
                base: field(2)?,
                offset: field(3)?,
                len: field(4)?,
            },
            "fib" => Self::AddressType { flags: field(3)? },
            "rt" => Self::RouteMss,
            "byteorder" => Self::HostToNetwork,
            "exthdr" => Self::SetMss,
            "bitwise" => Self::Mask { mask: value(4)? },
            "cmp" => Self::Compare {
                how: Comparison::ALL
                    .into_iter()
                    .find(|how| Some(how.number()) == field(2))?,
                value: value(3)?,
            },
            "lookup" => Self::Lookup {
                inverted: field(5) == Some(1),
                set: set(&text(find(data, 1)?))?,
            },
            "immediate" => match find(find(data, 2)?, DATA_VERDICT) {
                Some(verdict) => Self::Verdict {
                    code: find(verdict, 1).and_then(number)?,
                    chain: find(verdict, 2).map(text),
                },
                None => Self::Value {
                    register: field(1)?,
                    value: value(2)?,
                },
            },
            "nat" => Self::Nat {
                kind: field(1)?,
                family: field(2)?,
                addresses: registers(3, 4),
                ports: registers(5, 6),
                flags: field(7).unwrap_or(0) & !IMPLIED_NAT_FLAGS,
            },
            "masq" => Self::Masquerade {
                flags: field(1).unwrap_or(0),
            },
            "reject" => Self::Reject {
                code: *find(data, 2)?.first()?,
            },
            _ => return None,
        })
    }
}

/// `NF_NAT_RANGE_MAP_IPS` and `NF_NAT_RANGE_PROTO_SPECIFIED`: that there are addresses and ports.
const IMPLIED_NAT_FLAGS: u32 = 0b11;

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn with_value(data: Attributes, kind: u16, value: &[u8]) -> Attributes {
    data.bytes(
        kind,
        &Attributes::new().bytes(DATA_VALUE, value).into_bytes(),
    )
}

/// Brings what is sent and what the kernel lists into one form: it says zero where nothing was said, and leaves some out.
fn canonical<'a>(name: &str, data: &'a [u8]) -> BTreeMap<u16, &'a [u8]> {
    let mut found: BTreeMap<_, _> = attributes(data)
        .filter(|(_, value)| value.iter().any(|&byte| byte != 0))
        .collect();
    match name {
        "lookup" => found.retain(|kind, _| !matches!(kind, 1 | 4)), // compared by what is in it
        "nat" => {
            for (from, to) in [(3, 4), (5, 6)] {
                if found.get(&from) == found.get(&to) {
                    found.remove(&to);
                }
            }
            found.remove(&7);
        }
        _ => {}
    }
    found
}
