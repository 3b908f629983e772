//! Anonymous sets: what a rule compares with several values at once.
//!
//! A set with ranges has, for each of them, an element where it starts and one behind its end, and one more at zero where
//! nothing starts there.

use nftables::expr::{Expression, NamedExpression, Range, SetItem};

use super::attribute::{Attributes, attributes, find, number};
use super::datatype::Datatype;
use super::prefix::{mask, network, prefix_len};

/// `NFT_SET_ANONYMOUS`, `NFT_SET_CONSTANT` and `NFT_SET_INTERVAL`
const ANONYMOUS: u32 = 1;
const CONSTANT: u32 = 2;
const INTERVAL: u32 = 4;
/// `NFT_SET_ELEM_INTERVAL_END`
const INTERVAL_END: u32 = 1;

/// How many bytes of elements are put in one message; an attribute has at most 64 KiB.
const BYTES_PER_MESSAGE: usize = 32 << 10;

/// A set that lives in one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AnonymousSet {
    datatype: Datatype,
    /// In order.
    elements: Vec<Element>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Element {
    key: Vec<u8>,
    /// Whether a range ends before this one.
    ends: bool,
}

impl AnonymousSet {
    /// The name by which the kernel is asked to choose one.
    pub(super) const NAME: &str = "__set%d";

    /// A set of these values; none if one is no value of the type, or if two touch each other and should be one.
    pub(super) fn encode(datatype: Datatype, items: &[SetItem<'_>]) -> Option<Self> {
        let mut ranges = items
            .iter()
            .map(|item| match item {
                SetItem::Element(value) => range(datatype, value),
                SetItem::Mapping(..) | SetItem::MappingStatement(..) => None,
            })
            .collect::<Option<Vec<_>>>()?;
        ranges.sort();
        let mut elements = Vec::new();
        if ranges.iter().all(|(low, high)| low == high) {
            elements.extend(
                ranges
                    .into_iter()
                    .map(|(key, _)| Element { key, ends: false }),
            );
            elements.dedup();
        } else {
            let mut open = Some(vec![0; datatype.len()]); // where nothing is, from here on
            for (low, high) in ranges {
                let gap = open.filter(|open| *open < low || elements.is_empty())?;
                if gap < low {
                    elements.push(Element {
                        key: gap,
                        ends: true,
                    });
                }
                elements.push(Element {
                    key: low,
                    ends: false,
                });
                open = successor(&high);
            }
            elements.extend(open.map(|key| Element { key, ends: true }));
        }
        Some(Self { datatype, elements })
    }

    /// Returns the values in order.
    pub(super) fn decode(&self) -> Option<Vec<SetItem<'static>>> {
        let datatype = self.datatype;
        let mut values = Vec::new();
        if self.has_ranges() {
            let mut elements = self.elements.iter().peekable();
            while let Some(element) = elements.next() {
                if !element.ends {
                    let end = elements.peek();
                    let high = end.map_or(Some(vec![0xff; element.key.len()]), |end| {
                        predecessor(&end.key)
                    })?;
                    values.push(value_of_range(datatype, &element.key, &high)?);
                }
            }
        } else {
            let mut keys: Vec<_> = self.elements.iter().map(|element| &element.key).collect();
            keys.sort_by_key(|key| datatype.rank(key));
            for key in keys {
                values.push(datatype.decode(key)?);
            }
        }
        Some(values.into_iter().map(SetItem::Element).collect())
    }

    fn has_ranges(&self) -> bool {
        self.elements.iter().any(|element| element.ends)
    }

    /// Describes the set for `NFT_MSG_NEWSET`; in the transaction it is known by its number.
    pub(super) fn declaration(&self, table: &str, id: u32) -> Attributes {
        let intervals = if self.has_ranges() { INTERVAL } else { 0 };
        let size = Attributes::new().number(1, saturating(self.elements.len()));
        Attributes::new()
            .text(1, table)
            .text(2, Self::NAME)
            .number(3, ANONYMOUS | CONSTANT | intervals)
            .number(4, self.datatype.number())
            .number(5, saturating(self.datatype.len()))
            .nested(9, &size)
            .number(10, id)
            .bytes(13, &byte_order(self.datatype))
    }

    /// Describes the elements for as many `NFT_MSG_NEWSETELEM` as it takes.
    pub(super) fn contents(&self, table: &str, id: u32) -> Vec<Attributes> {
        let mut lists = vec![Attributes::new()];
        for element in &self.elements {
            let key = Attributes::new().bytes(1, &element.key);
            let mut one = Attributes::new().nested(1, &key);
            if element.ends {
                one = one.number(3, INTERVAL_END);
            }
            match lists.pop() {
                Some(list) if list.len() < BYTES_PER_MESSAGE => lists.push(list.nested(1, &one)),
                full => {
                    lists.extend(full);
                    lists.push(Attributes::new().nested(1, &one));
                }
            }
        }
        let set = || Attributes::new().text(1, table).text(2, Self::NAME);
        lists
            .iter()
            .map(|list| set().nested(3, list).number(4, id))
            .collect()
    }

    /// A set as the kernel describes it, still without elements; none if it is a named one.
    pub(super) fn parse_declaration(declaration: &[u8]) -> Option<Self> {
        let field = |kind| find(declaration, kind).and_then(number);
        (field(3)? & ANONYMOUS != 0).then_some(Self {
            datatype: Datatype::of_number(field(4)?)?,
            elements: Vec::new(),
        })
    }

    /// Adds the elements of a message of the kernel.
    pub(super) fn parse_contents(&mut self, contents: &[u8]) -> Option<()> {
        for (_, element) in attributes(find(contents, 3).unwrap_or_default()) {
            let flags = find(element, 3).and_then(number).unwrap_or(0);
            self.elements.push(Element {
                key: find(find(element, 1)?, 1)?.to_vec(),
                ends: flags & INTERVAL_END != 0,
            });
        }
        self.elements.sort();
        Some(())
    }
}

/// Tells nft(8) in which order the bytes of a key are (`NFTNL_UDATA_SET_KEYBYTEORDER`): of the host (1), or of the network.
fn byte_order(datatype: Datatype) -> Vec<u8> {
    let order: u32 = if datatype.is_ordered() { 2 } else { 1 };
    [&[0, 4], order.to_ne_bytes().as_slice()].concat()
}

/// The lowest and the highest of a value's keys.
fn range(datatype: Datatype, value: &Expression<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    if let Expression::Range(range) = value {
        let [low, high] = &range.range;
        let (low, high) = (datatype.encode(low)?, datatype.encode(high)?);
        (datatype.is_ordered() && low <= high).then_some((low, high))
    } else if let Expression::Named(NamedExpression::Prefix(prefix)) = value {
        let low = datatype.encode(&prefix.addr)?;
        let mask = mask(datatype, prefix.len)?;
        let is_start = low.iter().zip(&mask).all(|(byte, mask)| byte & !mask == 0);
        let high = low.iter().zip(&mask).map(|(byte, mask)| byte | !mask);
        is_start.then_some((low.clone(), high.collect()))
    } else {
        datatype.encode(value).map(|key| (key.clone(), key))
    }
}

/// Writes a range as a single value or a prefix, if it is one, as nft(8) does.
fn value_of_range(datatype: Datatype, low: &[u8], high: &[u8]) -> Option<Expression<'static>> {
    if low == high {
        return datatype.decode(low);
    }
    let differing: Vec<_> = low.iter().zip(high).map(|(low, high)| low ^ high).collect();
    let same: Vec<_> = differing.iter().map(|bits| !bits).collect();
    let starts = low
        .iter()
        .zip(&differing)
        .all(|(low, bits)| low & bits == 0);
    match prefix_len(&same).filter(|_| starts && datatype.is_address()) {
        Some(len) => network(datatype, low, len),
        None => Some(Expression::Range(Box::new(Range {
            range: [datatype.decode(low)?, datatype.decode(high)?],
        }))),
    }
}

fn successor(key: &[u8]) -> Option<Vec<u8>> {
    step(key, 0xff, |byte| byte.wrapping_add(1))
}

fn predecessor(key: &[u8]) -> Option<Vec<u8>> {
    step(key, 0x00, |byte| byte.wrapping_sub(1))
}

/// Counts up or down by one; bytes at their limit are carried over. None beyond the last.
fn step(key: &[u8], limit: u8, count: impl Fn(u8) -> u8) -> Option<Vec<u8>> {
    let last = key.iter().rposition(|&byte| byte != limit)?;
    let mut key = key.to_vec();
    for byte in key.get_mut(last..)? {
        *byte = count(*byte);
    }
    Some(key)
}

fn saturating(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
