//! Networks as masks, and as the crate writes them.

use nftables::expr::{Expression, NamedExpression, Prefix};

use super::datatype::Datatype;

/// Returns the mask of a network whose length is given in bits; none if the type has none of that length.
pub(super) fn mask(datatype: Datatype, len: u32) -> Option<Vec<u8>> {
    let bits = 0..8 * u32::try_from(datatype.len()).ok()?;
    let ones = bits.step_by(8).map(|start| len.saturating_sub(start));
    let mask = ones
        .map(|ones| !u8::MAX.checked_shr(ones).unwrap_or(0))
        .collect::<Vec<_>>();
    (datatype.is_address() && prefix_len(&mask) == Some(len)).then_some(mask)
}

/// Returns how many bits a mask has, if they are its first ones.
pub(super) fn prefix_len(mask: &[u8]) -> Option<u32> {
    let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let mut rest = ones;
    let is_prefix = mask.iter().all(|byte| {
        let here = rest.min(8);
        rest -= here;
        byte.leading_ones() == here
    });
    is_prefix.then_some(ones)
}

/// Writes an address and the length of its network.
pub(super) fn network(datatype: Datatype, address: &[u8], len: u32) -> Option<Expression<'static>> {
    Some(Expression::Named(NamedExpression::Prefix(Prefix {
        addr: Box::new(datatype.decode(address)?),
        len,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_its_ones_first() {
        assert_eq!(mask(Datatype::Ipv4, 0), Some(vec![0, 0, 0, 0]));
        assert_eq!(mask(Datatype::Ipv4, 17), Some(vec![0xff, 0xff, 0x80, 0]));
        assert_eq!(mask(Datatype::Ipv4, 32), Some(vec![0xff; 4]));
        assert_eq!(mask(Datatype::Ipv4, 33), None);
        assert_eq!(mask(Datatype::Port, 8), None);
        for len in 0..=128 {
            let mask = mask(Datatype::Ipv6, len).unwrap();
            assert_eq!(prefix_len(&mask), Some(len));
        }
        for not_a_mask in [[0x7f, 0], [0xff, 0x01], [0x00, 0xff], [0xa0, 0]] {
            assert_eq!(prefix_len(&not_a_mask), None);
        }
    }
}
