//! Everything that touches the machine.

pub mod config_file;
pub mod lock;
pub mod names;
pub mod netlink;
pub mod record;
pub mod signals;
pub mod sysctl;
