//! Random tables, in the one form in which wgq describes each rule.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use nftables::schema::{Chain, Rule};
use nftables::stmt::Statement;
use nftables::types::NfFamily;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use wgq::nft::{NftChain, NftTable};

const NAME: &str = "wgq-wg0";

/// Calls the check with that many random tables.
pub(crate) fn check(cases: u32, check: impl Fn(&NftTable)) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let chains = (
        chain("forward", "filter", "forward", 0, filter_end().boxed()),
        chain("dstnat", "nat", "prerouting", -100, dnat_end().boxed()),
        chain(
            "srcnat",
            "nat",
            "postrouting",
            100,
            masquerade_end().boxed(),
        ),
    );
    TestRunner::new(config)
        .run(&chains, |(forward, dstnat, srcnat)| {
            check(&NftTable {
                name: NAME.to_owned(),
                chains: vec![forward, dstnat, srcnat],
            });
            Ok(())
        })
        .unwrap();
}

fn chain(
    name: &'static str,
    kind: &'static str,
    hook: &'static str,
    priority: i32,
    end: BoxedStrategy<Vec<Value>>,
) -> impl Strategy<Value = NftChain> {
    let rules = prop::collection::vec((tests(name), end, comment()), 0..6);
    let policy = select(vec!["accept", "drop"]);
    (rules, policy).prop_map(move |(rules, policy)| {
        // the kernel knows no other policy for NAT
        let policy = if kind == "nat" { "accept" } else { policy };
        let chain = json!({
            "family": "inet", "table": NAME, "name": name,
            "type": kind, "hook": hook, "prio": priority, "policy": policy,
        });
        let chain: Chain<'static> = serde_json::from_value(chain).unwrap();
        let rules = rules
            .into_iter()
            .map(|(tests, end, comment)| rule(name, [tests, end].concat(), comment))
            .collect();
        NftChain { chain, rules }
    })
}

fn rule(chain: &'static str, statements: Vec<Value>, comment: Option<String>) -> Rule<'static> {
    let statements = statements.into_iter().map(|statement| {
        serde_json::from_value::<Statement<'static>>(statement.clone())
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
    });
    Rule {
        family: NfFamily::INet,
        table: NAME.into(),
        chain: chain.into(),
        expr: statements.collect::<Vec<_>>().into(),
        comment: comment.map(Into::into),
        ..Rule::default()
    }
}

fn comment() -> impl Strategy<Value = Option<String>> {
    prop::option::of("wgq wg0: [A-Za-z ]{1,60}[a-z]")
}

/// What packets a rule is for: some of each kind of test, in this order.
fn tests(chain: &'static str) -> BoxedStrategy<Vec<Value>> {
    let names = match chain {
        "dstnat" => vec!["iifname"],
        "srcnat" => vec!["oifname"],
        _ => vec!["iifname", "oifname"],
    };
    let l4proto = |words| prop_oneof![ports(), one_of("l4proto", words)];
    let addresses = prop_oneof![network4(), network6()];
    let any = (
        maybe(addresses),
        maybe(l4proto(&["icmp", "tcp", "udp", "ipv6-icmp"])),
    );
    // nft does not list the family where ICMP says which it is
    let family = (
        one_of("nfproto", &["ipv4", "ipv6"]),
        maybe(l4proto(&["tcp", "udp"])),
    );
    let protocols = prop_oneof![
        any.prop_map(|(network, transport)| [network, transport].concat()),
        family.prop_map(|(network, transport)| [vec![network], transport].concat()),
    ];
    // the protocols of what is rewritten are said with what is written
    let protocols = match chain {
        "dstnat" => Just(Vec::new()).boxed(),
        _ => protocols.boxed(),
    };
    let others = (maybe(connection()), maybe(mark()), maybe(address_type()));
    (maybe(interface(names)), protocols, others)
        .prop_map(|(a, b, (c, d, e))| [a, b, c, d, e].concat())
        .boxed()
}

fn maybe(test: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<Value>> {
    prop::option::of(test).prop_map(|test| test.into_iter().collect())
}

fn compare(left: &Value, op: &str, right: &Value) -> Value {
    json!({ "match": { "op": op, "left": left, "right": right } })
}

fn equality() -> impl Strategy<Value = &'static str> {
    select(vec!["==", "!="])
}

fn meta(key: &str) -> Value {
    json!({ "meta": { "key": key } })
}

fn payload(protocol: &str, field: &str) -> Value {
    json!({ "payload": { "protocol": protocol, "field": field } })
}

/// One value, or a set of several in order.
fn one_or_set(values: Vec<Value>) -> Value {
    match <[Value; 1]>::try_from(values) {
        Ok([value]) => value,
        Err(values) => json!({ "set": values }),
    }
}

fn one_of(key: &'static str, words: &'static [&'static str]) -> BoxedStrategy<Value> {
    (equality(), subsequence(words.to_vec(), 1..=words.len()))
        .prop_map(move |(op, words)| {
            let right = one_or_set(words.into_iter().map(Value::from).collect());
            compare(&meta(key), op, &right)
        })
        .boxed()
}

fn interface(keys: Vec<&'static str>) -> impl Strategy<Value = Value> {
    let one = "[a-z][a-z0-9_=+.-]{0,14}".prop_map(Value::from);
    // nft lists names in the order of their last bytes; these are in the same one either way
    let several = prop::collection::btree_set("eth[0-9]", 2..4)
        .prop_map(|names| one_or_set(names.into_iter().map(Value::from).collect()));
    (select(keys), equality(), prop_oneof![one, several])
        .prop_map(|(key, op, right)| compare(&meta(key), op, &right))
}

/// Ranges that do not touch each other: the ends of gaps between random numbers.
fn ranges<T: Ord + Copy>(ends: &BTreeSet<T>) -> Vec<(T, T)> {
    let ends: Vec<_> = ends.iter().copied().collect();
    ends.chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
}

fn network4() -> BoxedStrategy<Value> {
    let text = |ip: u32| Value::from(Ipv4Addr::from_bits(ip).to_string());
    let single = any::<u32>().prop_map(text);
    let prefix = (any::<u32>(), 1..32_u32).prop_map(move |(ip, len)| {
        json!({ "prefix": { "addr": text(ip & (u32::MAX << (32 - len))), "len": len } })
    });
    let set = prop::collection::btree_set(any::<u32>(), 4..12).prop_map(move |ends| {
        let value = |(low, high): (u32, u32)| match high - low {
            _ if low & 1 == 0 => text(low),
            _ => json!({ "range": [text(low), text(high)] }),
        };
        json!({ "set": ranges(&ends).into_iter().map(value).collect::<Vec<_>>() })
    });
    let right = prop_oneof![single, prefix, set];
    (select(vec!["saddr", "daddr"]), equality(), right)
        .prop_map(|(field, op, right)| compare(&payload("ip", field), op, &right))
        .boxed()
}

fn network6() -> BoxedStrategy<Value> {
    // nft writes some addresses that end in an IPv4 one in a way of its own
    let ip = || any::<u128>().prop_map(|ip| ip | 1 << 100);
    let text = |ip: u128| Value::from(Ipv6Addr::from_bits(ip).to_string());
    let single = ip().prop_map(text);
    let prefix = (ip(), 28..128_u32).prop_map(move |(ip, len)| {
        json!({ "prefix": { "addr": text(ip & (u128::MAX << (128 - len))), "len": len } })
    });
    let set = prop::collection::btree_set(ip(), 4..12).prop_map(move |ends| {
        let value = |(low, high)| json!({ "range": [text(low), text(high)] });
        json!({ "set": ranges(&ends).into_iter().map(value).collect::<Vec<_>>() })
    });
    let right = prop_oneof![single, prefix, set];
    (select(vec!["saddr", "daddr"]), equality(), right)
        .prop_map(|(field, op, right)| compare(&payload("ip6", field), op, &right))
        .boxed()
}

fn ports() -> BoxedStrategy<Value> {
    let single = (equality(), any::<u16>()).prop_map(|(op, port)| (op, Value::from(port)));
    let range = (0..1000_u16, 1001..=u16::MAX)
        .prop_map(|(low, high)| ("==", json!({ "range": [low, high] })));
    let ends = prop::collection::btree_set(any::<u16>(), 4..9);
    let set = (equality(), ends).prop_map(|(op, ends)| {
        let values = ranges(&ends)
            .into_iter()
            .map(|(low, high)| json!({ "range": [low, high] }));
        (op, json!({ "set": values.collect::<Vec<_>>() }))
    });
    let field = select(vec![
        ("tcp", "sport"),
        ("tcp", "dport"),
        ("udp", "sport"),
        ("udp", "dport"),
    ]);
    (field, prop_oneof![single, range, set])
        .prop_map(|((protocol, field), (op, right))| compare(&payload(protocol, field), op, &right))
        .boxed()
}

fn connection() -> impl Strategy<Value = Value> {
    let bits = |key: &'static str, words: &[&'static str]| {
        subsequence(words.to_vec(), 1..=words.len()).prop_map(move |mut words| {
            let right = if words.len() == 1 {
                json!(words.pop())
            } else {
                json!(words)
            };
            compare(&json!({ "ct": { "key": key } }), "in", &right)
        })
    };
    let direction = (equality(), select(vec!["original", "reply"])).prop_map(|(op, direction)| {
        compare(
            &json!({ "ct": { "key": "direction" } }),
            op,
            &json!(direction),
        )
    });
    prop_oneof![
        bits(
            "state",
            &["invalid", "established", "related", "new", "untracked"]
        ),
        bits(
            "status",
            &[
                "expected",
                "seen-reply",
                "assured",
                "confirmed",
                "snat",
                "dnat"
            ]
        ),
        direction,
    ]
}

fn mark() -> impl Strategy<Value = Value> {
    let key = || select(vec![meta("mark"), json!({ "ct": { "key": "mark" } })]);
    let plain = (key(), equality(), any::<u32>())
        .prop_map(|(key, op, mark)| compare(&key, op, &json!(mark)));
    let masked =
        (key(), equality(), 1..u32::MAX, any::<u32>()).prop_map(|(key, op, mask, mark)| {
            compare(&json!({ "&": [key, mask] }), op, &json!(mark & mask))
        });
    let marks = prop::collection::btree_set(any::<u32>(), 2..5);
    let set = (key(), equality(), marks)
        .prop_map(|(key, op, marks)| compare(&key, op, &json!({ "set": marks })));
    prop_oneof![plain, masked, set]
}

fn address_type() -> impl Strategy<Value = Value> {
    let flags = select(vec![
        json!("saddr"),
        json!("daddr"),
        json!(["daddr", "mark"]),
    ]);
    let types = subsequence(vec!["unicast", "local", "broadcast", "multicast"], 1..4);
    (flags, equality(), types).prop_map(|(flags, op, types)| {
        let right = one_or_set(types.into_iter().map(Value::from).collect());
        compare(
            &json!({ "fib": { "result": "type", "flags": flags } }),
            op,
            &right,
        )
    })
}

fn filter_end() -> impl Strategy<Value = Vec<Value>> {
    let marks = [
        json!({ "mangle": { "key": meta("mark"), "value": { "ct": { "key": "mark" } } } }),
        json!({ "mangle": { "key": { "ct": { "key": "mark" } }, "value": meta("mark") } }),
        json!({ "mangle": { "key": meta("mark"), "value": 0xca6c } }),
        json!({ "mangle": {
            "key": { "tcp option": { "name": "maxseg", "field": "size" } },
            "value": { "rt": { "key": "mtu" } },
        } }),
    ];
    let verdicts = ["accept", "drop", "return"].map(|word| json!({ word: null }));
    let codes = ["no-route", "host-unreachable", "admin-prohibited"];
    let rejects = codes.map(|code| json!({ "reject": { "type": "icmpx", "expr": code } }));
    let ends = [verdicts.as_slice(), &rejects].concat();
    (subsequence(marks.to_vec(), 0..3), select(ends)).prop_map(|(mut marks, end)| {
        marks.push(end);
        marks
    })
}

fn dnat_end() -> impl Strategy<Value = Vec<Value>> {
    let ports = prop_oneof![
        any::<u16>().prop_map(|port| json!(port)),
        (1..1000_u16, 1001..=u16::MAX).prop_map(|(low, high)| json!({ "range": [low, high] })),
    ];
    let v4 = any::<u32>().prop_map(|ip| ("ip", Ipv4Addr::from_bits(ip).to_string()));
    let v6 = any::<u128>().prop_map(|ip| ("ip6", Ipv6Addr::from_bits(ip | 1 << 100).to_string()));
    (prop_oneof![v4, v6], ports).prop_map(|((family, ip), port)| {
        let protocol = compare(&meta("l4proto"), "==", &json!("tcp"));
        let to = json!({ "dnat": { "family": family, "addr": ip, "port": port } });
        vec![protocol, to]
    })
}

fn masquerade_end() -> impl Strategy<Value = Vec<Value>> {
    select(vec![
        json!({ "masquerade": null }),
        json!({ "masquerade": { "flags": ["random", "persistent"] } }),
    ])
    .prop_map(|end| vec![end])
}
