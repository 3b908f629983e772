//! What `nft` says: `add rule ...` and its like, and whole tables between braces.

use super::fact::{Action, Chain, Fact, Interface, Is, Matches, Rule, Sign, Table, Target};
use super::iptables::{destination, protocol, range};
use super::shell::Why;
use crate::net::{Address, Family};

/// The chains that hooks have made so far, by their tables: what iptables calls a chain of that type on that hook.
#[derive(Debug, Default)]
pub(super) struct Chains(Vec<(Table, String, (&'static str, &'static str))>);

/// Reads the arguments of one call.
pub(super) fn read(tunnel: &str, args: &[String], chains: &mut Chains) -> Result<Vec<Action>, Why> {
    let tokens = tokens(&args.join(" "))?;
    let mut reader = Reader {
        tunnel,
        chains,
        tokens: tokens.iter().map(String::as_str).collect::<Vec<_>>(),
        at: 0,
        actions: Vec::new(),
    };
    while reader.peek().is_some() {
        if reader.is(";") {
            continue;
        }
        reader.command()?;
    }
    Ok(reader.actions)
}

/// Words, with quotes taken off, and each of `{ } ; ,` as one.
fn tokens(text: &str) -> Result<Vec<String>, Why> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' | ';' | ',' => tokens.push(c.to_string()),
            '"' => tokens.push(chars.by_ref().take_while(|c| *c != '"').collect()),
            '$' | '@' => return Err("a variable or set of nft".into()),
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !"{};,\"".contains(*c))
                {
                    word.push(c);
                }
                tokens.push(word);
            }
        }
    }
    Ok(tokens)
}

struct Reader<'a, 'c> {
    tunnel: &'a str,
    chains: &'c mut Chains,
    tokens: Vec<&'a str>,
    at: usize,
    actions: Vec<Action>,
}

impl<'a> Reader<'a, '_> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Result<&'a str, Why> {
        let token = self.peek().ok_or("the command is not complete")?;
        self.at += 1;
        Ok(token)
    }

    /// Takes that token, if it comes next.
    fn is(&mut self, token: &str) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    fn command(&mut self) -> Result<(), Why> {
        let verb = self.next()?;
        if verb == "table" {
            return self.block();
        }
        let object = self.next()?;
        match (verb, object) {
            ("add" | "create", "table") => self.table(Sign::Append),
            ("delete" | "destroy", "table") => self.table(Sign::Delete),
            ("add" | "create", "chain") => {
                let table = self.table_name()?;
                let name = self.next()?.to_owned();
                self.chain(&table, &name)
            }
            ("add" | "insert" | "delete" | "destroy", "rule") => {
                let sign = match verb {
                    "add" => Sign::Append,
                    "insert" => Sign::Insert,
                    _ => Sign::Delete,
                };
                let table = self.table_name()?;
                let name = self.next()?.to_owned();
                self.rule(sign, &table, &name)
            }
            _ => Err(format!("`nft {verb} {object}`")),
        }
    }

    fn table_name(&mut self) -> Result<Table, Why> {
        let families = ["ip", "ip6", "inet"];
        let family = self.next()?;
        if ["arp", "bridge", "netdev"].contains(&family) {
            return Err(format!("a table of the family {family}"));
        }
        let (family, name) = if families.contains(&family) {
            (family, self.next()?)
        } else {
            ("ip", family)
        };
        Ok(Table {
            family: family.to_owned(),
            name: name.to_owned(),
        })
    }

    fn table(&mut self, sign: Sign) -> Result<(), Why> {
        let table = self.table_name()?;
        if self.is("{") {
            return self.inside(&table);
        }
        let fact = Fact::Table(table);
        self.actions.push(Action { sign, fact });
        Ok(())
    }

    /// `table ip t { chain c { ... } }`
    fn block(&mut self) -> Result<(), Why> {
        let table = self.table_name()?;
        if !self.is("{") {
            return Err("a table of nft without braces".into());
        }
        self.inside(&table)
    }

    fn inside(&mut self, table: &Table) -> Result<(), Why> {
        self.actions.push(Action {
            sign: Sign::Append,
            fact: Fact::Table(table.clone()),
        });
        while !self.is("}") {
            if self.is(";") {
                continue;
            }
            if !self.is("chain") {
                return Err(format!("`{}` in a table of nft", self.next()?));
            }
            let name = self.next()?.to_owned();
            self.chain(table, &name)?;
        }
        Ok(())
    }

    /// `{ type nat hook postrouting priority 100; policy accept; ip saddr ... masquerade; }`
    fn chain(&mut self, table: &Table, name: &str) -> Result<(), Why> {
        self.actions.push(Action {
            sign: Sign::Append,
            fact: Fact::Table(table.clone()),
        });
        if !self.is("{") {
            return Ok(()); // nothing comes to such a chain but by a jump, which is not understood
        }
        while !self.is("}") {
            if self.is(";") {
            } else if self.is("type") {
                let (kind, _, hook) = (self.next()?, self.next()?, self.next()?);
                let like = like_iptables(kind, hook)
                    .ok_or_else(|| format!("a chain of nft of type {kind} on the hook {hook}"))?;
                self.chains.0.push((table.clone(), name.to_owned(), like));
                while self.peek().is_some_and(|token| !matches!(token, ";" | "}")) {
                    self.at += 1; // the priority
                }
            } else if self.is("policy") {
                if self.next()? != "accept" {
                    return Err("a chain of nft that drops what it does not know".into());
                }
            } else {
                self.rule(Sign::Append, table, name)?;
            }
        }
        Ok(())
    }

    fn rule(&mut self, sign: Sign, table: &Table, name: &str) -> Result<(), Why> {
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
        let (kind, hook) = self.place(table, name);
        let rule = |family| Rule {
            chain: Chain {
                family,
                table: kind.to_owned(),
                name: hook.to_owned(),
                nft: Some(table.clone()),
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

    /// What iptables calls the chain; one that was not made by a hook goes by its name.
    fn place(&self, table: &Table, name: &str) -> (&'static str, &'static str) {
        let made = self.chains.0.iter().rev();
        let mut made = made.filter(|(of, chain, _)| of == table && chain == name);
        if let Some((.., like)) = made.next() {
            return *like;
        }
        let kind = if table.name.to_ascii_lowercase().contains("nat") {
            "nat"
        } else {
            "filter"
        };
        like_iptables(kind, &name.to_ascii_lowercase()).unwrap_or(("", ""))
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

/// What iptables calls a chain of that type on that hook.
fn like_iptables(kind: &str, hook: &str) -> Option<(&'static str, &'static str)> {
    Some(match (kind, hook) {
        ("filter", "input") => ("filter", "INPUT"),
        ("filter", "forward") => ("filter", "FORWARD"),
        ("filter", "output") => ("filter", "OUTPUT"),
        ("nat", "prerouting") => ("nat", "PREROUTING"),
        ("nat", "postrouting") => ("nat", "POSTROUTING"),
        _ => return None,
    })
}
