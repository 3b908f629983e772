//! What touches the machine: the only place that knows the kernel, its files and other programs.

pub mod address;
pub mod link;
pub mod netlink;
pub mod path_mtu;
pub mod route;
pub mod route_socket;
pub mod rule;
pub mod wireguard;
