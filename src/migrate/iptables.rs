//! What `iptables` and `ip6tables` say.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::fact::{Action, Chain, Fact, Interface, Is, Matches, Rule, Sign, Target};
use super::shell::Why;
use crate::config::Protocol;
use crate::net::{Address, Family, Prefix};

/// The matches whose names say nothing themselves.
const MODULES: [&str; 9] = [
    "comment",
    "conntrack",
    "state",
    "tcp",
    "udp",
    "multiport",
    "mark",
    "addrtype",
    "connmark",
];

/// Reads the arguments of one call.
pub(super) fn read(family: Family, tunnel: &str, args: &[String]) -> Result<Action, Why> {
    let mut reader = Reader {
        family,
        tunnel,
        args: args.iter(),
        not: false,
        table: "filter".into(),
        command: None,
        matches: Matches::default(),
        target: None,
        to: None,
        clamp: false,
    };
    while let Some(arg) = reader.args.next() {
        let (option, value) = match arg.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        reader.option(option, value)?;
    }
    reader.finish()
}

struct Reader<'a> {
    family: Family,
    tunnel: &'a str,
    args: std::slice::Iter<'a, String>,
    /// Whether a `!` came before.
    not: bool,
    table: String,
    command: Option<(Sign, String)>,
    matches: Matches,
    target: Option<String>,
    to: Option<(IpAddr, Option<RangeInclusive<u16>>)>,
    clamp: bool,
}

impl Reader<'_> {
    fn option(&mut self, option: &str, inline: Option<String>) -> Result<(), Why> {
        if let Some(command) = sign(option) {
            let chain = self.value(inline)?;
            if self.next_is_number() {
                self.args.next(); // the place in the chain
            }
            self.command = Some((command, chain));
            return Ok(());
        }
        match option {
            "!" => {
                self.not = true;
                return Ok(());
            }
            "-w" | "--wait" | "-W" | "--wait-interval" => {
                if inline.is_none() && self.next_is_number() {
                    self.args.next();
                }
            }
            "-n" | "--numeric" | "-v" | "--verbose" | "-4" | "-6" | "--ipv4" | "--ipv6"
            | "--random" | "--random-fully" | "--persistent" => {}
            "-t" | "--table" => self.table = self.value(inline)?,
            "-j" | "--jump" => {
                self.target = Some(self.value(inline)?);
            }
            "-m" | "--match" => {
                let module = self.value(inline)?;
                if !MODULES.contains(&module.as_str()) {
                    self.other(format!("`-m {module}`"));
                }
            }
            "--comment" | "--reject-with" => drop(self.value(inline)?),
            "--clamp-mss-to-pmtu" => self.clamp = true,
            _ => self.matching(option, inline)?,
        }
        self.not = false;
        Ok(())
    }

    fn matching(&mut self, option: &str, inline: Option<String>) -> Result<(), Why> {
        let not = self.not;
        match option {
            "-i" | "--in-interface" => {
                let value = Interface::of(&self.value(inline)?, self.tunnel);
                self.matches.input = Some(Is { not, value });
            }
            "-o" | "--out-interface" => {
                let value = Interface::of(&self.value(inline)?, self.tunnel);
                self.matches.output = Some(Is { not, value });
            }
            "-s" | "--source" | "--src" => self.matches.source = self.prefix(inline)?,
            "-d" | "--destination" | "--dst" => self.matches.destination = self.prefix(inline)?,
            "-p" | "--protocol" | "--proto" => {
                let name = self.value(inline)?;
                match protocol(&name) {
                    Some(protocol) if !not => self.matches.protocol = Some(protocol),
                    _ if name == "all" && !not => {}
                    _ => self.other(format!("`-p {name}`")),
                }
            }
            "--dport" | "--destination-port" | "--dports" | "--destination-ports" => {
                let text = self.value(inline)?;
                match ports(&text) {
                    Some(ports) if !not => self.matches.ports = ports,
                    _ => self.other(format!("`{option} {text}`")),
                }
            }
            "--to-destination" | "--to" => {
                let text = self.value(inline)?;
                self.to = destination(&text);
                if self.to.is_none() {
                    self.other(format!("`{option} {text}`"));
                }
            }
            "--ctstate" | "--state" => {
                let states = self.value(inline)?.to_ascii_uppercase();
                let has = |state: &str| states.split(',').any(|given| given == state);
                match (has("NEW"), has("ESTABLISHED")) {
                    (true, _) if !not => {} // answers pass by another rule, or never
                    (false, true) if !not => self.matches.established = true,
                    _ => self.other(format!("`{option} {states}`")),
                }
            }
            "--syn" if not => self.other("`! --syn`".into()),
            "--syn" => {} // the answers pass by another rule, or never
            "--tcp-flags" => {
                let flags = (self.value(inline)?, self.value(None)?);
                let syn = flags.1 == "SYN" && flags.0.split(',').any(|flag| flag == "SYN");
                if syn && !not {
                    self.matches.syn = true;
                } else {
                    self.other(format!("`--tcp-flags {} {}`", flags.0, flags.1));
                }
            }
            "--mark" => {
                let mark = self.value(inline)?;
                if not && mark == own_mark(self.tunnel) {
                    self.matches.not_own = true;
                } else {
                    self.other(format!("`--mark {mark}`"));
                }
            }
            "--dst-type" => {
                let kind = self.value(inline)?;
                if not && kind == "LOCAL" {
                    self.matches.not_local = true;
                } else {
                    self.other(format!("`--dst-type {kind}`"));
                }
            }
            _ => {
                // its values cannot be told from what comes next, but they are no options
                while self
                    .args
                    .as_slice()
                    .first()
                    .is_some_and(|arg| !arg.starts_with('-') && arg != "!")
                {
                    self.args.next();
                }
                self.other(format!("`{option}`"));
            }
        }
        Ok(())
    }

    fn value(&mut self, inline: Option<String>) -> Result<String, Why> {
        inline
            .or_else(|| self.args.next().cloned())
            .ok_or_else(|| "the command is not complete".into())
    }

    fn prefix(&mut self, inline: Option<String>) -> Result<Option<Is<Prefix>>, Why> {
        let (not, text) = (self.not, self.value(inline)?);
        if let Ok(value) = text.parse().map(Address::prefix) {
            return Ok(Some(Is { not, value }));
        }
        self.other(format!("`{text}`"));
        Ok(None)
    }

    fn next_is_number(&self) -> bool {
        let next = self.args.as_slice().first();
        next.is_some_and(|arg| arg.parse::<u32>().is_ok())
    }

    fn other(&mut self, why: Why) {
        self.matches.other.get_or_insert(why);
    }

    fn finish(self) -> Result<Action, Why> {
        let Some((sign, name)) = self.command else {
            return Err("a command of iptables that adds or deletes no rule".into());
        };
        let target = match (self.target.as_deref(), self.to) {
            (Some("ACCEPT"), _) => Target::Accept,
            (Some("DROP" | "REJECT"), _) => Target::Drop,
            (Some("MASQUERADE"), _) => Target::Masquerade,
            (Some("TCPMSS"), _) if self.clamp => Target::ClampMss,
            (Some("DNAT"), Some((ip, ports))) => Target::Dnat(ip, ports),
            (Some(name), _) => Target::Other(format!("`-j {name}`")),
            (None, _) => Target::Other("a rule without `-j`".into()),
        };
        let chain = Chain {
            family: self.family,
            table: self.table,
            name,
            nft: None,
            own: false,
        };
        let rule = Rule {
            chain,
            matches: self.matches,
            target,
        };
        Ok(Action {
            sign,
            fact: Fact::Rule(Box::new(rule)),
        })
    }
}

fn sign(option: &str) -> Option<Sign> {
    match option {
        "-A" | "--append" => Some(Sign::Append),
        "-I" | "--insert" => Some(Sign::Insert),
        "-D" | "--delete" => Some(Sign::Delete),
        "-C" | "--check" => Some(Sign::Check),
        _ => None,
    }
}

/// How hooks name the mark of the tunnel's own packets.
pub(super) fn own_mark(tunnel: &str) -> String {
    format!("$(wg show {tunnel} fwmark)")
}

pub(super) fn protocol(name: &str) -> Option<Protocol> {
    match name.to_ascii_lowercase().as_str() {
        "tcp" | "6" => Some(Protocol::Tcp),
        "udp" | "17" => Some(Protocol::Udp),
        _ => None,
    }
}

/// `80`, `80,443`, `27015:27030`.
fn ports(text: &str) -> Option<Vec<RangeInclusive<u16>>> {
    text.split(',').map(|part| range(part, ':')).collect()
}

/// `80`, or two with that between.
pub(super) fn range(text: &str, between: char) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once(between).unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first > 0 && first <= last).then_some(first..=last)
}

/// `10.0.0.2`, `10.0.0.2:80`, `10.0.0.2:80-90`, `[fd00::2]:80`.
pub(super) fn destination(text: &str) -> Option<(IpAddr, Option<RangeInclusive<u16>>)> {
    let bare = |ip: &str| {
        ip.trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok()
    };
    if let Some(ip) = bare(text) {
        return Some((ip, None));
    }
    let (ip, ports) = text.rsplit_once(':')?;
    Some((bare(ip)?, Some(range(ports, '-')?)))
}
