//! The frame around each netlink message: the header, and the end of an exchange with its error code.

use netlink_packet_core::{
    DecodeError, DoneBuffer, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLM_F_REQUEST,
    NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkSerializable,
};
use zeroize::Zeroizing;

use super::KernelError;

/// `NLMSG_HDRLEN`
const HEADER_LEN: usize = 16;

/// Where a header has its flags.
const FLAGS_AT: usize = 6;

/// A message to the kernel, without the sequence number that the client gives it.
pub struct Message {
    kind: u16,
    flags: u16,
    payload: Zeroizing<Vec<u8>>, // may hold keys
}

impl Message {
    /// A message of one of the netlink-packet crates, with more flags than `NLM_F_REQUEST`, if any.
    pub fn new(message: &impl NetlinkSerializable, flags: u16) -> Self {
        let mut payload = vec![0; message.buffer_len()];
        message.serialize(&mut payload);
        Self::from_payload(message.message_type(), flags, payload)
    }

    /// A message with what follows its header given as bytes.
    pub fn from_payload(message_type: u16, flags: u16, payload: Vec<u8>) -> Self {
        Self {
            kind: message_type,
            flags,
            payload: Zeroizing::new(payload),
        }
    }

    /// The length with the header and the padding, in bytes.
    pub(super) fn len(&self) -> usize {
        (HEADER_LEN + self.payload.len()).next_multiple_of(4)
    }

    pub(super) fn append_to(&self, buffer: &mut Vec<u8>, sequence: u32, flags: u16) {
        let start = buffer.len();
        let length = u32::try_from(HEADER_LEN + self.payload.len()).unwrap_or(u32::MAX);
        let flags = self.flags | flags | NLM_F_REQUEST;
        buffer.extend(length.to_ne_bytes());
        buffer.extend(self.kind.to_ne_bytes());
        buffer.extend(flags.to_ne_bytes());
        buffer.extend(sequence.to_ne_bytes());
        buffer.extend(0_u32.to_ne_bytes()); // the kernel fills in the sender's port
        buffer.extend_from_slice(&self.payload);
        buffer.resize(start + self.len(), 0);
    }
}

/// Adds flags to the message that starts at `at`.
pub(super) fn add_flags(buffer: &mut [u8], at: usize, flags: u16) {
    let field = at + FLAGS_AT..at + FLAGS_AT + 2;
    if let Some(bytes) = buffer.get_mut(field) {
        bytes
            .iter_mut()
            .zip(flags.to_ne_bytes())
            .for_each(|(byte, flag)| *byte |= flag);
    }
}

/// A message from the kernel.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// What it is: `RTM_NEWROUTE` or the like.
    pub message_type: u16,
    /// What follows the header.
    pub payload: &'a [u8],
    flags: u16,
    sequence: u32,
}

impl Answer<'_> {
    /// Which of `count` messages it answers; none if it is a late answer to another one.
    pub(super) fn index(self, first_sequence: u32, count: usize) -> Option<usize> {
        usize::try_from(self.sequence.wrapping_sub(first_sequence))
            .ok()
            .filter(|&index| index < count)
    }

    /// Whether nothing follows: an acknowledgement, a refusal, or the end of a dump.
    pub(super) fn is_end(self) -> bool {
        matches!(self.message_type, NLMSG_ERROR | NLMSG_DONE)
    }

    /// Whether it is part of a dump that changed while it was read.
    pub(super) fn is_interrupted(self) -> bool {
        self.flags & NLM_F_DUMP_INTR != 0
    }

    /// What the end of an exchange says: an error, or that all went well.
    pub(super) fn outcome(self) -> Result<(), KernelError> {
        if !self.is_end() {
            return Ok(());
        }
        // both kinds start with an error code; the kernel allows a bare NLMSG_DONE
        let Ok(end) = DoneBuffer::new_checked(self.payload) else {
            return Ok(());
        };
        if end.code() == 0 {
            return Ok(());
        }
        let rest = self.payload.get(4..).unwrap_or_default();
        let attributes = match self.message_type {
            _ if self.flags & NLM_F_ACK_TLVS == 0 => &[],
            NLMSG_DONE => rest,
            _ => rest.get(self.echoed_len(rest)..).unwrap_or_default(),
        };
        Err(KernelError::refused(end.code(), attributes))
    }

    /// How much of the request a refusal carries before its attributes: the header, or all of it.
    fn echoed_len(self, rest: &[u8]) -> usize {
        let whole = self.flags & NLM_F_CAPPED == 0;
        let length = rest.first_chunk().copied().map(u32::from_ne_bytes);
        length
            .filter(|_| whole)
            .and_then(|length| usize::try_from(length).ok())
            .map_or(HEADER_LEN, |length| length.next_multiple_of(4))
    }
}

/// The messages of one datagram.
pub(super) struct Answers<'a> {
    rest: &'a [u8],
}

impl<'a> Answers<'a> {
    pub(super) fn of(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    fn take(&mut self) -> Result<Answer<'a>, DecodeError> {
        let message = NetlinkBuffer::new_checked(self.rest)?;
        let length = usize::try_from(message.length()).unwrap_or(usize::MAX);
        let payload = self
            .rest
            .get(HEADER_LEN..length)
            .ok_or_else(|| DecodeError::buffer_too_small(self.rest.len(), length))?;
        let answer = Answer {
            message_type: message.message_type(),
            payload,
            flags: message.flags(),
            sequence: message.sequence_number(),
        };
        self.rest = self
            .rest
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
        Ok(answer)
    }
}

impl<'a> Iterator for Answers<'a> {
    type Item = Result<Answer<'a>, KernelError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let answer = self.take().map_err(KernelError::from);
        if answer.is_err() {
            self.rest = &[];
        }
        Some(answer)
    }
}
