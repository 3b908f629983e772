//! From a rule in the crate's words to the kernel's instructions, as nft(8) does it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the crate describes far more than wgq uses"
)]

use nftables::expr::{BinaryOperation, Expression, NamedExpression, RT, RTKey, TcpOption};
use nftables::stmt::{Mangle, Match, NAT, Operator, RejectType, Statement};
use nftables::types::RejectCode;

use super::field::{Field, Protocols};
use super::instruction::{Comparison, Instruction};
use super::nat;
use super::prefix::mask;
use super::set::AnonymousSet;

/// The codes of verdicts: `NF_DROP`, `NF_ACCEPT`, and from below `NFT_JUMP`, `NFT_GOTO`, `NFT_RETURN`.
pub(super) const DROP: u32 = 0;
pub(super) const ACCEPT: u32 = 1;
pub(super) const JUMP: u32 = (-3_i32).cast_unsigned();
pub(super) const GOTO: u32 = (-4_i32).cast_unsigned();
pub(super) const RETURN: u32 = (-5_i32).cast_unsigned();

/// `NFT_REJECT_ICMPX_*`
pub(super) const REJECT_CODES: [(RejectCode, u8); 4] = [
    (RejectCode::NoRoute, 0),
    (RejectCode::PortUnreach, 1),
    (RejectCode::HostUnreach, 2),
    (RejectCode::AdminProhibited, 3),
];

/// Returns the instructions for the statements; none if one of them is beyond what wgq makes.
pub(super) fn compile(statements: &[Statement<'_>]) -> Option<Vec<Instruction>> {
    let mut program = Program::default();
    for statement in statements {
        program.add(statement)?;
    }
    Some(program.instructions)
}

/// `tcp option maxseg size set rt mtu`, which does nothing to what is not TCP.
pub(super) fn clamp_mss() -> Mangle<'static> {
    Mangle {
        key: Expression::Named(NamedExpression::TcpOption(TcpOption {
            name: "maxseg".into(),
            field: Some("size".into()),
        })),
        value: Expression::Named(NamedExpression::RT(RT {
            key: RTKey::MTU,
            family: None,
        })),
    }
}

#[derive(Default)]
struct Program {
    instructions: Vec<Instruction>,
    /// What the instructions so far let pass.
    known: Protocols,
}

impl Program {
    fn add(&mut self, statement: &Statement<'_>) -> Option<()> {
        match statement {
            Statement::Match(comparison) => return self.compare(comparison),
            Statement::Mangle(mangle) => return self.set(mangle),
            Statement::DNAT(Some(to)) => return self.nat(nat::DNAT, to),
            Statement::SNAT(Some(to)) => return self.nat(nat::SNAT, to),
            Statement::Masquerade(None) => {
                self.instructions.push(Instruction::Masquerade { flags: 0 });
            }
            Statement::Masquerade(Some(to)) if to.addr.is_none() && to.port.is_none() => {
                let flags = nat::flags(to);
                self.instructions.push(Instruction::Masquerade { flags });
            }
            Statement::Reject(Some(reject)) if reject._type == Some(RejectType::ICMPX) => {
                let mut codes = REJECT_CODES.into_iter();
                let (_, code) = codes.find(|(code, _)| Some(*code) == reject.expr)?;
                self.instructions.push(Instruction::Reject { code });
            }
            Statement::Accept(_) => self.verdict(ACCEPT, None),
            Statement::Drop(_) => self.verdict(DROP, None),
            Statement::Return(_) => self.verdict(RETURN, None),
            Statement::Jump(to) => self.verdict(JUMP, Some(&to.target)),
            Statement::Goto(to) => self.verdict(GOTO, Some(&to.target)),
            _ => return None,
        }
        Some(())
    }

    fn verdict(&mut self, code: u32, chain: Option<&str>) {
        let chain = chain.map(str::to_owned);
        self.instructions.push(Instruction::Verdict { code, chain });
    }

    /// Ends the rule for packets that do not have such a field.
    fn require(&mut self, required: Protocols) {
        let Protocols { network, transport } = required;
        if let Some(network) = network.filter(|_| network != self.known.network) {
            self.test(Field::NETWORK, network);
            self.known.network = Some(network);
        }
        if let Some(transport) = transport.filter(|_| transport != self.known.transport) {
            self.test(Field::TRANSPORT, transport);
            self.known.transport = Some(transport);
        }
    }

    fn test(&mut self, load: Instruction, protocol: u8) {
        let how = Comparison::Equal;
        let value = vec![protocol];
        self.instructions
            .extend([load, Instruction::Compare { how, value }]);
    }

    fn compare(&mut self, comparison: &Match<'_>) -> Option<()> {
        let Match { left, right, op } = comparison;
        let (field, masked_with) = match left {
            Expression::BinaryOperation(operation) => match operation.as_ref() {
                BinaryOperation::AND(field, mask) => (Field::of(field)?, Some(mask)),
                _ => return None,
            },
            field => (Field::of(field)?, None),
        };
        self.require(field.requires);
        let how = match op {
            Operator::EQ => Comparison::Equal,
            Operator::NEQ => Comparison::NotEqual,
            Operator::IN => return self.has_bit(&field, right),
            _ => return None,
        };
        if let Some(mask) = masked_with {
            let mask = field.datatype.encode(mask)?;
            let value = field.datatype.encode(right)?;
            let compare = Instruction::Compare { how, value };
            self.instructions
                .extend([field.load, Instruction::Mask { mask }, compare]);
            return Some(());
        }
        match right {
            Expression::Named(NamedExpression::Set(items)) => {
                let set = AnonymousSet::encode(field.datatype, items)?;
                let inverted = how == Comparison::NotEqual;
                self.instructions
                    .extend([field.load, Instruction::Lookup { inverted, set }]);
            }
            Expression::Named(NamedExpression::Prefix(prefix)) => {
                let address = field.datatype.encode(&prefix.addr)?;
                self.is_in_network(field, how, address, prefix.len)?;
            }
            Expression::Range(range) if how == Comparison::Equal && field.datatype.is_ordered() => {
                let [low, high] = &range.range;
                let at_least = Instruction::Compare {
                    how: Comparison::AtLeast,
                    value: field.datatype.encode(low)?,
                };
                let at_most = Instruction::Compare {
                    how: Comparison::AtMost,
                    value: field.datatype.encode(high)?,
                };
                self.instructions.extend([field.load, at_least, at_most]);
            }
            single => {
                let value = field.datatype.encode(single)?;
                self.known.learn(&field.load, how, &value);
                self.instructions
                    .extend([field.load, Instruction::Compare { how, value }]);
            }
        }
        Some(())
    }

    /// Whether a field has one of several bits.
    fn has_bit(&mut self, field: &Field, bits: &Expression<'_>) -> Option<()> {
        let mask = field.datatype.encode(bits)?;
        let compare = Instruction::Compare {
            how: Comparison::NotEqual,
            value: vec![0; mask.len()],
        };
        self.instructions
            .extend([field.load.clone(), Instruction::Mask { mask }, compare]);
        Some(())
    }

    /// Of an address, whole bytes are compared by loading no more than these.
    fn is_in_network(
        &mut self,
        field: Field,
        how: Comparison,
        mut value: Vec<u8>,
        len: u32,
    ) -> Option<()> {
        let mask = mask(field.datatype, len)?;
        if value
            .iter()
            .zip(&mask)
            .any(|(byte, mask)| byte & !mask != 0)
        {
            return None; // no packet would ever be equal
        }
        let mut load = field.load;
        if len > 0 && len.is_multiple_of(8) {
            if let Instruction::Payload { len: bytes, .. } = &mut load {
                *bytes = len / 8;
            }
            value.truncate(usize::try_from(len / 8).ok()?);
            self.instructions.push(load);
        } else {
            self.instructions.extend([load, Instruction::Mask { mask }]);
        }
        self.instructions.push(Instruction::Compare { how, value });
        Some(())
    }

    fn set(&mut self, mangle: &Mangle<'_>) -> Option<()> {
        if *mangle == clamp_mss() {
            let instructions = [
                Instruction::RouteMss,
                Instruction::HostToNetwork,
                Instruction::SetMss,
            ];
            self.instructions.extend(instructions);
            return Some(());
        }
        let key = Field::of(&mangle.key)?;
        let store = match key.load {
            Instruction::Meta { key } => Instruction::SetMeta { key },
            Instruction::Ct { key } => Instruction::SetCt { key },
            _ => return None,
        };
        let load = match Field::of(&mangle.value) {
            Some(value) if value.datatype == key.datatype => value.load,
            Some(_) => return None,
            None => Instruction::Value {
                register: 1,
                value: key.datatype.encode(&mangle.value)?,
            },
        };
        self.instructions.extend([load, store]);
        Some(())
    }

    fn nat(&mut self, kind: u32, to: &NAT<'_>) -> Option<()> {
        self.instructions.extend(nat::compile(kind, to)?);
        Some(())
    }
}
