//! What no single line shows: values that contradict each other, or that together do what nobody means.

use std::collections::HashMap;

use super::firewall;
use super::model::{Config, Interface, Table};
use super::report::{Fault, Report};
use super::span::{Span, Spanned};
use crate::net::{Address, Family, Ifname, TableId};

/// IPv6 wants links that take packets of this size (RFC 8200); the kernel turns it off on others.
const MIN_IPV6_MTU: u32 = 1280;

/// Tells what is wrong with a file as a whole; the interface's name is not always known.
pub(super) fn check(config: &Config, ifname: Option<Ifname>, report: &mut Report<'_>) {
    private_key(&config.interface, report);
    addresses(&config.interface.addresses, report);
    mtu(&config.interface, report);
    peers(config, report);
    if config.is_full_tunnel() {
        full_tunnel(&config.interface, report);
    }
    firewall::check(config, ifname, report);
    report.key = None;
}

fn private_key(interface: &Interface, report: &mut Report<'_>) {
    report.key = Some("PrivateKeyFile");
    match (&interface.private_key, &interface.private_key_file) {
        (Some(_), Some(file)) => {
            report.error(Fault::at(
                file.span,
                "there is a PrivateKey too, and only one can hold",
            ));
        }
        (None, None) if !report.is_refused() && !interface.hooks.give_private_key() => {
            report.key = None;
            let told = "there is no PrivateKey: the interface comes up, and no peer can be reached";
            report.warning(Fault::at(Span::default(), told));
        }
        _ => {}
    }
}

fn addresses(addresses: &[Spanned<Address>], report: &mut Report<'_>) {
    report.key = Some("Address");
    let mut lines = HashMap::new();
    for address in addresses {
        // the kernel has an IPv4 address once for each length, and an IPv6 address once
        let len = (address.family() == Family::V4).then_some(address.prefix_len());
        if let Some(line) = lines.insert((address.ip(), len), address.span.line) {
            let told = format!("{} is on line {line} already", address.value);
            report.error(Fault::at(address.span, told));
        }
    }
}

fn mtu(interface: &Interface, report: &mut Report<'_>) {
    report.key = Some("MTU");
    let has_v6 = interface
        .addresses
        .iter()
        .any(|address| address.family() == Family::V6);
    if let Some(mtu) = interface.mtu
        && mtu.value < MIN_IPV6_MTU
        && has_v6
    {
        let told = format!(
            "below {MIN_IPV6_MTU} the kernel takes IPv6 off the interface, and its addresses with it"
        );
        report.warning(Fault::at(mtu.span, told));
    }
}

fn peers(config: &Config, report: &mut Report<'_>) {
    let mut lines = HashMap::new();
    for peer in &config.peers {
        let key = &peer.public_key;
        report.key = Some("PublicKey");
        if key.span.line > 0
            && let Some(line) = lines.insert(key.value, key.span.line)
        {
            let told = format!("the peer on line {line} has this key too");
            report
                .error(Fault::at(key.span, told).hint("put what both say into one [Peer] section"));
        }
        report.key = Some("PresharedKeyFile");
        if let (Some(_), Some(file)) = (&peer.preshared_key, &peer.preshared_key_file) {
            report.error(Fault::at(
                file.span,
                "there is a PresharedKey too, and only one can hold",
            ));
        }
    }
}

/// A default route goes into a table of its own, and none of those in which the kernel has its own routes is that.
fn full_tunnel(interface: &Interface, report: &mut Report<'_>) {
    let reserved = |id: TableId| match id.0 {
        253 => Some("default"),
        254 => Some("main"),
        255 => Some("local"),
        _ => None,
    };
    match interface.table.value {
        Table::Auto => {
            // wg-quick: the mark is the table's number too
            report.key = Some("FwMark");
            if let Some(mark) = interface.fwmark
                && let Some(name) = reserved(TableId(mark.value.0))
            {
                let told = format!(
                    "a full tunnel's mark is the number of its routing table too, and {} is the table {name}",
                    mark.value.0
                );
                report.error(
                    Fault::at(mark.span, told)
                        .hint("51820 is free on most hosts, and chosen without a FwMark"),
                );
            }
        }
        Table::Id(TableId::MAIN) => {
            // it works where the host's own default route has a metric, or there is none
            report.key = Some("Table");
            let told = "a default route in the table main is in the way of the host's own, and of the tunnel's packets to its peers";
            report.warning(
                Fault::at(interface.table.span, told).hint("with Table = auto both are kept apart"),
            );
        }
        Table::Id(id) if reserved(id) == Some("local") => {
            report.key = Some("Table");
            let told =
                "a default route in the table local would make every address one of this host";
            report.error(Fault::at(interface.table.span, told));
        }
        Table::Id(_) | Table::Off => {}
    }
}
