//! Why the firewall could not be written or read.

use super::attribute::{attributes, find, text};
use super::instruction::EXPRESSION_NAME;
use super::transaction::Part;
use crate::host::netlink::KernelError;

/// Why the firewall could not be written or read; what the kernel said is the source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The kernel does not have it.
    #[error("nf_tables")]
    Unsupported(#[source] KernelError),
    /// The kernel refused a part, and with it the whole.
    #[error("nf_tables: {object}")]
    Refused {
        /// What was refused: `rule 2 of chain preraw (fib)`.
        object: String,
        /// The kernel's module that is missing, where that is why.
        missing: Option<String>,
        /// Why, in the kernel's words.
        source: KernelError,
    },
    /// A part of the table is described in a way that wgq does not translate.
    #[error("nf_tables: {0}: not something that wgq can write")]
    Beyond(String),
    /// The firewall could not be read.
    #[error("nf_tables: list")]
    Unreadable(#[source] KernelError),
}

/// The length of a netlink header (`NLMSG_HDRLEN`): offsets of errors count from its start.
const MESSAGE_HEADER: usize = 16;

/// The kernel's modules for the expressions that are not in its core.
const MODULES: [(&str, &str); 5] = [
    ("ct", "nft_ct"),
    ("fib", "nft_fib_inet"),
    ("masq", "nft_masq"),
    ("nat", "nft_nat"),
    ("reject", "nft_reject_inet"),
];

impl Error {
    /// Returns an action that the user can take, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unsupported(_) => Some(
                "this kernel has no nf_tables; `modprobe nf_tables` loads it where it is built as a module"
                    .to_owned(),
            ),
            Self::Refused {
                missing: Some(module),
                ..
            } => Some(format!(
                "this kernel lacks a part of nf_tables; `modprobe {module}` loads it where it is built as a module"
            )),
            // whoever may read it all may write it, too
            Self::Refused { object, source, .. }
                if source.errno() == libc::EPERM && nix::unistd::geteuid().is_root() =>
            {
                let table = object.split_once("table ").map(|(_, name)| format!("table {name}"));
                let table = table.as_deref().unwrap_or("ruleset");
                Some(format!(
                    "the table belongs to a program that is running; `nft list {table}` shows to which"
                ))
            }
            Self::Refused { source, .. } | Self::Unreadable(source) if source.errno() == libc::EPERM => {
                Some("changing the firewall needs root (CAP_NET_ADMIN)".to_owned())
            }
            Self::Refused { .. } | Self::Beyond(_) | Self::Unreadable(_) => None,
        }
    }

    /// A question was refused; a kernel that knows nobody to ask says that the question makes no sense.
    pub(super) fn unreadable(source: KernelError) -> Self {
        if is_unsupported(&source) || source.errno() == libc::EINVAL {
            Self::Unsupported(source)
        } else {
            Self::Unreadable(source)
        }
    }

    pub(super) fn beyond(object: &str) -> Self {
        Self::Beyond(object.to_owned())
    }

    /// The transaction was refused before any part of it was looked at.
    pub(super) fn refused_all(first: Option<&Part>, source: KernelError) -> Self {
        if is_unsupported(&source) {
            return Self::Unsupported(source);
        }
        Self::Refused {
            object: first.map_or_else(String::new, |part| part.object.clone()),
            missing: None,
            source,
        }
    }

    pub(super) fn refused(part: Option<&Part>, source: KernelError) -> Self {
        let Some(part) = part else {
            return Self::refused_all(None, source);
        };
        // the kernel points at the element of the list in which the expression is
        let expression = source
            .offset()
            .and_then(|offset| part.payload.get(offset.checked_sub(MESSAGE_HEADER)?..))
            .and_then(|bytes| attributes(bytes).next())
            .and_then(|(_, element)| find(element, EXPRESSION_NAME))
            .map(text);
        let module = MODULES
            .iter()
            .find(|(name, _)| expression.as_deref() == Some(name));
        let module = module.map(|(_, module)| *module).or(part.module);
        let is_missing = matches!(source.errno(), libc::ENOENT | libc::EOPNOTSUPP);
        Self::Refused {
            object: match expression {
                Some(name) if module.is_some() => format!("{} ({name})", part.object),
                _ => part.object.clone(),
            },
            missing: module.filter(|_| is_missing).map(str::to_owned),
            source,
        }
    }
}

/// Whether there is no netfilter at all, or nobody in it to write to.
fn is_unsupported(error: &KernelError) -> bool {
    matches!(error.errno(), libc::EPROTONOSUPPORT | libc::EOPNOTSUPP)
}
