//! Everything that touches the machine: the only place that knows the kernel, its files and other programs.

pub mod address;
pub mod config_file;
pub mod dns;
pub mod hooks;
pub mod link;
pub mod lock;
pub mod names;
pub mod netlink;
pub mod path_mtu;
mod program;
pub mod record;
pub mod resolve;
pub mod route;
pub mod route_socket;
pub mod rule;
pub mod signals;
pub mod sysctl;
pub mod wireguard;
pub mod nftables;
