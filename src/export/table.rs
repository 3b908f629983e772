//! The tunnel's nftables table as commands of nft(8), each a hook.

use super::hooks::Hooks;
use crate::net::{FwMark, Ifname};
use crate::nft::{NftChain, NftTable};

/// The commands that make the table, and the one that deletes it. In place of a `chosen` mark stands the one that the tunnel
/// has by then.
pub(super) fn hooks(hooks: &mut Hooks, table: &NftTable, ifname: Ifname, chosen: Option<FwMark>) {
    // an interface's name can have these, a table's cannot
    let name = format!("wgq-{ifname}").replace(['=', '+'], "_");
    // one that is left of an `up` that failed goes first; what is not there cannot be deleted
    hooks.up(format!(
        "nft 'add table inet {name}; delete table inet {name}; add table inet {name}'"
    ));
    for chain in &table.chains {
        let commands = commands(chain, &name).into_iter();
        hooks.up_all(commands.map(|command| match chosen {
            None => command,
            Some(mark) => {
                let found = "'$(wg show %i fwmark)'"; // out of the quotes and back
                command.replace(&format!("{:#010x}", mark.0), found)
            }
        }));
    }
    hooks.down(format!("nft delete table inet {name}"));
}

/// The chain, and then its rules, as they are listed: a line each, the first one but for what hooks the chain in.
fn commands(chain: &NftChain, table: &str) -> Vec<String> {
    let name = &chain.chain.name;
    let listed = chain.to_string();
    let mut lines = listed.lines().skip(1).map(str::trim);
    let base = lines.next().unwrap_or_default();
    let rules = lines.filter(|line| *line != "}");
    let rules = rules.map(|rule| format!("nft 'add rule inet {table} {name} {rule}'"));
    let chain = format!("nft 'add chain inet {table} {name} {{ {base} }}'");
    [chain].into_iter().chain(rules).collect()
}
