//! The socket under the client.

use std::io;

use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

use super::KernelError;

/// What carries datagrams to the kernel and back.
pub trait Wire {
    /// Sends one datagram.
    fn send(&mut self, datagram: &[u8]) -> Result<(), KernelError>;

    /// Receives one datagram into `buffer`, whose content it replaces. Where it does not `wait`, it returns false if there is none.
    fn receive(&mut self, buffer: &mut Vec<u8>, wait: bool) -> Result<bool, KernelError>;

    /// How many answers surely fit the receive buffer.
    fn answers(&self) -> usize;
}

/// A netlink socket that talks to the kernel.
pub struct KernelSocket {
    socket: Socket,
    answers: usize,
}

/// The receive buffer asked for, in bytes; the kernel may give less to those without privileges.
const RECEIVE_BUFFER: usize = 4 << 20;

/// The longest datagram the kernel makes is 32 KiB (`netlink_recvmsg`), of a dump.
const LONGEST_ANSWER: usize = 64 << 10;

/// What a refusal or the answer to one question takes in the receive buffer, at most, with the kernel's bookkeeping.
const ANSWER_COST: usize = 2 << 10;

/// How long an answer may take, in seconds. The kernel works while it is sent to, so that this never passes in practice.
const PATIENCE: i64 = 30;

impl KernelSocket {
    /// Opens a socket of the protocol, in the network namespace of this thread.
    pub fn open(protocol: isize) -> Result<Self, KernelError> {
        let socket = Socket::new(protocol)?;
        socket.connect(&SocketAddr::new(0, 0))?; // which binds it, too, and lets nobody else send
        // both are there since Linux 4.12; without them errors come with fewer words and more bytes
        let _ = socket.set_ext_ack(true);
        let _ = socket.set_cap_ack(true);
        // since 4.20: dumps are filtered by the kernel; readers filter again, as older ones send all
        let _ = socket.set_netlink_get_strict_chk(true);
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
        }
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(PATIENCE, 0))?;
        let answers = socket.get_rx_buf_sz()? / ANSWER_COST;
        Ok(Self { socket, answers })
    }

    /// Makes room for a datagram longer than the send buffer (by default 208 KiB).
    fn widen(&self, length: usize) -> Result<(), KernelError> {
        let size = length + 4096; // netlink_sendmsg keeps 32 bytes of it for itself
        if setsockopt(&self.socket, sockopt::SndBufForce, &size).is_err() {
            setsockopt(&self.socket, sockopt::SndBuf, &size)?;
        }
        Ok(())
    }

    fn send_once(&self, datagram: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(datagram, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => return sent.map(|_| ()),
            }
        }
    }
}

impl Wire for KernelSocket {
    fn send(&mut self, datagram: &[u8]) -> Result<(), KernelError> {
        match self.send_once(datagram) {
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
                self.widen(datagram.len())?;
                Ok(self.send_once(datagram)?)
            }
            sent => Ok(sent?),
        }
    }

    fn receive(&mut self, buffer: &mut Vec<u8>, wait: bool) -> Result<bool, KernelError> {
        let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
        loop {
            buffer.clear();
            buffer.reserve(LONGEST_ANSWER);
            match self.socket.recv(buffer, flags) {
                Ok(length) if length > buffer.len() => {
                    return Err(KernelError::from_errno(libc::EBADMSG));
                }
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return if wait {
                        Err(KernelError::unanswered())
                    } else {
                        Ok(false)
                    };
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn answers(&self) -> usize {
        self.answers
    }
}
