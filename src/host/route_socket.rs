//! The steps that rtnetlink does: links, addresses, routes, rules.

use netlink_sys::protocols::NETLINK_ROUTE;

use super::netlink::{Failure, KernelError, Message, Netlink};
use super::{address, link, route, rule};
use crate::net::Ifname;
use crate::state::LinkKind;
use crate::step::Step;

/// An rtnetlink socket in the network namespace of the thread that opened it.
pub struct RouteSocket {
    pub(super) netlink: Netlink,
}

/// The last interface that was looked up.
type Lookup = Option<(Ifname, Result<u32, KernelError>)>;

impl RouteSocket {
    /// Opens the socket.
    pub fn open() -> Result<Self, KernelError> {
        let netlink = Netlink::open(NETLINK_ROUTE)?;
        Ok(Self { netlink })
    }

    /// Executes the steps in order, in as few system calls as can be, and returns those that failed. All others are
    /// done, those after a failed one too. Deleting what is not there is no failure.
    ///
    /// Only a kernel link can be added, and no steps but those of links, addresses, routes and rules are known.
    pub fn execute(&mut self, steps: &[Step]) -> Vec<Failure> {
        let mut lookup = None;
        let mut failures = Vec::new();
        let mut messages = Vec::with_capacity(steps.len());
        let mut indices = Vec::with_capacity(steps.len());
        for (index, step) in steps.iter().enumerate() {
            match self.message(step, &mut lookup) {
                Ok(message) => {
                    messages.push(message);
                    indices.push(index);
                }
                Err(error) => failures.push(Failure { index, error }),
            }
        }
        for Failure { index, error } in self.netlink.batch(messages) {
            failures.extend(indices.get(index).map(|&index| Failure { index, error }));
        }
        failures.retain(|Failure { index, error }| {
            !(error.is_absent() && steps.get(*index).is_some_and(is_deletion))
        });
        failures.sort_by_key(|failure| failure.index);
        failures
    }

    fn message(&mut self, step: &Step, lookup: &mut Lookup) -> Result<Message, KernelError> {
        let mut index = |ifname: &Ifname| self.index(*ifname, lookup);
        Ok(match step {
            Step::AddLink {
                ifname,
                kind: LinkKind::Kernel,
            } => link::add_wireguard(*ifname),
            Step::DeleteLink { ifname, .. } => link::delete(*ifname),
            Step::SetLink { ifname, from, to } => link::set(index(ifname)?, *from, *to),
            Step::AddAddress { ifname, address } => address::add(index(ifname)?, *address),
            Step::DeleteAddress { ifname, address } => address::delete(index(ifname)?, *address),
            Step::AddRoute { ifname, route } => route::add(index(ifname)?, route),
            Step::DeleteRoute { ifname, route } => route::delete(index(ifname)?, route),
            Step::AddRule(rule) => rule::add(rule).ok_or_else(not_ours)?,
            Step::DeleteRule(rule) => rule::delete(rule).ok_or_else(not_ours)?,
            Step::AddLink { .. }
            | Step::AddNetns(_)
            | Step::DeleteNetns(_)
            | Step::SetDevice { .. }
            | Step::SetPeer { .. }
            | Step::SetNftTable { .. }
            | Step::DeleteWgQuickTable { .. }
            | Step::AddAccept(_)
            | Step::DeleteAccept(_)
            | Step::SetSysctl { .. }
            | Step::SetDns { .. }
            | Step::Hook { .. } => return Err(not_ours()),
        })
    }

    /// Returns the number of the link of that name, looked up when it is not the one before.
    fn index(&mut self, ifname: Ifname, lookup: &mut Lookup) -> Result<u32, KernelError> {
        if let Some((known, index)) = lookup
            && *known == ifname
        {
            return index.clone();
        }
        let index = self
            .link(ifname)?
            .map(|link| link.index)
            .ok_or(KernelError::from_errno(libc::ENODEV));
        *lookup = Some((ifname, index.clone()));
        index
    }
}

fn is_deletion(step: &Step) -> bool {
    matches!(
        step,
        Step::DeleteLink { .. }
            | Step::DeleteAddress { .. }
            | Step::DeleteRoute { .. }
            | Step::DeleteRule(_)
    )
}

fn not_ours() -> KernelError {
    KernelError::from_errno(libc::EOPNOTSUPP)
}
