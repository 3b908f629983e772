//! The tunnel's own nftables table, written and read without nft(8): a table is replaced and deleted as a whole.
//!
//! A rule goes from the crate's words (`schema`) to instructions of the kernel's machine, and from these to bytes; reading
//! takes the same way back.

use netlink_sys::protocols::NETLINK_NETFILTER;

use crate::host::netlink::Netlink;
use crate::net::Ifname;
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
mod set;
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
    let mut transaction = Transaction::new();
    transaction.delete_table(Family::INET, name);
    match transaction.commit(&mut open()?) {
        Err(Error::Refused { source, .. }) if source.is_absent() => Ok(()),
        done => done,
    }
}

/// Reads the table of this name (family inet); none if there is none.
///
/// What wgq does not make is not read: a chain or a rule of that kind is unlike any that wgq would make.
pub fn observe(name: &str) -> Result<Option<NftTable>, Error> {
    dump::table(&mut open()?, name)
}

/// Deletes the tables that wg-quick(8) made for an interface, and returns their families and names: `ip wg-quick-wg0`.
pub fn delete_wg_quick_tables(ifname: Ifname) -> Result<Vec<String>, Error> {
    let mut client = open()?;
    let name = format!("wg-quick-{ifname}");
    let families = [Family::IP, Family::IP6, Family::INET];
    let mut tables = dump::table_names(&mut client)?;
    tables.retain(|(family, table)| families.contains(family) && *table == name);
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let mut transaction = Transaction::new();
    for (family, name) in &tables {
        transaction.delete_table(*family, name);
    }
    transaction.commit(&mut client)?;
    Ok(tables
        .iter()
        .map(|(family, name)| format!("{family} {name}"))
        .collect())
}

fn open() -> Result<Netlink, Error> {
    Netlink::open(NETLINK_NETFILTER).map_err(Error::unreadable)
}
