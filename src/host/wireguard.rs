//! The kernel's WireGuard devices and their peers, by generic netlink (linux/wireguard.h).

use std::collections::HashSet;
use std::ops::Range;

use netlink_packet_core::{DecodeError, NlasIterator, parse_u16};
use netlink_packet_generic::ctrl::nlas::GenlCtrlAttrs;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_generic::{GenlFamily, GenlMessage};
use netlink_packet_wireguard::{WireguardAttribute, WireguardCmd, WireguardMessage};
use netlink_sys::protocols::NETLINK_GENERIC;

use super::moved::gained;
use super::netlink::{Failure, KernelError, Message, Netlink};
use crate::net::{Ifname, Prefix};
use crate::state::Device;
use crate::status::DeviceStatus;
use crate::step::Step;

mod change;
mod found;
mod secrets;

use change::Removal;
use secrets::Secrets;

/// `GENL_HDRLEN`
const GENL_HEADER_LEN: usize = 4;

/// A socket to the kernel's WireGuard, in the network namespace of the thread that opened it.
pub struct WireGuard {
    netlink: Netlink,
    family: u16,
    removal: Removal,
}

/// Whether an error of adding a link, or of [`WireGuard::open`], says that this kernel has no WireGuard.
pub fn is_missing(error: &KernelError) -> bool {
    error.is_unsupported() || error.errno() == libc::ENOENT
}

impl WireGuard {
    /// Opens the socket, for which the kernel loads its module if need be. On failure see [`is_missing`].
    pub fn open() -> Result<Self, KernelError> {
        let mut netlink = Netlink::open(NETLINK_GENERIC)?;
        let name = WireguardMessage::family_name().to_owned();
        let question = GenlMessage::from_payload(GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(name)],
        });
        let family = netlink
            .get(Message::new(&question, 0), |answer| {
                family_id(answer.payload)
            })?
            .flatten()
            .ok_or(KernelError::from_errno(libc::ENOENT))?;
        Ok(Self {
            netlink,
            family,
            removal: Removal::Single,
        })
    }

    /// Returns the device and its peers; none if there is no such link, or it is of another kind.
    pub fn device(&mut self, ifname: Ifname) -> Result<Option<Device>, KernelError> {
        Ok(self.status(ifname)?.map(DeviceStatus::into_device))
    }

    /// As [`Self::device`], with how it fares.
    pub fn status(&mut self, ifname: Ifname) -> Result<Option<DeviceStatus>, KernelError> {
        let name = vec![WireguardAttribute::IfName(ifname.to_string())];
        let dump = Secrets::new(WireguardCmd::GetDevice, name).into_message(self.family);
        let parts = self
            .netlink
            .dump(&dump, |answer| found::parse(answer.payload).map(Some));
        match parts {
            Err(error) if error.is_absent() || error.is_unsupported() => Ok(None),
            parts => Ok(Some(found::merge(parts?))),
        }
    }

    /// Executes the steps in order, in as few messages as can be, and returns those that failed. All others are done,
    /// those after a failed one too.
    ///
    /// To change a peer that is gone meanwhile is no failure, and does not make it anew: only another look at the device
    /// tells. No steps but those of devices and peers are known.
    pub fn execute(&mut self, steps: &[Step]) -> Vec<Failure> {
        let gained = gained(steps);
        let mut failures = Vec::new();
        let mut next = 0;
        while let Some(refused) = self.first_refused(steps, next, &gained) {
            next = refused.end;
            // The kernel does not tell at which step it stopped. To do one again does no harm, so each tells for itself.
            for (index, step) in steps
                .iter()
                .enumerate()
                .take(refused.end)
                .skip(refused.start)
            {
                if let Err(error) = self.execute_one(step, &gained) {
                    failures.push(Failure { index, error });
                }
            }
        }
        failures
    }

    /// Sends the messages for the steps from the given one on, and returns the indices of the first that was refused.
    fn first_refused(
        &mut self,
        steps: &[Step],
        from: usize,
        gained: &HashSet<Prefix>,
    ) -> Option<Range<usize>> {
        change::messages(steps, from, self.removal, gained)
            .find_map(|(indices, message)| self.send(message).is_err().then_some(indices))
    }

    fn execute_one(&mut self, step: &Step, gained: &HashSet<Prefix>) -> Result<(), KernelError> {
        match self.send_all(step, self.removal, gained) {
            Err(error) if error.errno() == libc::EINVAL && self.removal == Removal::Single => {
                let carried = self.send_all(step, Removal::Carried, gained);
                carried.map_err(|_| error)?;
                self.removal = Removal::Carried;
                Ok(())
            }
            sent => sent,
        }
    }

    fn send_all(
        &mut self,
        step: &Step,
        removal: Removal,
        gained: &HashSet<Prefix>,
    ) -> Result<(), KernelError> {
        change::messages(std::slice::from_ref(step), 0, removal, gained)
            .try_for_each(|(_, message)| self.send(message))
    }

    fn send(&mut self, message: Secrets) -> Result<(), KernelError> {
        self.netlink.request(message.into_message(self.family))
    }
}

/// Reads `CTRL_ATTR_FAMILY_ID`, the number that the kernel gave a family.
fn family_id(payload: &[u8]) -> Result<Option<u16>, DecodeError> {
    const CTRL_ATTR_FAMILY_ID: u16 = 1;
    let attributes = payload.get(GENL_HEADER_LEN..).unwrap_or_default();
    NlasIterator::new(attributes)
        .filter_map(Result::ok)
        .find(|attribute| attribute.kind() == CTRL_ATTR_FAMILY_ID)
        .map(|attribute| parse_u16(attribute.value()))
        .transpose()
}
