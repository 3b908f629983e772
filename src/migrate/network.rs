//! What `sysctl`, `ip`, `wg`, `resolvectl` and `resolvconf` say, and what is written to /proc/sys.

use std::net::IpAddr;
use std::path::PathBuf;

use super::command::one;
use super::fact::{Action, Fact, Interface, Route, Sign};
use super::shell::Why;
use crate::net::{Address, Prefix};

/// `sysctl -w net.ipv4.ip_forward=1`, with any number of variables.
pub(super) fn sysctl(args: &[String]) -> Result<Vec<Action>, Why> {
    let mut actions = Vec::new();
    for arg in args {
        match arg.as_str() {
            "-w" | "-q" | "-e" | "-qw" | "-wq" | "--write" | "--quiet" | "--ignore" => {}
            option if option.starts_with('-') => return Err(format!("`sysctl {option}`")),
            assignment => {
                let (name, value) = assignment
                    .split_once('=')
                    .ok_or("`sysctl` without a value")?;
                actions.push(variable(name, value));
            }
        }
    }
    Ok(actions)
}

/// `echo 1 > /proc/sys/net/ipv4/ip_forward`
pub(super) fn written(program: &str, args: &[String], file: &str) -> Result<Vec<Action>, Why> {
    match (program, args, file.strip_prefix("/proc/sys/")) {
        ("echo" | "printf", [value], Some(name)) => Ok(vec![variable(name, value)]),
        _ => Err(format!("what it writes to {file} stays there")),
    }
}

/// `echo 1 | tee /proc/sys/...`, and `echo nameserver ... | resolvconf -a ...`
pub(super) fn piped(tunnel: &str, first: &[String], second: &[String]) -> Result<Vec<Action>, Why> {
    let (Some((source, text)), Some((sink, args))) = (first.split_first(), second.split_first())
    else {
        return Err("a pipe".into());
    };
    match (source.as_str(), sink.as_str(), args) {
        ("echo", "tee", [file]) => written("echo", text, file),
        ("echo" | "printf", "resolvconf", [option, name, ..])
            if option == "-a" && is_of(name, tunnel) =>
        {
            let text = text.join(" ").replace("\\n", " ");
            let words: Vec<_> = text.split_whitespace().collect();
            let mut servers = Vec::new();
            for pair in words.chunks(2) {
                match pair {
                    ["nameserver", server] => servers.push(address(server)?),
                    _ => return Err("a resolv.conf with more than servers".into()),
                }
            }
            Ok(one(Sign::Append, Fact::DnsServers(servers)))
        }
        _ => Err("a pipe".into()),
    }
}

fn variable(name: &str, value: &str) -> Action {
    let fact = Fact::Sysctl {
        name: name.trim().replace('/', "."),
        value: value.trim().to_owned(),
    };
    Action {
        sign: Sign::Append,
        fact,
    }
}

/// `ip route add PREFIX ...` and `ip rule add to PREFIX table main`.
pub(super) fn ip(tunnel: &str, args: &[String]) -> Result<Vec<Action>, Why> {
    let mut words = args.iter().map(String::as_str).peekable();
    while words
        .next_if(|word| matches!(*word, "-4" | "-6" | "-family"))
        .is_some()
    {}
    let (object, verb) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let sign = match verb {
        "add" | "replace" | "append" | "a" => Sign::Append,
        "del" | "delete" | "d" => Sign::Delete,
        _ => return Err(format!("`ip {object} {verb}`")),
    };
    let words: Vec<_> = words.collect();
    match object {
        "route" | "ro" | "r" => Ok(one(sign, Fact::Route(route(tunnel, &words)?))),
        "rule" | "ru" => Ok(one(sign, rule(&words)?)),
        _ => Err(format!("`ip {object}` has no key of its own")),
    }
}

fn route(tunnel: &str, words: &[&str]) -> Result<Route, Why> {
    let (prefix, mut rest) = match words.split_first() {
        Some((first, rest)) => (self::prefix(first)?, rest),
        None => return Err("a route to nowhere".into()),
    };
    let mut route = Route {
        prefix,
        via: None,
        dev: None,
    };
    loop {
        match rest {
            [] => return Ok(route),
            ["via", via, after @ ..] => {
                route.via = Some(address(via)?);
                rest = after;
            }
            ["dev", dev, after @ ..] => {
                route.dev = Some(Interface::of(dev, tunnel));
                rest = after;
            }
            ["scope", "link", after @ ..] | ["table", "main", after @ ..] => rest = after,
            [other, ..] => return Err(format!("a route with `{other}`")),
        }
    }
}

fn rule(words: &[&str]) -> Result<Fact, Why> {
    let mut selector = None;
    let mut main = false;
    for pair in words.chunks(2) {
        match pair {
            ["to", prefix] => selector = Some((false, self::prefix(prefix)?)),
            ["from", "all"] | ["priority" | "prio" | "pref" | "preference" | "order", _] | [] => {}
            ["from", prefix] if selector.is_none() => {
                selector = Some((true, self::prefix(prefix)?));
            }
            ["lookup" | "table", "main" | "254"] => main = true,
            [other, ..] => return Err(format!("a policy rule with `{other}`")),
        }
    }
    match selector {
        Some((from, prefix)) if main => Ok(Fact::LookupMain { from, prefix }),
        _ => Err("a policy rule for another table than main".into()),
    }
}

/// `wg set wg0 private-key FILE`
pub(super) fn wg(tunnel: &str, args: &[String]) -> Result<Vec<Action>, Why> {
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["set", ifname, "private-key", file] if *ifname == tunnel => {
            if !file.starts_with('/') || *file == "/dev/stdin" {
                return Err(format!(
                    "{file} is a path that depends on the folder it is run in"
                ));
            }
            Ok(one(Sign::Append, Fact::PrivateKeyFile(PathBuf::from(file))))
        }
        ["set", _, what, ..] => Err(format!("`wg set ... {what}`")),
        _ => Err("a call of wg other than `wg set`".into()),
    }
}

/// `resolvectl dns wg0 SERVER...`, `resolvectl domain wg0 DOMAIN...`, `resolvectl revert wg0`, and the same in the words
/// of systemd-resolve.
pub(super) fn resolvectl(tunnel: &str, args: &[String]) -> Result<Vec<Action>, Why> {
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["dns", ifname, servers @ ..] if *ifname == tunnel && !servers.is_empty() => {
            let servers: Result<_, Why> = servers.iter().map(|server| address(server)).collect();
            Ok(one(Sign::Append, Fact::DnsServers(servers?)))
        }
        ["domain", ifname, domains @ ..] if *ifname == tunnel && !domains.is_empty() => {
            let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
            Ok(one(Sign::Append, Fact::DnsDomains(domains)))
        }
        ["revert", ifname] if *ifname == tunnel => Ok(one(Sign::Delete, Fact::Dns)),
        ["flush-caches"] => Ok(Vec::new()),
        ["-i" | "--interface", ifname, options @ ..] if *ifname == tunnel => resolve(options),
        [verb, ..] => Err(format!("`resolvectl {verb}`")),
        [] => Err("`resolvectl` alone".into()),
    }
}

fn resolve(options: &[&str]) -> Result<Vec<Action>, Why> {
    let (mut servers, mut domains, mut revert) = (Vec::new(), Vec::new(), false);
    for option in options {
        match option.split_once('=') {
            Some(("--set-dns", server)) => servers.push(address(server)?),
            Some(("--set-domain", domain)) => domains.push(domain.to_owned()),
            None if *option == "--revert" => revert = true,
            _ => return Err(format!("`systemd-resolve {option}`")),
        }
    }
    let facts = [
        (
            Sign::Append,
            Fact::DnsServers(servers.clone()),
            !servers.is_empty(),
        ),
        (
            Sign::Append,
            Fact::DnsDomains(domains.clone()),
            !domains.is_empty(),
        ),
        (Sign::Delete, Fact::Dns, revert),
    ];
    let facts = facts.into_iter().filter(|(.., is)| *is);
    Ok(facts.map(|(sign, fact, _)| Action { sign, fact }).collect())
}

/// `resolvconf -d wg0`
pub(super) fn resolvconf(tunnel: &str, args: &[String]) -> Result<Vec<Action>, Why> {
    match args {
        [option, name, rest @ ..]
            if option == "-d" && is_of(name, tunnel) && rest.iter().all(|arg| arg == "-f") =>
        {
            Ok(one(Sign::Delete, Fact::Dns))
        }
        _ => Err("a call of resolvconf other than `-a` and `-d` of the tunnel".into()),
    }
}

/// `wg0`, `tun.wg0`, `wg0.wireguard`: records of the tunnel.
fn is_of(record: &str, tunnel: &str) -> bool {
    record.split('.').any(|part| part == tunnel)
}

fn prefix(text: &str) -> Result<Prefix, Why> {
    match text {
        "default" => Err("a default route".into()),
        _ => text
            .parse()
            .map(Address::prefix)
            .map_err(|_| format!("`{text}` is no prefix")),
    }
}

fn address(text: &str) -> Result<IpAddr, Why> {
    text.parse().map_err(|_| format!("`{text}` is no address"))
}
