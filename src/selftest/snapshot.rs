//! All that a tunnel could leave on a machine, as the kernel tells it, to be compared before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, Result};
use netlink_packet_core::{DecodeError, NlasIterator};
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};

use crate::host::netlink::{KernelError, Message, Netlink};
use crate::host::run_dir::RUN_DIR;
use crate::host::sysctl;
use crate::host::uapi::SOCKET_DIR;
use crate::state::Sysctl;

/// A list that the kernel gives, and what of its entries does not change by itself.
struct List {
    name: &'static str,
    protocol: isize,
    request: u16,
    /// The length of what comes before the attributes, in bytes.
    header: usize,
    /// How much of that is kept: then come flags, and counters.
    header_kept: usize,
    /// Which attributes are kept.
    kept: fn(u16) -> bool,
}

// the numbers are those of linux/rtnetlink.h, linux/if_link.h and linux/netfilter/nf_tables.h
const LISTS: [List; 5] = [
    List {
        name: "links",
        protocol: NETLINK_ROUTE,
        request: 18, // RTM_GETLINK
        header: 16,
        header_kept: 8,
        kept: |attribute| matches!(attribute, 3 | 4), // IFLA_IFNAME, IFLA_MTU; others count packets
    },
    List {
        name: "addresses",
        protocol: NETLINK_ROUTE,
        request: 22, // RTM_GETADDR
        header: 8,
        header_kept: 2,
        kept: |attribute| matches!(attribute, 1..=3), // IFA_ADDRESS, IFA_LOCAL, IFA_LABEL
    },
    List {
        name: "routes",
        protocol: NETLINK_ROUTE,
        request: 26, // RTM_GETROUTE
        header: 12,
        header_kept: 8,
        kept: |attribute| attribute != 12, // RTA_CACHEINFO: when it was used
    },
    List {
        name: "policy rules",
        protocol: NETLINK_ROUTE,
        request: 34, // RTM_GETRULE
        header: 12,
        header_kept: 8,
        kept: |_| true,
    },
    List {
        name: "nftables tables",
        protocol: NETLINK_NETFILTER,
        request: 10 << 8 | 1, // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE
        header: 4,
        header_kept: 1,
        kept: |_| true,
    },
];

/// What there is of each sort.
pub(super) struct Snapshot(BTreeMap<&'static str, BTreeSet<Vec<u8>>>);

impl Snapshot {
    /// Looks at the machine of this thread.
    pub(super) fn take() -> Result<Self> {
        let mut found = BTreeMap::new();
        for list in LISTS {
            let entries = list.read().with_context(|| format!("list {}", list.name))?;
            found.insert(list.name, entries);
        }
        found.insert("files in /run", files());
        let value = sysctl::read(&Sysctl::SRC_VALID_MARK)?;
        let values = value.map(String::into_bytes).into_iter().collect();
        found.insert("src_valid_mark", values);
        Ok(Self(found))
    }

    /// Says what is there now and was not there before, and what is not there any more.
    pub(super) fn changes(&self, before: &Self) -> Vec<String> {
        let nothing = BTreeSet::new();
        let mut changes = Vec::new();
        for (name, now) in &self.0 {
            let was = before.0.get(name).unwrap_or(&nothing);
            let (left, missing) = (now.difference(was).count(), was.difference(now).count());
            if left + missing > 0 {
                changes.push(format!("{name}: {left} left, {missing} missing"));
            }
        }
        changes
    }
}

impl List {
    fn read(&self) -> Result<BTreeSet<Vec<u8>>, KernelError> {
        let mut netlink = Netlink::open(self.protocol)?;
        let request = Message::from_payload(self.request, 0, vec![0; self.header]);
        let found = netlink.dump(&request, |answer| self.lasting(answer.payload).map(Some));
        match found {
            // without nftables the kernel knows nobody to ask
            Err(error) if error.is_unsupported() || error.errno() == libc::EINVAL => {
                Ok(BTreeSet::new())
            }
            found => Ok(found?.into_iter().collect()),
        }
    }

    /// Returns what of an entry stays the same as long as nobody changes it.
    fn lasting(&self, entry: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let (header, attributes) = entry.split_at(self.header.min(entry.len()));
        let mut lasting: Vec<u8> = header.iter().copied().take(self.header_kept).collect();
        for attribute in NlasIterator::new(attributes) {
            let attribute = attribute?;
            if (self.kept)(attribute.kind()) {
                lasting.extend(attribute.kind().to_ne_bytes());
                lasting.extend_from_slice(attribute.value());
            }
        }
        Ok(lasting)
    }
}

/// The files of running tunnels.
fn files() -> BTreeSet<Vec<u8>> {
    let folders = [RUN_DIR, SOCKET_DIR].into_iter().flat_map(fs::read_dir);
    let entries = folders.flatten().flatten();
    entries
        .map(|entry| entry.path().into_os_string().into_encoded_bytes())
        .collect()
}
