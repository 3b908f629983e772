//! What `nft` says: `add rule ...` and its like, and whole tables between braces.

mod rule;

use super::fact::{Action, Fact, Sign, Table};
use super::shell::Why;

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
