//! What a rule of `nft` says: the words after its chain.

use super::{Reader, like_iptables};
use crate::migrate::fact::{
    Action, Chain, Fact, Interface, Is, Matches, Rule, Sign, Table, Target,
};
use crate::migrate::iptables::{destination, protocol, range};
use crate::migrate::shell::Why;
use crate::net::{Address, Family};

impl<'a> Reader<'a, '_> {
    pub(super) fn rule(&mut self, sign: Sign, table: &Table, name: &str) -> Result<(), Why> {
        let mut matches = Matches::default();
        let mut target = None;
        let mut family = match table.family.as_str() {
            "ip" => Some(Family::V4),
            "ip6" => Some(Family::V6),
            _ => None,
        };
        while let Some(token) = self.peek() {
            if matches!(token, ";" | "}") {
                break;
            }
            self.at += 1;
            self.part(token, &mut matches, &mut target, &mut family)?;
        }
        let (kind, hook, own) = self.place(table, name);
        let rule = |family| Rule {
            chain: Chain {
                family,
                table: kind.to_owned(),
                name: hook.to_owned(),
                nft: Some(table.clone()),
                own,
            },
            matches: matches.clone(),
            target: target
                .clone()
                .unwrap_or_else(|| Target::Other("a rule without a verdict".into())),
        };
        let families = Family::BOTH.into_iter();
        let families = families.filter(|one| family.is_none_or(|only| only == *one));
        self.actions.extend(families.map(|family| Action {
            sign,
            fact: Fact::Rule(Box::new(rule(family))),
        }));
        Ok(())
    }

    /// What iptables calls the chain, one that was not made by a hook by its name; and whether hooks made it. A table
    /// called `filter` is there already where it matters.
    fn place(&self, table: &Table, name: &str) -> (&'static str, &'static str, bool) {
        let made = self.chains.0.iter().rev();
        let mut made = made.filter(|(of, chain, _)| of == table && chain == name);
        if let Some((.., (kind, hook))) = made.next() {
            return (kind, hook, table.name != "filter");
        }
        let kind = if table.name.to_ascii_lowercase().contains("nat") {
            "nat"
        } else {
            "filter"
        };
        let (kind, hook) = like_iptables(kind, &name.to_ascii_lowercase()).unwrap_or(("", ""));
        (kind, hook, false)
    }

    fn part(
        &mut self,
        token: &str,
        matches: &mut Matches,
        target: &mut Option<Target>,
        family: &mut Option<Family>,
    ) -> Result<(), Why> {
        match token {
            "iifname" | "iif" => {
                let not = self.not();
                let value = Interface::of(self.next()?, self.tunnel);
                matches.input = Some(Is { not, value });
            }
            "oifname" | "oif" => {
                let not = self.not();
                let value = Interface::of(self.next()?, self.tunnel);
                matches.output = Some(Is { not, value });
            }
            "meta" => match self.next()? {
                name @ ("iifname" | "oifname" | "iif" | "oif") => {
                    self.part(name, matches, target, family)?;
                }
                "nfproto" => {
                    *family = match self.next()? {
                        "ipv4" => Some(Family::V4),
                        _ => Some(Family::V6),
                    };
                }
                other => return Err(format!("`meta {other}`")),
            },
            "ip" | "ip6" => {
                *family = Some(if token == "ip" {
                    Family::V4
                } else {
                    Family::V6
                });
                let field = self.next()?;
                let not = self.not();
                let text = self.next()?;
                let value = text.parse().map(Address::prefix);
                let value = value.map_err(|_| format!("`{token} {field} {text}`"))?;
                match field {
                    "saddr" => matches.source = Some(Is { not, value }),
                    "daddr" => matches.destination = Some(Is { not, value }),
                    _ => return Err(format!("`{token} {field}`")),
                }
            }
            "tcp" | "udp" => self.transport(token, matches, target)?,
            "ct" => {
                if self.next()? != "state" {
                    return Err("a match of connections other than `ct state`".into());
                }
                let states = self.list()?;
                let has = |state: &str| states.contains(&state);
                matches.established = has("established") && !has("new");
                if !has("established") && !has("new") {
                    return Err("connections that are related alone, or invalid".into());
                }
            }
            "counter" => {
                while matches!(self.peek(), Some("packets" | "bytes")) {
                    self.at += 2;
                }
            }
            "comment" => drop(self.next()?),
            "accept" => *target = Some(Target::Accept),
            "drop" => *target = Some(Target::Drop),
            "reject" => {
                if self.is("with") {
                    self.at += 3;
                }
                *target = Some(Target::Drop);
            }
            "masquerade" => *target = Some(Target::Masquerade),
            "random" | "fully-random" | "persistent" => {}
            "dnat" => {
                self.at += usize::from(matches!(self.peek(), Some("ip" | "ip6")));
                self.is("to");
                let to = self.next()?;
                let (ip, ports) = destination(to).ok_or_else(|| format!("`dnat to {to}`"))?;
                *target = Some(Target::Dnat(ip, ports));
            }
            _ => return Err(format!("`{token}` in a rule of nft")),
        }
        Ok(())
    }

    /// `tcp dport 80`, `udp dport { 53, 5353 }`, `tcp flags syn tcp option maxseg size set rt mtu`.
    fn transport(
        &mut self,
        token: &str,
        matches: &mut Matches,
        target: &mut Option<Target>,
    ) -> Result<(), Why> {
        match self.next()? {
            "dport" => {
                matches.protocol = protocol(token);
                let ports = self.list()?;
                let ports: Option<_> = ports.iter().map(|port| range(port, '-')).collect();
                matches.ports = ports.ok_or("ports that are no numbers")?;
                Ok(())
            }
            "flags" if self.is("syn") => {
                matches.syn = true;
                Ok(())
            }
            "option" => {
                for expected in ["maxseg", "size", "set", "rt", "mtu"] {
                    if self.next()? != expected {
                        return Err("a TCP option other than the MSS of the path".into());
                    }
                }
                *target = Some(Target::ClampMss);
                Ok(())
            }
            other => Err(format!("`{token} {other}`")),
        }
    }

    fn not(&mut self) -> bool {
        let not = self.is("!=");
        self.is("==");
        not
    }

    /// One value, or several between commas, in braces or not.
    fn list(&mut self) -> Result<Vec<&'a str>, Why> {
        let braces = self.is("{");
        let mut values = vec![self.next()?];
        while self.is(",") {
            values.push(self.next()?);
        }
        if braces && !self.is("}") {
            return Err("a set of nft".into());
        }
        Ok(values)
    }
}
