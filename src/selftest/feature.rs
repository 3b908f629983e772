//! The things that a host may lack: what that costs, and how to get them.

use anyhow::Result;

use super::table::{Row, Verdict};

/// A thing that a host may lack.
pub(super) struct Feature {
    pub(super) name: &'static str,
    pub(super) cost: &'static str,
    pub(super) remedy: &'static str,
}

pub(super) const KERNEL: Feature = Feature {
    name: "kernel WireGuard",
    cost: "wgq's own is used, which is slower and takes more of the processor",
    remedy: "`modprobe wireguard`; Linux has it since 5.6",
};

pub(super) const TUN: Feature = Feature {
    name: "/dev/net/tun",
    cost: "wgq's own WireGuard cannot stand in where the kernel has none",
    remedy: "`modprobe tun`; in a container `--device /dev/net/tun`",
};

pub(super) const TUN_FOR_ROOT: Feature = Feature {
    remedy: "run this as root; `wgq up` is root's in any case",
    ..TUN
};

pub(super) const EMBEDDED: Feature = Feature {
    name: "embedded WireGuard",
    cost: "tunnels need the kernel's",
    remedy: "build wgq with its feature `userspace`",
};

pub(super) const IPV6: Feature = Feature {
    name: "IPv6",
    cost: "tunnels carry IPv4 alone",
    remedy: "boot without ipv6.disable=1; sysctl net.ipv6.conf.{all,default}.disable_ipv6=0",
};

pub(super) const HOOKS: Feature = Feature {
    name: "bash",
    cost: "files with PreUp, PostUp, PreDown or PostDown are refused",
    remedy: "install bash",
};

impl Feature {
    /// The line of a thing that was looked for.
    pub(super) fn row(&self, found: &Result<()>) -> Row {
        match found {
            Ok(()) => Row::ok(&self.name),
            Err(why) => Row::ok(&self.name)
                .verdict(Verdict::Missing)
                .tell(self.cost)
                .tell(format_args!("({why:#})"))
                .tell(format_args!("-> {}", self.remedy)),
        }
    }
}
