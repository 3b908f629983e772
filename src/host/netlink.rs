//! A blocking netlink client for any protocol: one request, a dump, a batch with one acknowledgement, a transaction.
//!
//! The kernel works on what is sent before `send` returns, and answers failures always, successes only where asked. So
//! the last message of a batch asks for an acknowledgement, and all before it are settled when that one comes.

use netlink_packet_core::{DecodeError, NLM_F_ACK, NLM_F_DUMP};

mod buffer;
mod error;
mod message;
mod socket;
#[cfg(test)]
mod tests;

pub use error::KernelError;
pub use message::{Answer, Message};
pub use socket::{KernelSocket, Wire};

use buffer::Buffer;
use message::Answers;

/// How many messages are sent at once: more gain nothing, and each may cost an error in the receive buffer.
const MESSAGES_PER_SEND: usize = 256;

/// How many bytes are sent at once, unless a single message or a transaction has more.
const BYTES_PER_SEND: usize = 64 << 10;

/// How often a dump is tried that the kernel says has changed meanwhile.
const DUMP_ATTEMPTS: usize = 16;

/// A message of a batch that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its place in the batch.
    pub index: usize,
    /// Why.
    pub error: KernelError,
}

/// A client of one netlink protocol in the network namespace of the thread that opened it.
pub struct Netlink<W = KernelSocket> {
    wire: W,
    next_sequence: u32,
    outgoing: Buffer,
    incoming: Buffer,
}

impl Netlink {
    /// Opens a socket of the protocol: `NETLINK_ROUTE`, `NETLINK_GENERIC`, `NETLINK_NETFILTER` of `netlink_sys::protocols`.
    pub fn open(protocol: isize) -> Result<Self, KernelError> {
        Ok(Self::over(KernelSocket::open(protocol)?))
    }
}

impl<W: Wire> Netlink<W> {
    /// A client over the given wire.
    pub fn over(wire: W) -> Self {
        Self {
            wire,
            next_sequence: 1, // 0 is what notifications carry
            outgoing: Buffer::with_capacity(BYTES_PER_SEND),
            incoming: Buffer::with_capacity(BYTES_PER_SEND),
        }
    }

    /// Sends one message and waits until it is done.
    pub fn request(&mut self, message: Message) -> Result<(), KernelError> {
        self.get(message, |_| Ok(())).map(|_| ())
    }

    /// Sends one message and returns what it was answered with, if there was an answer beside the acknowledgement.
    pub fn get<T>(
        &mut self,
        message: Message,
        parse: impl FnMut(Answer<'_>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, KernelError> {
        self.get_each([message], parse)?.pop().unwrap_or(Ok(None))
    }

    /// Sends many messages; returns for each what it was answered with, or why it was refused.
    pub fn get_each<T>(
        &mut self,
        messages: impl IntoIterator<Item = Message>,
        mut parse: impl FnMut(Answer<'_>) -> Result<T, DecodeError>,
    ) -> Result<Vec<Result<Option<T>, KernelError>>, KernelError> {
        let mut results = Vec::new();
        let sent = self.exchange(messages, |index, answer| {
            let result = answer.and_then(|answer| Ok(parse(answer)?));
            results.resize_with(index, || Ok(None));
            results.push(result.map(Some));
        });
        let count = sent.map_err(|(_, error)| error)?;
        results.resize_with(count, || Ok(None));
        Ok(results)
    }

    /// Sends many messages; returns those that were refused, in order. All others are done: a failure stops nothing.
    ///
    /// Should answers be lost, all messages from there on are returned with [`KernelError::is_uncertain`].
    pub fn batch(&mut self, messages: impl IntoIterator<Item = Message>) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut messages = messages.into_iter();
        let sent = self.exchange(messages.by_ref(), |index, answer| {
            if let Err(error) = answer {
                failures.push(Failure { index, error });
            }
        });
        if let Err((unsettled, error)) = sent {
            let end = unsettled.end + messages.count();
            failures.retain(|failure| failure.index < unsettled.start);
            failures.extend((unsettled.start..end).map(|index| Failure {
                index,
                error: error.clone(),
            }));
        }
        failures
    }

    /// Sends all messages as one, for a protocol that does all of them or none (the batches of nfnetlink); returns
    /// those that were refused, if any. At least one message must ask for an acknowledgement.
    pub fn transaction(&mut self, messages: &[Message]) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut settled = false;
        let result = self.send_together(messages).and_then(|first_sequence| {
            // nfnetlink may refuse the batch by its first message alone, or lose the acknowledgement to a failed
            // commit: so no certain message is the last, but all answers are there when `send` returns
            while self.receive(false)? {
                for answer in Answers::of(&self.incoming) {
                    let answer = answer?;
                    let Some(index) = answer.index(first_sequence, messages.len()) else {
                        continue;
                    };
                    settled |= answer.is_end();
                    if let Err(error) = answer.outcome() {
                        failures.push(Failure { index, error });
                    }
                }
            }
            if settled {
                Ok(())
            } else {
                Err(KernelError::unanswered())
            }
        });
        if let Err(error) = result {
            failures.push(Failure { index: 0, error });
        }
        failures
    }

    /// Returns all that the kernel lists; `parse` gives nothing for what is not looked for.
    ///
    /// A list that changes while it is read is read again, at most 16 times, as a partial one could miss what is there.
    pub fn dump<T>(
        &mut self,
        message: &Message,
        mut parse: impl FnMut(Answer<'_>) -> Result<Option<T>, DecodeError>,
    ) -> Result<Vec<T>, KernelError> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(found) = self.try_dump(message, &mut parse)? {
                return Ok(found);
            }
        }
        Err(KernelError::always_interrupted())
    }

    /// Returns nothing if the list changed while it was read.
    fn try_dump<T>(
        &mut self,
        message: &Message,
        parse: &mut impl FnMut(Answer<'_>) -> Result<Option<T>, DecodeError>,
    ) -> Result<Option<Vec<T>>, KernelError> {
        let mut found = Vec::new();
        let mut interrupted = false;
        let mut malformed: Option<DecodeError> = None;
        self.outgoing.wipe();
        let sequence = self.next_sequence();
        message.append_to(&mut self.outgoing, sequence, NLM_F_DUMP);
        self.wire.send(&self.outgoing)?;
        loop {
            self.receive(true)?;
            for answer in Answers::of(&self.incoming) {
                let answer = answer?;
                if answer.index(sequence, 1).is_none() {
                    continue;
                }
                interrupted |= answer.is_interrupted();
                if answer.is_end() {
                    answer.outcome()?;
                    malformed.map_or(Ok(()), Err)?;
                    return Ok((!interrupted).then_some(found));
                }
                // read to the end in any case: until then the socket takes no other dump
                match parse(answer) {
                    Ok(one) => found.extend(one),
                    Err(error) => malformed = Some(error),
                }
            }
        }
    }

    /// Sends the messages in parts and hands over each answer with its message's index, acknowledgements aside.
    /// Returns how many there were; on failure those that are neither known as done nor as refused.
    fn exchange(
        &mut self,
        messages: impl IntoIterator<Item = Message>,
        mut on_answer: impl FnMut(usize, Result<Answer<'_>, KernelError>),
    ) -> Result<usize, (std::ops::Range<usize>, KernelError)> {
        let mut messages = messages.into_iter();
        let mut carried = None;
        let mut start = 0;
        loop {
            let first_sequence = self.next_sequence;
            let count = self.gather(&mut messages, &mut carried);
            if count == 0 {
                return Ok(start);
            }
            let waiting = usize::from(carried.is_some());
            self.wire
                .send(&self.outgoing)
                .and_then(|()| {
                    self.settle(first_sequence, count, |index, answer| {
                        on_answer(start + index, answer);
                    })
                })
                .map_err(|error| (start..start + count + waiting, error))?;
            start += count;
        }
    }

    /// Fills the outgoing buffer with what fits one send and returns how many messages that is; the one after is carried over.
    fn gather(
        &mut self,
        messages: &mut impl Iterator<Item = Message>,
        carried: &mut Option<Message>,
    ) -> usize {
        let most = self.wire.answers().clamp(1, MESSAGES_PER_SEND);
        self.outgoing.wipe();
        let mut count = 0;
        let mut last_at = 0;
        while count < most
            && let Some(message) = carried.take().or_else(|| messages.next())
        {
            if count > 0 && self.outgoing.len() + message.len() > BYTES_PER_SEND {
                *carried = Some(message);
                break;
            }
            last_at = self.outgoing.len();
            let sequence = self.next_sequence();
            message.append_to(&mut self.outgoing, sequence, 0);
            count += 1;
        }
        message::add_flags(&mut self.outgoing, last_at, NLM_F_ACK);
        count
    }

    /// Receives until the last of `count` messages is acknowledged or refused.
    fn settle(
        &mut self,
        first_sequence: u32,
        count: usize,
        mut on_answer: impl FnMut(usize, Result<Answer<'_>, KernelError>),
    ) -> Result<(), KernelError> {
        loop {
            self.receive(true)?;
            for answer in Answers::of(&self.incoming) {
                let answer = answer?;
                let Some(index) = answer.index(first_sequence, count) else {
                    continue;
                };
                if !answer.is_end() {
                    on_answer(index, Ok(answer));
                    continue;
                }
                if let Err(error) = answer.outcome() {
                    on_answer(index, Err(error));
                }
                if index + 1 == count {
                    return Ok(());
                }
            }
        }
    }

    fn send_together(&mut self, messages: &[Message]) -> Result<u32, KernelError> {
        let first_sequence = self.next_sequence;
        self.outgoing.wipe();
        for message in messages {
            let sequence = self.next_sequence();
            message.append_to(&mut self.outgoing, sequence, 0);
        }
        self.wire.send(&self.outgoing)?;
        Ok(first_sequence)
    }

    fn receive(&mut self, wait: bool) -> Result<bool, KernelError> {
        self.incoming.wipe();
        self.wire.receive(&mut self.incoming, wait)
    }

    fn next_sequence(&mut self) -> u32 {
        let sequence = self.next_sequence;
        self.next_sequence = sequence.wrapping_add(1);
        sequence
    }
}
