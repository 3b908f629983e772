//! The lines of hooks, in the order in which wg-quick(8) is to run them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};
use std::path::Path;

use crate::config::Config;
use crate::foreign::{Accept, Tool, comment};
use crate::net::Ifname;
use crate::state::Sysctl;

/// Commands for PostUp and PostDown.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    said: Vec<&'static str>,
    up: Vec<String>,
    down: Vec<String>,
}

impl Hooks {
    /// A sentence in front of the commands.
    pub(super) fn say(&mut self, sentence: &'static str) {
        self.said.push(sentence);
    }

    /// A command once the tunnel is up.
    pub(super) fn up(&mut self, command: String) {
        self.up.push(command);
    }

    /// Commands once the tunnel is up.
    pub(super) fn up_all(&mut self, commands: impl IntoIterator<Item = String>) {
        self.up.extend(commands);
    }

    /// A command once it is gone, before those of what came up earlier.
    pub(super) fn down(&mut self, command: String) {
        self.down.push(command);
    }

    /// `PrivateKeyFile` and `PresharedKeyFile`.
    pub(super) fn key_files(&mut self, config: &Config) {
        if let Some(path) = &config.interface.private_key_file {
            self.up(format!("wg set %i private-key {}", quoted(&path.value)));
        }
        for peer in &config.peers {
            if let Some(path) = &peer.preshared_key_file {
                let (key, path) = (peer.public_key.value, quoted(&path.value));
                self.up(format!("wg set %i peer {key} preshared-key {path}"));
            }
        }
    }

    /// Kernel variables. They stay: when the tunnel goes, others may need them.
    pub(super) fn sysctls(&mut self, sysctls: &BTreeMap<Sysctl, String>) {
        let set = |(sysctl, value): (&Sysctl, &String)| format!("sysctl -q {}={value}", sysctl.0);
        // a router's word must be taken in spite of forwarding before that is on
        let (first, then): (Vec<_>, _) = sysctls.iter().partition(|(it, _)| it.is_accept_ra());
        self.up_all(first.into_iter().map(set));
        self.up_all(then.into_iter().map(set));
    }

    /// Rules in other programs' firewalls.
    pub(super) fn accepts(&mut self, accepts: &BTreeSet<Accept>) {
        for accept in accepts {
            self.up(Add(accept).to_string());
            match accept.tool {
                Tool::Iptables => self.down(Delete(accept).to_string()),
                Tool::Nft => self.down(delete_by_comment(accept)),
            }
        }
    }

    /// The lines of the file; nothing if there are no commands.
    pub(super) fn lines(&self, ifname: Ifname) -> Vec<String> {
        if self.up.is_empty() && self.said.is_empty() {
            return Vec::new();
        }
        let up = self.up.iter().map(|command| format!("PostUp = {command}"));
        let down = self.down.iter().rev();
        let down = down.map(|command| format!("PostDown = {command}"));
        let title = format!("# what wgq's keys do, for the interface {ifname}:");
        let said = self.said.iter().map(|sentence| format!("# {sentence}"));
        let head = [title].into_iter().chain(said);
        head.chain(up).chain(down).collect()
    }
}

/// nft(8) deletes a rule by its handle alone, which is found by its comment.
fn delete_by_comment(accept: &Accept) -> String {
    let Accept {
        family,
        table,
        chain,
        ..
    } = accept;
    let of = format!("{family} {table} {chain}");
    let comment = comment(accept.ifname);
    // no `#`: before version 1.0.20260223 it begins a comment
    format!(
        "nft -a list chain {of} | sed -n 's/.* comment \"{comment}\" . handle \\([0-9]*\\)$/delete rule {of} handle \\1/p' | nft -f -"
    )
}

struct Add<'a>(&'a Accept);

impl Display for Add<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.write_add(f)
    }
}

struct Delete<'a>(&'a Accept);

impl Display for Delete<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.write_delete(f)
    }
}

/// The path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
