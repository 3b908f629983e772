//! The match of iptables(8), byte for byte as iptables-nft 1.8.9 has written it (for `-m conntrack --ctstate ...`).

use super::*;
use crate::host::nftables::attribute::attributes;

/// The structure, all of whose other bytes are zeros, by what is in it: flags and state.
fn info(flags: u16, inverted: u16, state: u16) -> Vec<u8> {
    let mut info = vec![0; 146];
    for field in [flags, inverted, state] {
        info.extend(field.to_ne_bytes());
    }
    info.resize(if align_of::<u64>() == 8 { 168 } else { 164 }, 0);
    info
}

fn data(revision: u32, info: &[u8]) -> Vec<u8> {
    let data = Attributes::new().text(1, "conntrack");
    data.number(2, revision).bytes(3, info).into_bytes()
}

fn list(words: &str) -> BTreeSet<Tracked> {
    Tracked::parse_list(words).unwrap()
}

const KNOWN: [(&str, u16); 7] = [
    ("RELATED,ESTABLISHED", 0x06),
    ("DNAT", 0x80),
    ("SNAT", 0x40),
    ("INVALID", 0x01),
    ("NEW", 0x08),
    ("UNTRACKED", 0x100),
    ("NEW,ESTABLISHED,DNAT", 0x8a),
];

#[test]
fn a_match_is_what_iptables_writes() {
    for (words, state) in KNOWN {
        let made = xt_match(&list(words)).into_bytes();
        let parts: Vec<_> = attributes(&made).collect();
        let data = data(3, &info(1, 0, state));
        assert_eq!(parts, [(1, b"match\0".as_slice()), (2, &data)], "{words}");
        assert_eq!(of_xt_match(&data), Some(list(words)));
    }
    // all of it, as seen by strace(1)
    if cfg!(all(target_endian = "little", target_pointer_width = "64")) {
        let made = xt_match(&list("RELATED,ESTABLISHED")).into_bytes();
        let start = b"\x0a\x00\x01\x00match\x00\x00\x00\xc8\x00\x02\x80\x0e\x00\x01\x00conntrack\x00\x00\x00\x08\x00\x02\x00\x00\x00\x00\x03\xac\x00\x03\x00";
        let end = b"\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";
        assert_eq!(made, [start, [0; 146].as_slice(), end].concat());
    }
}

#[test]
fn a_match_that_asks_for_something_else_is_not_known() {
    // `-m state --state`, and the revision before
    assert_eq!(
        of_xt_match(&data(3, &info(0x2001, 0, 2))),
        Some(list("established"))
    );
    assert_eq!(
        of_xt_match(&data(2, &info(1, 0, 6))),
        Some(list("established,related"))
    );
    for (revision, info) in [
        (3, info(1, 1, 2)),      // ! --ctstate ESTABLISHED
        (3, info(3, 0, 2)),      // --ctproto tcp, too
        (3, info(1 << 6, 0, 2)), // --ctstatus alone
        (3, info(1, 0, 0)),      // none
        (3, info(1, 0, 0x202)),  // a state that is not known
        (1, info(1, 0, 2)),      // in which the state has one byte
        (3, vec![0; 12]),
    ] {
        assert_eq!(of_xt_match(&data(revision, &info)), None);
    }
    let comment = Attributes::new()
        .text(1, "comment")
        .number(2, 3)
        .bytes(3, &info(1, 0, 2));
    assert_eq!(of_xt_match(&comment.into_bytes()), None);
}

#[test]
fn bits_of_nft_are_read_as_they_are_written() {
    for words in ["established,related", "dnat", "invalid", "new,untracked"] {
        let [Instruction::Ct { key }, Instruction::Mask { mask }, _] =
            &instructions(&list(words))[..]
        else {
            panic!("{words}")
        };
        let bits = u32::from_ne_bytes(mask.as_slice().try_into().unwrap());
        assert_eq!(of_bits(*key, bits), Some(list(words)));
    }
    assert_eq!(of_bits(STATE, 0), None);
    assert_eq!(of_bits(STATE, 0x82), None);
    assert_eq!(of_bits(STATUS, 0x04), None); // seen-reply
    assert_eq!(of_bits(7, 2), None);
}
