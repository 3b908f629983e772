//! The tunnel's own nftables table, written and read without nft(8): a table is replaced and deleted as a whole.
//!
//! A rule goes from the crate's words (`schema`) to instructions of the kernel's machine, and from these to bytes; reading
//! takes the same way back.

use std::collections::BTreeSet;

use netlink_sys::protocols::NETLINK_NETFILTER;

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

/// Puts the table in place, instead of the one of its name if there is one; all of it or nothing.
pub fn replace(table: &NftTable) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    transaction.replace(table)?;
    transaction.commit(&mut open()?)
}

/// Deletes the table of this name (family inet); that there is none is no error.
pub fn delete(name: &str) -> Result<(), Error> {
    delete_table(Family::INET, name)
}

fn delete_table(family: Family, name: &str) -> Result<(), Error> {
    let mut transaction = Transaction::new();
    transaction.delete_table(family, name);
    match open().and_then(|mut client| transaction.commit(&mut client)) {
        Err(Error::Refused { source, .. }) if source.is_absent() => Ok(()),
        done => nothing_if_unsupported(done),
    }
}

/// Reads the table of this name (family inet); none if there is none.
///
/// What wgq does not make is not read: a chain or a rule of that kind is unlike any that wgq would make.
pub fn observe(name: &str) -> Result<Option<NftTable>, Error> {
    nothing_if_unsupported(open().and_then(|mut client| dump::table(&mut client, name)))
}

/// Returns the families of the tables that wg-quick(8) made for an interface: `ip wg-quick-wg0`, `ip6 wg-quick-wg0`.
pub fn wg_quick_tables(ifname: Ifname) -> Result<BTreeSet<net::Family>, Error> {
    let name = wg_quick_name(ifname);
    let tables = open().and_then(|mut client| dump::table_names(&mut client));
    let tables = nothing_if_unsupported(tables)?;
    let is_there = |family: &net::Family| tables.contains(&((*family).into(), name.clone()));
    Ok(net::Family::BOTH.into_iter().filter(is_there).collect())
}

/// Deletes the table of a family that wg-quick(8) made for an interface.
pub fn delete_wg_quick_table(ifname: Ifname, family: net::Family) -> Result<(), Error> {
    delete_table(family.into(), &wg_quick_name(ifname))
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
