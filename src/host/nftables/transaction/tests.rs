use super::*;
use crate::host::netlink::KernelError;
use crate::host::nftables::compile::JUMP;
use crate::host::nftables::decompile::decompile;
use crate::host::nftables::instruction::Comparison;
use crate::net::FwMark;

fn full_tunnel() -> NftTable {
    let addresses = ["10.0.0.2/24".parse().unwrap()];
    NftTable::full_tunnel("wg0".parse().unwrap(), FwMark(51820), &addresses)
}

fn parts() -> Vec<Part> {
    let mut transaction = Transaction::new();
    transaction.replace(&full_tunnel()).unwrap();
    transaction.parts
}

fn hex(bytes: &[u8]) -> String {
    let words = bytes.chunks(4).map(|word| {
        let digits = word.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_table_is_replaced_in_one_go() {
    let objects: Vec<_> = parts()
        .iter()
        .map(|part| {
            format!(
                "{} {:#x} {}",
                part.message_type & 0xff,
                part.flags,
                part.object
            )
        })
        .collect();
    assert_eq!(
        objects,
        [
            "0 0x400 table inet wgq-wg0",
            "2 0x0 table inet wgq-wg0",
            "0 0x600 table inet wgq-wg0",
            "3 0xc00 chain preraw",
            "3 0xc00 chain premangle",
            "3 0xc00 chain postmangle",
            "6 0xc00 rule 1 of chain preraw",
            "6 0xc00 rule 1 of chain premangle",
            "6 0xc00 rule 1 of chain postmangle",
            "6 0xc00 rule 2 of chain postmangle",
        ]
    );
}

/// As `nft --debug=netlink` shows them.
#[test]
fn a_rule_is_made_of_the_instructions_that_nft_makes() {
    let table = full_tunnel();
    let name = |name: &str| {
        let mut name = name.as_bytes().to_vec();
        name.resize(16, 0);
        name
    };
    let compare = |how, value| Instruction::Compare { how, value };
    let expected = [
        Instruction::Meta { key: 6 },
        compare(Comparison::NotEqual, name("wg0")),
        Instruction::Meta { key: 15 },
        compare(Comparison::Equal, vec![2]),
        Instruction::Payload {
            base: 1,
            offset: 16,
            len: 4,
        },
        compare(Comparison::Equal, vec![10, 0, 0, 2]),
        Instruction::AddressType { flags: 1 },
        compare(Comparison::NotEqual, 2_u32.to_ne_bytes().to_vec()),
        Instruction::Verdict {
            code: 0,
            chain: None,
        },
    ];
    assert_eq!(compile(&table.chains[0].rules[0].expr).unwrap(), expected);
}

/// Each line is an attribute: its length and kind, and its value; those in it are on the lines after.
#[test]
#[cfg(target_endian = "little")]
fn the_bytes_of_messages_are_known() {
    let chain = [
        "01000000",
        "0c000100 7767712d 77673000",
        "0b000300 70726572 61770000",
        "14000480",
        "08000100 00000000",
        "08000200 fffffed4",
        "0b000700 66696c74 65720000",
        "08000500 00000001",
    ];
    assert_eq!(hex(&parts()[3].payload), chain.join(" "));
    let jump = Instruction::Verdict {
        code: JUMP,
        chain: Some("other".to_owned()),
    };
    let list = jump.append_to(Attributes::new(), 0).into_bytes();
    let expected = [
        "3c000180",
        "0e000100 696d6d65 64696174 65000000",
        "28000280",
        "08000100 00000000",
        "1c000200",
        "18000200",
        "08000100 fffffffd",
        "0a000200 6f746865 72000000",
    ];
    assert_eq!(hex(&list), expected.join(" "));
}

#[test]
fn a_rule_comes_back_from_its_bytes() {
    for rule in full_tunnel().chains.iter().flat_map(|chain| &chain.rules) {
        let instructions = compile(&rule.expr).unwrap();
        let list = instructions
            .iter()
            .fold(Attributes::new(), |list, one| one.append_to(list, 0));
        let parsed = Instruction::parse_list(&list.into_bytes(), |_| None).unwrap();
        assert_eq!(parsed, instructions);
        assert_eq!(decompile(&parsed).unwrap(), rule.expr.as_ref());
    }
}

/// What a kernel without `nft_fib_inet` answers: the number, and where the expression is.
#[test]
fn a_part_that_the_kernel_lacks_is_named() {
    let parts = parts();
    let rule = &parts[6];
    let name = rule.payload.windows(4).position(|bytes| bytes == b"fib\0");
    let element = name.unwrap() - 8; // before the name are two attributes' headers
    let offset = u32::try_from(16 + element).unwrap();
    let place = [&[8, 0, 2, 0], offset.to_ne_bytes().as_slice()].concat();
    let error = Error::refused(Some(rule), KernelError::refused(-libc::ENOENT, &place));
    assert_eq!(error.to_string(), "nf_tables: rule 1 of chain preraw (fib)");
    assert_eq!(
        error.hint().unwrap(),
        "this kernel lacks a part of nf_tables; `modprobe nft_fib_inet` loads it where it is built as a module"
    );
}

#[test]
fn a_kernel_without_any_tables_is_told_from_a_refusal() {
    let parts = parts();
    let refused = |errno| Error::refused_all(parts.first(), KernelError::from_errno(errno));
    let missing = refused(libc::EOPNOTSUPP);
    assert!(matches!(missing, Error::Unsupported(_)));
    assert!(missing.hint().unwrap().contains("modprobe nf_tables"));
    let denied = refused(libc::EPERM);
    assert_eq!(denied.to_string(), "nf_tables: table inet wgq-wg0");
    let unread = Error::unreadable(KernelError::from_errno(libc::EPERM));
    assert!(unread.hint().unwrap().contains("root"));
}
