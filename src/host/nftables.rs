//! The tunnel's own nftables table, written and read without nft(8): a table is replaced and deleted as a whole.
//!
//! A rule goes from the crate's words (`schema`) to instructions of the kernel's machine, and from these to bytes; reading
//! takes the same way back.

use std::collections::BTreeSet;

use netlink_sys::protocols::NETLINK_NETFILTER;

use crate::foreign::{Accept, Table};
use crate::host::netlink::Netlink;
use crate::net::{self, Ifname};
use crate::nft::NftTable;

mod attribute;
mod compile;
mod datatype;
mod decompile;
mod dump;
mod error;
mod field;
mod foreign;
mod instruction;
mod message;
mod nat;
mod prefix;
mod set;
mod symbol;
mod transaction;

pub use error::Error;

use message::Family;
use transaction::Transaction;

/// Makes the table, where none of its name was seen.
///
/// To delete a table, even one that is not there, the kernel waits for a grace period; to make one it need not. One that
/// came meanwhile is replaced.
pub fn create(table: &NftTable) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    transaction.create(table)?;
    match transaction.commit(&mut open()?) {
        Err(Error::Refused { source, .. }) if source.is_present() => replace(table),
        done => done,
    }
}

/// Puts the table in place, instead of the one of its name if there is one; all of it or nothing.
pub fn replace(table: &NftTable) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    transaction.replace(table)?;
    transaction.commit(&mut open()?)
}

/// What can be deleted.
#[derive(Debug, Clone, Copy)]
pub enum Deletion<'a> {
    /// The table of this name (family inet).
    Table(&'a str),
    /// The table of a family that wg-quick(8) made for an interface.
    WgQuickTable(Ifname, net::Family),
    /// A rule in another program's chain.
    Accept(&'a Accept),
}

/// Deletes all of it or nothing; that a single one is not there is no error.
pub fn delete(deletions: &[Deletion<'_>]) -> Result<(), Error> {
    let commit = |mut client: Netlink| {
        let mut transaction = Transaction::new();
        for deletion in deletions {
            match *deletion {
                Deletion::Table(name) => transaction.delete_table(Family::INET, name),
                Deletion::WgQuickTable(ifname, family) => {
                    transaction.delete_table(family.into(), &wg_quick_name(ifname));
                }
                Deletion::Accept(accept) => {
                    foreign::delete(&mut client, accept, &mut transaction)?;
                }
            }
        }
        transaction.commit(&mut client)
    };
    match open().and_then(commit) {
        Err(Error::Refused { source, .. }) if source.is_absent() && deletions.len() == 1 => Ok(()),
        done => nothing_if_unsupported(done),
    }
}

/// Reads the table of this name (family inet); none if there is none.
///
/// What wgq does not make is not read: a chain or a rule of that kind is unlike any that wgq would make.
pub fn observe(name: &str) -> Result<Option<NftTable>, Error> {
    nothing_if_unsupported(open().and_then(|mut client| dump::table(&mut client, name)))
}

/// The tables of an interface.
#[derive(Debug, Default)]
pub struct Tables {
    /// Our own, if there is one.
    pub own: Option<NftTable>,
    /// The families of those that wg-quick(8) made: `ip wg-quick-wg0`, `ip6 wg-quick-wg0`.
    pub wg_quick: BTreeSet<net::Family>,
}

/// Reads the tables of an interface.
pub fn tables_of(ifname: Ifname) -> Result<Tables, Error> {
    nothing_if_unsupported(open().and_then(|mut client| {
        let there = dump::table_names(&mut client)?;
        let is_there = |family, name: &str| there.iter().any(|it| it.0 == family && it.1 == name);
        let own = NftTable::name_for(ifname);
        let wg_quick = wg_quick_name(ifname);
        Ok(Tables {
            own: if is_there(Family::INET, &own) {
                dump::table(&mut client, &own)?
            } else {
                None
            },
            wg_quick: net::Family::BOTH
                .into_iter()
                .filter(|family| is_there((*family).into(), &wg_quick))
                .collect(),
        })
    }))
}

/// Reads the tables of other programs in which packets are filtered that pass through or are for this host, or change
/// their source.
pub(super) fn foreign_tables() -> Result<Vec<Table>, Error> {
    nothing_if_unsupported(open().and_then(|mut client| foreign::tables(&mut client)))
}

/// Adds a rule to another program's chain.
pub(super) fn add_accept(accept: &Accept) -> Result<(), Error> {
    foreign::add(&mut open()?, accept)
}

fn wg_quick_name(ifname: Ifname) -> String {
    format!("wg-quick-{ifname}")
}

impl From<net::Family> for Family {
    fn from(family: net::Family) -> Self {
        match family {
            net::Family::V4 => Self::IP,
            net::Family::V6 => Self::IP6,
        }
    }
}

fn open() -> Result<Netlink, Error> {
    Netlink::open(NETLINK_NETFILTER).map_err(Error::unreadable)
}

/// Where there are no tables at all, there is none to be read or deleted.
fn nothing_if_unsupported<T: Default>(result: Result<T, Error>) -> Result<T, Error> {
    match result {
        Err(Error::Unsupported(_)) => Ok(T::default()),
        other => other,
    }
}
