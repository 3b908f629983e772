//! Why the kernel refused something, in its own words.

use std::fmt;
use std::io;

use netlink_packet_core::{DecodeError, NlasIterator};

/// `NLMSGERR_ATTR_MSG`: the kernel's words, as a string with a final NUL.
const NLMSGERR_ATTR_MSG: u16 = 1;

/// `NLMSGERR_ATTR_OFFS`: where in the request that is which the kernel does not like, as a number.
const NLMSGERR_ATTR_OFFS: u16 = 2;

/// An error of the kernel: its number, and where the kernel gave more than that, its words.
///
/// Prints as `File exists (os error 17)` or `Nexthop has invalid gateway: Network is unreachable (os error 101)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelError {
    errno: i32,
    words: Option<String>,
    offset: Option<u32>,
}

impl KernelError {
    /// The error of that number: `libc::EEXIST` or the like.
    pub fn from_errno(errno: i32) -> Self {
        Self {
            errno,
            words: None,
            offset: None,
        }
    }

    /// The number: `libc::EEXIST` or the like.
    pub fn errno(&self) -> i32 {
        self.errno
    }

    /// The text of the extended acknowledgement, if there was one.
    pub fn words(&self) -> Option<&str> {
        self.words.as_deref()
    }

    /// Where the attribute is that the kernel refused, if it said so: in bytes from the start of the message's header.
    pub fn offset(&self) -> Option<usize> {
        self.offset.and_then(|offset| offset.try_into().ok())
    }

    /// Whether what was to be deleted or read is not there.
    pub fn is_absent(&self) -> bool {
        matches!(
            self.errno,
            libc::ENOENT | libc::ESRCH | libc::ENODEV | libc::ENXIO | libc::EADDRNOTAVAIL
        )
    }

    /// Whether what was to be made is there already.
    pub fn is_present(&self) -> bool {
        self.errno == libc::EEXIST
    }

    /// Whether the kernel knows nothing of the sort: an address family, a kind of link, a protocol it was built without.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self.errno,
            libc::EOPNOTSUPP | libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT
        )
    }

    /// Whether the answer was lost, so that what was asked for may be done or not.
    pub fn is_uncertain(&self) -> bool {
        matches!(
            self.errno,
            libc::ENOBUFS | libc::ETIMEDOUT | libc::EBADMSG | libc::EINTR
        )
    }

    /// What a message of type `NLMSG_ERROR` or `NLMSG_DONE` says: a negative code, and attributes.
    pub(in crate::host) fn refused(code: i32, attributes: &[u8]) -> Self {
        let find = |kind| {
            NlasIterator::new(attributes)
                .map_while(Result::ok)
                .find(|attribute| attribute.kind() == kind)
        };
        let words = find(NLMSGERR_ATTR_MSG)
            .map(|attribute| String::from_utf8_lossy(attribute.value()).into_owned())
            .map(|words| words.trim_end_matches(['\0', '.', '\n']).to_owned());
        let offset = find(NLMSGERR_ATTR_OFFS)
            .and_then(|attribute| attribute.value().try_into().ok())
            .map(u32::from_ne_bytes);
        Self {
            errno: code.saturating_abs(),
            words: words.filter(|words| !words.is_empty()),
            offset,
        }
    }

    /// No answer to a message that must have one.
    pub(super) fn unanswered() -> Self {
        Self::of_ours(libc::ETIMEDOUT, "the kernel did not answer")
    }

    /// A list that never held still.
    pub(super) fn always_interrupted() -> Self {
        Self::of_ours(libc::EINTR, "the list kept changing while it was read")
    }

    fn of_ours(errno: i32, words: &str) -> Self {
        Self {
            errno,
            words: Some(words.to_owned()),
            offset: None,
        }
    }
}

/// An answer that makes no sense.
impl From<DecodeError> for KernelError {
    fn from(error: DecodeError) -> Self {
        Self::of_ours(libc::EBADMSG, &error.to_string())
    }
}

impl From<io::Error> for KernelError {
    fn from(error: io::Error) -> Self {
        error.raw_os_error().map_or_else(
            || Self::of_ours(libc::EIO, &error.to_string()),
            Self::from_errno,
        )
    }
}

impl From<nix::Error> for KernelError {
    fn from(error: nix::Error) -> Self {
        io::Error::from(error).into()
    }
}

impl From<KernelError> for io::Error {
    fn from(error: KernelError) -> Self {
        Self::from_raw_os_error(error.errno)
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(words) = &self.words {
            write!(f, "{words}: ")?;
        }
        io::Error::from_raw_os_error(self.errno).fmt(f)
    }
}

impl std::error::Error for KernelError {}
