//! What a hook's commands do: each program's arguments as facts.

use super::fact::{Action, Fact, Sign};
use super::shell::{self, Pipeline, Simple, Why, Word};
use super::{firewalls, iptables, network, nft};
use crate::net::Family;

/// Programs that run the command after them.
const WRAPPERS: [&str; 5] = ["sudo", "doas", "command", "env", "nice"];

/// What one hook does, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Effects {
    pub(super) actions: Vec<Action>,
    /// The comment at its end, with the `#`.
    pub(super) comment: Option<String>,
}

/// Reads the hooks of a tunnel, in the order in which they run.
pub(super) struct Commands<'a> {
    tunnel: &'a str,
    chains: nft::Chains,
}

impl<'a> Commands<'a> {
    pub(super) fn of(tunnel: &'a str) -> Self {
        Self {
            tunnel,
            chains: nft::Chains::default(),
        }
    }

    /// What a hook does, in which `%i` has been replaced.
    pub(super) fn read(&mut self, hook: &str) -> Result<Effects, Why> {
        let script = shell::read(hook)?;
        let mut effects = Effects {
            comment: script.comment,
            ..Effects::default()
        };
        for step in script.steps {
            let run = self.pipeline(&step.run)?;
            let mut alternatives = Vec::new();
            for pipeline in &step.or {
                alternatives.extend(self.pipeline(pipeline)?);
            }
            effects.actions.extend(either(run, alternatives)?);
        }
        effects.actions = without_checks(&effects.actions);
        Ok(effects)
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Result<Vec<Action>, Why> {
        match pipeline.as_slice() {
            [simple] => self.simple(simple),
            [first, second] => network::piped(self.tunnel, &texts(first)?, &texts(second)?),
            _ => Err("a pipe".into()),
        }
    }

    fn simple(&mut self, simple: &Simple) -> Result<Vec<Action>, Why> {
        let args = texts(simple)?;
        let Some((program, args)) = args.split_first() else {
            return Err("no command".into());
        };
        if let Some(file) = &simple.output {
            return network::written(program, args, file);
        }
        match (program.as_str(), args) {
            ("true" | ":" | "echo", _) => Ok(Vec::new()),
            ("bash" | "sh", [option, script]) if option == "-c" => Ok(self.read(script)?.actions),
            ("bash" | "sh" | "eval" | "source" | ".", _) => Err("a script of its own".into()),
            ("iptables" | "iptables-nft" | "iptables-legacy", _) => {
                Ok(vec![iptables::read(Family::V4, self.tunnel, args)?])
            }
            ("ip6tables" | "ip6tables-nft" | "ip6tables-legacy", _) => {
                Ok(vec![iptables::read(Family::V6, self.tunnel, args)?])
            }
            ("nft", _) => nft::read(self.tunnel, args, &mut self.chains),
            ("sysctl", _) => network::sysctl(args),
            ("ip", _) => network::ip(self.tunnel, args),
            ("resolvectl" | "systemd-resolve", _) => network::resolvectl(self.tunnel, args),
            ("resolvconf", _) => network::resolvconf(self.tunnel, args),
            ("wg", _) => network::wg(self.tunnel, args),
            ("ufw", _) => firewalls::ufw(self.tunnel, args),
            ("firewall-cmd", _) => firewalls::firewall_cmd(self.tunnel, args),
            _ => Err(format!("wgq does not know what `{program}` does")),
        }
    }
}

/// The words of a command, without paths and wrappers before its name.
fn texts(simple: &Simple) -> Result<Vec<String>, Why> {
    let mut words = Vec::new();
    for word in &simple.words {
        words.push(match word {
            Word::Text(text) => text.clone(),
            Word::Output(inside) => {
                let inside: Vec<_> = inside.split_whitespace().collect();
                match inside.as_slice() {
                    ["wg", "show", _, "fwmark"] => format!("$({})", inside.join(" ")),
                    _ => return Err("it uses the output of another command".into()),
                }
            }
            Word::File(inside) => {
                let inside: Vec<_> = inside.split_whitespace().collect();
                match inside.as_slice() {
                    ["cat", file] => (*file).to_owned(),
                    _ => return Err("it uses the output of another command".into()),
                }
            }
        });
    }
    let mut rest = words.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let name = first.rsplit('/').next().unwrap_or_default();
        if !WRAPPERS.contains(&name) {
            return Ok(std::iter::once(name.to_owned())
                .chain(after.iter().cloned())
                .collect());
        }
        if after.first().is_some_and(|next| next.starts_with('-')) {
            return Err(format!("`{name}` with options"));
        }
        rest = after;
    }
    Ok(Vec::new())
}

/// What is done by a command and, if that fails, by others: no more than by one of them.
fn either(run: Vec<Action>, or: Vec<Action>) -> Result<Vec<Action>, Why> {
    let checks = run.iter().any(|action| action.sign == Sign::Check);
    if or.is_empty() {
        return Ok(run); // `|| true`
    }
    let same = |(a, b): (&Action, &Action)| a.fact == b.fact;
    if checks && run.len() == or.len() && run.iter().zip(&or).all(same) {
        return Ok(or);
    }
    Err("what it does depends on whether another command fails".into())
}

/// The actions without the looks at rules that are deleted next: `iptables -C ... && iptables -D ...`.
fn without_checks(actions: &[Action]) -> Vec<Action> {
    let next = actions.iter().skip(1).map(Some).chain([None]);
    let is_next = |action: &Action, next: Option<&Action>| {
        let deletes = next.filter(|next| next.sign == Sign::Delete);
        action.sign == Sign::Check && deletes.is_some_and(|next| next.fact == action.fact)
    };
    let pairs = actions.iter().zip(next);
    let kept = pairs.filter(|(action, next)| !is_next(action, *next));
    kept.map(|(action, _)| action.clone()).collect()
}

/// What a command makes of a fact that is written so.
pub(super) fn one(sign: Sign, fact: Fact) -> Vec<Action> {
    vec![Action { sign, fact }]
}
