use std::collections::VecDeque;

use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLM_F_MULTIPART};

use super::*;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const DATA: u16 = 24;

/// What a fake kernel makes of one message.
type Kernel = Box<dyn FnMut(&Request) -> Vec<Vec<u8>>>;

struct Request {
    sequence: u32,
    flags: u16,
    payload: Vec<u8>,
}

/// A kernel of our own making: answers each message when it is sent.
struct Fake {
    kernel: Kernel,
    answers: VecDeque<Vec<u8>>,
    sends: Vec<usize>,
}

impl Fake {
    fn client(kernel: impl FnMut(&Request) -> Vec<Vec<u8>> + 'static) -> Netlink<Self> {
        Netlink::over(Self {
            kernel: Box::new(kernel),
            answers: VecDeque::new(),
            sends: Vec::new(),
        })
    }
}

impl Wire for Fake {
    fn send(&mut self, mut datagram: &[u8]) -> Result<(), KernelError> {
        let mut count = 0;
        while let Some(length) = datagram.first_chunk().copied().map(u32::from_ne_bytes) {
            let (message, rest) = datagram.split_at(usize::try_from(length).unwrap());
            let request = Request {
                sequence: u32::from_ne_bytes(message[8..12].try_into().unwrap()),
                flags: u16::from_ne_bytes(message[6..8].try_into().unwrap()),
                payload: message[16..].to_vec(),
            };
            self.answers.extend((self.kernel)(&request));
            datagram = &rest[rest.len() % 4..];
            count += 1;
        }
        self.sends.push(count);
        Ok(())
    }

    fn receive(&mut self, buffer: &mut Vec<u8>, wait: bool) -> Result<bool, KernelError> {
        buffer.clear();
        match self.answers.pop_front() {
            Some(answer) if answer.is_empty() => Err(KernelError::from_errno(libc::ENOBUFS)),
            Some(answer) => {
                buffer.extend(answer);
                Ok(true)
            }
            None if wait => Err(KernelError::unanswered()),
            None => Ok(false),
        }
    }

    fn answers(&self) -> usize {
        100
    }
}

fn answer(sequence: u32, message_type: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = u32::try_from(16 + payload.len()).unwrap();
    bytes.extend(length.to_ne_bytes());
    bytes.extend(message_type.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

fn code(request: &Request, errno: i32) -> Vec<u8> {
    let payload = [&(-errno).to_ne_bytes()[..], &[0; 16]].concat();
    answer(request.sequence, NLMSG_ERROR, NLM_F_CAPPED, &payload)
}

fn message(payload: u8) -> Message {
    Message::from_payload(1, 0, vec![payload; 4])
}

/// Refuses every message of payload 7 and acknowledges when asked.
fn refuse_sevens(request: &Request) -> Vec<Vec<u8>> {
    match request.payload[0] {
        7 => vec![code(request, libc::EEXIST)],
        _ if request.flags & NLM_F_ACK != 0 => vec![code(request, 0)],
        _ => Vec::new(),
    }
}

#[test]
fn a_batch_is_sent_in_parts_and_tells_failures_by_index() {
    let mut client = Fake::client(refuse_sevens);
    let failing = [0, 99, 100, 249];
    let messages = (0..250).map(|index| message(if failing.contains(&index) { 7 } else { 0 }));
    let failures = client.batch(messages);
    let indices: Vec<_> = failures.iter().map(|failure| failure.index).collect();
    assert_eq!(indices, failing);
    assert_eq!(failures[0].error.errno(), libc::EEXIST);
    assert_eq!(client.wire.sends, [100, 100, 50]);
}

#[test]
fn long_messages_are_sent_apart() {
    let mut client = Fake::client(refuse_sevens);
    let long = || Message::from_payload(1, 0, vec![1; 30 << 10]);
    assert_eq!(client.batch([long(), long(), long(), message(7)]).len(), 1);
    assert_eq!(client.wire.sends, [2, 2]);
}

#[test]
fn a_lost_answer_leaves_the_rest_uncertain() {
    let mut sent = 0;
    let mut client = Fake::client(move |request| {
        sent += 1;
        match sent {
            3 => vec![code(request, libc::EEXIST)],
            150 => vec![Vec::new()],
            _ => refuse_sevens(request),
        }
    });
    let failures = client.batch((0..250).map(|_| message(0)));
    let indices: Vec<_> = failures.iter().map(|failure| failure.index).collect();
    assert_eq!(indices, [2].into_iter().chain(100..250).collect::<Vec<_>>());
    assert!(!failures[0].error.is_uncertain());
    assert!(failures[1].error.is_uncertain());
}

#[test]
fn each_question_has_its_answer() {
    let mut client = Fake::client(|request| match request.payload[0] {
        7 => vec![code(request, libc::ENETUNREACH)],
        8 => refuse_sevens(request),
        value => {
            let mut answers = vec![answer(request.sequence, DATA, 0, &[value; 4])];
            answers.extend(refuse_sevens(request));
            answers
        }
    });
    let refused = Err(KernelError::from_errno(libc::ENETUNREACH));
    let mut ask = |values: &[u8]| {
        client
            .get_each(values.iter().copied().map(message), |answer| {
                Ok(answer.payload[0])
            })
            .unwrap()
    };
    assert_eq!(
        ask(&[1, 7, 8, 2]),
        [Ok(Some(1)), refused.clone(), Ok(None), Ok(Some(2))]
    );
    assert_eq!(ask(&[8, 8]), [Ok(None), Ok(None)]);
    assert_eq!(ask(&[8, 7]), [Ok(None), refused]);
    assert_eq!(ask(&[]), []);
}

#[test]
fn a_dump_that_changes_meanwhile_is_read_again() {
    let mut attempts = 0;
    let mut client = Fake::client(move |request| {
        attempts += 1;
        let intr = if attempts < 3 { NLM_F_DUMP_INTR } else { 0 };
        let part = |value, flags| answer(request.sequence, DATA, flags, &[value; 4]);
        let done = answer(request.sequence, NLMSG_DONE, 0, &[0; 4]);
        vec![
            answer(request.sequence.wrapping_sub(1), DATA, 0, &[9; 4]), // a late answer to another one
            [part(attempts, NLM_F_MULTIPART), part(1, intr)].concat(),
            [part(2, 0), done].concat(),
        ]
    });
    assert_eq!(
        client.dump(&message(0), |answer| Ok(Some(answer.payload[0]))),
        Ok(vec![3, 1, 2])
    );
}

#[test]
fn a_dump_that_never_holds_still_is_an_error() {
    let mut client = Fake::client(|request| {
        vec![answer(
            request.sequence,
            NLMSG_DONE,
            NLM_F_DUMP_INTR,
            &[0; 4],
        )]
    });
    let error = client
        .dump(&message(0), |answer| Ok(Some(answer.payload[0])))
        .unwrap_err();
    assert_eq!(error.errno(), libc::EINTR);
    assert_eq!(client.wire.sends.len(), DUMP_ATTEMPTS);
}

#[test]
fn an_error_at_the_end_of_a_dump_is_told() {
    let mut client = Fake::client(|request| {
        let text = b"FIB table does not exist\0\0\0\0";
        let mut end = (-libc::ENOENT).to_ne_bytes().to_vec();
        end.extend(29_u16.to_ne_bytes());
        end.extend(1_u16.to_ne_bytes());
        end.extend(text);
        vec![
            answer(request.sequence, DATA, 0, &[1; 4]),
            answer(request.sequence, NLMSG_DONE, NLM_F_ACK_TLVS, &end),
        ]
    });
    let error = client
        .dump(&message(0), |answer| Ok(Some(answer.payload[0])))
        .unwrap_err();
    assert!(error.is_absent());
    assert_eq!(
        error.to_string(),
        "FIB table does not exist: No such file or directory (os error 2)"
    );
}

#[test]
fn the_words_come_after_the_echoed_request() {
    let words = b"Nexthop has invalid gateway.\0\0\0\0";
    let mut refusal = (-libc::ENETUNREACH).to_ne_bytes().to_vec();
    refusal.extend(24_u32.to_ne_bytes()); // the request was 16 + 8 bytes long
    refusal.extend([0; 20]);
    refusal.extend(33_u16.to_ne_bytes());
    refusal.extend(1_u16.to_ne_bytes());
    refusal.extend(words);
    let mut client = Fake::client(move |request| {
        vec![answer(
            request.sequence,
            NLMSG_ERROR,
            NLM_F_ACK_TLVS,
            &refusal,
        )]
    });
    assert_eq!(
        client.request(message(0)).unwrap_err().to_string(),
        "Nexthop has invalid gateway: Network is unreachable (os error 101)"
    );
}

#[test]
fn a_transaction_is_done_only_when_acknowledged() {
    let acked = || Message::from_payload(1, NLM_F_ACK, vec![0; 4]);
    let mut client = Fake::client(refuse_sevens);
    assert_eq!(client.transaction(&[message(0), acked(), message(0)]), []);
    let refused = client.transaction(&[message(7), acked(), message(7)]);
    assert_eq!(
        refused
            .iter()
            .map(|failure| failure.index)
            .collect::<Vec<_>>(),
        [0, 2]
    );
    let unanswered = client.transaction(&[message(0)]);
    assert!(unanswered[0].error.is_uncertain());
}
