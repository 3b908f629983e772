//! The text of a step that is done inside a network namespace, as it is for those who are not.

use std::fmt::{self, Display, Formatter};

use super::{Brief, Step};
use crate::net::Netns;
use crate::state::LinkKind;

/// A step, or a text that stands for it, of a tunnel that lives in a namespace, or in none but this one.
#[derive(Debug, Clone, Copy)]
pub struct Inside<'a, T = &'a Step> {
    /// The step.
    pub step: &'a Step,
    /// Its text.
    pub text: T,
    /// The namespace.
    pub netns: Option<&'a Netns>,
}

impl<'a> Inside<'a> {
    /// The whole text of a step.
    pub fn new(step: &'a Step, netns: Option<&'a Netns>) -> Self {
        let text = step;
        Self { step, text, netns }
    }
}

impl<'a> Inside<'a, Brief<'a>> {
    /// The text of a step in one line of bearable length.
    pub fn brief(step: &'a Step, netns: Option<&'a Netns>) -> Self {
        let text = Brief(step);
        Self { step, text, netns }
    }
}

impl<T: Display> Display for Inside<'_, T> {
    /// Writes `ip -n NAME ...` or `ip netns exec NAME ...`. A hook's own text stays: it may be of several commands.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { step, text, netns } = self;
        let Some(netns) = netns else {
            return text.fmt(f);
        };
        if let Step::AddLink { ifname, kind } = step {
            return match kind {
                LinkKind::Kernel => {
                    write!(f, "ip link add dev {ifname} netns {netns} type wireguard")
                }
                LinkKind::Userspace { program: None } => {
                    write!(f, "wgq userspace {ifname} --netns {netns}")
                }
                LinkKind::Userspace {
                    program: Some(program),
                } => write!(f, "{program} {ifname}; ip link set {ifname} netns {netns}"),
            };
        }
        let is_of_all = matches!(
            step,
            Step::AddNetns(_) | Step::DeleteNetns(_) | Step::SetDns { .. } | Step::Hook { .. }
        );
        if is_of_all {
            return text.fmt(f);
        }
        let text = text.to_string();
        match text.strip_prefix("ip ") {
            Some(rest) => write!(f, "ip -n {netns} {rest}"),
            None => write!(f, "ip netns exec {netns} {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Sysctl;

    #[test]
    fn a_step_is_told_as_it_is_for_those_outside() {
        let work: Netns = "work".parse().unwrap();
        let ifname = "wg0".parse().unwrap();
        let text = |step: &Step| Inside::new(step, Some(&work)).to_string();
        let kind = LinkKind::Kernel;
        let add = Step::AddLink { ifname, kind };
        assert_eq!(Inside::new(&add, None).to_string(), add.to_string());
        assert_eq!(text(&add), "ip link add dev wg0 netns work type wireguard");
        let delete = add.inverse().unwrap();
        assert_eq!(text(&delete), "ip -n work link delete dev wg0");
        let sysctl = Step::SetSysctl {
            sysctl: Sysctl::IP_FORWARD,
            from: "0".into(),
            to: "1".into(),
            keep: std::collections::BTreeMap::new(),
        };
        let command = "ip netns exec work sysctl -q net.ipv4.ip_forward=1";
        assert_eq!(text(&sysctl), command);
        let netns = Step::AddNetns(work.clone());
        assert_eq!(text(&netns), netns.to_string());
    }
}
