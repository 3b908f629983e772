//! From the kernel's instructions back to the crate's words.
//!
//! It guesses, and believes a guess only if it compiles to the very same instructions.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what else there is, is nothing to guess from"
)]

use nftables::expr::{BinaryOperation, Expression, NamedExpression, Range};
use nftables::stmt::{JumpTarget, Mangle, Match, Operator, Reject, RejectType, Statement};

use super::compile::{ACCEPT, DROP, GOTO, JUMP, REJECT_CODES, RETURN, clamp_mss, compile};
use super::datatype::Datatype;
use super::field::{Field, Protocols};
use super::instruction::{Comparison, Instruction};
use super::nat;
use super::prefix::{network, prefix_len};

/// Returns the statements that compile to these instructions; none if wgq does not make such.
pub(super) fn decompile(instructions: &[Instruction]) -> Option<Vec<Statement<'static>>> {
    let mut guess = Guess::default();
    let mut rest = instructions;
    while !rest.is_empty() {
        rest = guess.take(rest)?;
    }
    let statements: Vec<_> = guess.statements.into_iter().flatten().collect();
    (compile(&statements)? == instructions).then_some(statements)
}

#[derive(Default)]
struct Guess {
    /// The statements so far; none is one that turned out to go without saying.
    statements: Vec<Option<Statement<'static>>>,
    known: Protocols,
    /// Which statements say what is known.
    network_at: Option<usize>,
    transport_at: Option<usize>,
    /// The constants in the registers.
    values: Vec<Vec<u8>>,
}

impl Guess {
    /// Makes a statement of the first instructions and returns the others.
    fn take<'a>(&mut self, rest: &'a [Instruction]) -> Option<&'a [Instruction]> {
        use Instruction::{HostToNetwork, RouteMss, SetCt, SetMeta, SetMss, Value};
        match rest {
            [Value { value, .. }, rest @ ..] => {
                self.values.push(value.clone());
                Some(rest)
            }
            [RouteMss, HostToNetwork, SetMss, rest @ ..] => {
                self.push(Statement::Mangle(clamp_mss()));
                Some(rest)
            }
            [store @ (SetMeta { .. } | SetCt { .. }), rest @ ..] => {
                let key = stored_by(store)?;
                let value = key.datatype.decode(&self.values.pop()?)?;
                self.set(key, value);
                Some(rest)
            }
            [load, store @ (SetMeta { .. } | SetCt { .. }), rest @ ..] => {
                let value = self.field(load)?.expression;
                self.set(stored_by(store)?, value);
                Some(rest)
            }
            [last, rest @ ..] => match self.conclusion(last) {
                Some(statement) => {
                    self.push(statement);
                    Some(rest)
                }
                None => self.take_test(last, rest),
            },
            [] => None,
        }
    }

    /// Makes a comparison of what is loaded and how it is tested, and returns what comes after.
    fn take_test<'a>(
        &mut self,
        load: &Instruction,
        tests: &'a [Instruction],
    ) -> Option<&'a [Instruction]> {
        use Instruction::{Compare, Lookup, Mask};
        let field = self.field(load)?;
        match tests {
            [Lookup { inverted, set }, rest @ ..] => {
                let right = Expression::Named(NamedExpression::Set(set.decode()?));
                self.compare(field.expression, equality(!inverted), right);
                Some(rest)
            }
            [
                Compare {
                    how: Comparison::AtLeast,
                    value: low,
                },
                Compare {
                    how: Comparison::AtMost,
                    value: high,
                },
                rest @ ..,
            ] => {
                let range = [field.datatype.decode(low)?, field.datatype.decode(high)?];
                let right = Expression::Range(Box::new(Range { range }));
                self.compare(field.expression, Operator::EQ, right);
                Some(rest)
            }
            [Mask { mask }, Compare { how, value }, rest @ ..] => {
                self.masked(field, mask, *how, value)?;
                Some(rest)
            }
            [Compare { how, value }, rest @ ..] => {
                self.learn(load, *how, value);
                self.plain(field, *how, value)?;
                Some(rest)
            }
            _ => None,
        }
    }

    /// Remembers the protocol that packets have from here on, and which statement says so.
    fn learn(&mut self, load: &Instruction, how: Comparison, value: &[u8]) {
        self.known.learn(load, how, value);
        let here = Some(self.statements.len());
        if *load == Field::NETWORK {
            self.network_at = here;
        } else if *load == Field::TRANSPORT {
            self.transport_at = here;
        }
    }

    fn push(&mut self, statement: Statement<'static>) {
        self.statements.push(Some(statement));
    }

    fn compare(&mut self, left: Expression<'static>, op: Operator, right: Expression<'static>) {
        self.push(Statement::Match(Match { left, right, op }));
    }

    fn set(&mut self, key: Field, value: Expression<'static>) {
        let key = key.expression;
        self.push(Statement::Mangle(Mangle { key, value }));
    }

    /// Finds what is loaded; the tests of protocols that it requires go without saying.
    fn field(&mut self, load: &Instruction) -> Option<Field> {
        let field = Field::loaded_by(load, self.known)?;
        if field.requires.network.is_some() {
            self.forget(self.network_at);
        }
        if field.requires.transport.is_some() {
            self.forget(self.transport_at);
        }
        Some(field)
    }

    fn forget(&mut self, at: Option<usize>) {
        if let Some(statement) = at.and_then(|at| self.statements.get_mut(at)) {
            *statement = None;
        }
    }

    /// A comparison with a single value, or with as much of an address as is loaded.
    fn plain(&mut self, field: Field, how: Comparison, value: &[u8]) -> Option<()> {
        let right = if value.len() < field.datatype.len() {
            let mut address = value.to_vec();
            address.resize(field.datatype.len(), 0);
            let len = u32::try_from(value.len() * 8).ok()?;
            network(field.datatype, &address, len)?
        } else {
            field.datatype.decode(value)?
        };
        self.compare(field.expression, equality(how == Comparison::Equal), right);
        Some(())
    }

    /// A comparison of some bits: of a network, of flags, or of part of a mark.
    fn masked(&mut self, field: Field, mask: &[u8], how: Comparison, value: &[u8]) -> Option<()> {
        let Field {
            expression,
            datatype,
            ..
        } = field;
        let op = equality(how == Comparison::Equal);
        match datatype {
            Datatype::Ipv4 | Datatype::Ipv6 => {
                self.compare(expression, op, network(datatype, value, prefix_len(mask)?)?);
            }
            Datatype::CtState | Datatype::CtStatus | Datatype::TcpFlags => {
                self.compare(expression, Operator::IN, datatype.decode_bits(mask)?);
            }
            _ => {
                let and = BinaryOperation::AND(expression, datatype.decode(mask)?);
                let left = Expression::BinaryOperation(Box::new(and));
                self.compare(left, op, datatype.decode(value)?);
            }
        }
        Some(())
    }

    fn conclusion(&mut self, last: &Instruction) -> Option<Statement<'static>> {
        Some(match last {
            Instruction::Verdict { code: ACCEPT, .. } => Statement::Accept(None),
            Instruction::Verdict { code: DROP, .. } => Statement::Drop(None),
            Instruction::Verdict { code: RETURN, .. } => Statement::Return(None),
            Instruction::Verdict {
                code,
                chain: Some(chain),
            } => {
                let target = chain.clone().into();
                match *code {
                    JUMP => Statement::Jump(JumpTarget { target }),
                    GOTO => Statement::Goto(JumpTarget { target }),
                    _ => return None,
                }
            }
            Instruction::Masquerade { flags: 0 } => Statement::Masquerade(None),
            Instruction::Masquerade { flags } => {
                Statement::Masquerade(Some(nat::with_flags(*flags)))
            }
            Instruction::Reject { code } => Statement::Reject(Some(Reject {
                _type: Some(RejectType::ICMPX),
                expr: REJECT_CODES
                    .into_iter()
                    .find(|(_, number)| number == code)
                    .map(|(code, _)| code),
            })),
            Instruction::Nat { .. } => {
                let registers = std::mem::take(&mut self.values);
                return nat::decompile(last, &registers);
            }
            _ => return None,
        })
    }
}

fn equality(equal: bool) -> Operator {
    if equal { Operator::EQ } else { Operator::NEQ }
}

/// Finds what an instruction stores.
fn stored_by(store: &Instruction) -> Option<Field> {
    let load = match *store {
        Instruction::SetMeta { key } => Instruction::Meta { key },
        Instruction::SetCt { key } => Instruction::Ct { key },
        _ => return None,
    };
    Field::loaded_by(&load, Protocols::default())
}
