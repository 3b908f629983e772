//! The config file: what it says, what is wrong with it, and how to change it without touching the rest.
//!
//! Everything here is pure: text in, values or text out.
//!
//! ```text
//! bytes --decode--> text --lines--> Line --parse--> Config, Diagnostics
//! ```

mod check;
mod diagnostic;
mod document;
mod edit;
mod endpoint;
mod excerpt;
mod firewall;
mod hook_lines;
mod hunk;
mod keys;
mod layout;
mod model;
mod note;
mod own_keys;
mod parse;
mod reader;
mod report;
mod roster;
mod save;
mod secret;
mod span;
mod strip;
mod values;

pub use diagnostic::{Diagnostic, Severity};
pub use document::{MAX_BYTES, decode};
pub use endpoint::parse_endpoint;
pub use firewall::{Firewall, Masquerade, PortForward, Protocol};
pub use hook_lines::{HOOK_KEYS, HookLine, NewKey, Replaced, hook_lines, replace_hooks};
pub use keys::known_keys;
pub use model::{Config, Dns, Endpoint, Hooks, Interface, Peer, Table};
pub use note::{
    check_name, has_private_key, interface_note, peer_names, with_client_keys, with_endpoint,
    with_interface_note,
};
pub use own_keys::{OwnLine, own_lines, without_own_keys};
pub use parse::{Parsed, parse};
pub use reader::Names;
pub use roster::{Listed, Roster};
pub use save::{save, show_save};
pub use span::{Span, Spanned};
pub use strip::{strip, strip_with_keys};
pub use values::parse_time;

#[cfg(test)]
mod tests;
