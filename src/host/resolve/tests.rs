use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

fn name(host: &str) -> Name {
    Name {
        host: host.to_owned(),
        port: 51820,
    }
}

/// Resolves with `lookup`, and returns the answers and the lines of waiting.
fn resolve(
    names: &[&str],
    retries: Retries,
    fail_fast: bool,
    lookup: fn(&Name) -> Answer,
) -> (BTreeMap<Name, Answer>, Vec<String>) {
    let mut lines = Vec::new();
    let names: Vec<Name> = names.iter().map(|host| name(host)).collect();
    let resolver = Resolver {
        retries,
        patience: None,
        fail_fast,
        cancelled: Box::new(|| false),
        waiting: Box::new(|waiting| lines.push(waiting.to_string())),
    };
    let answers = resolver.resolve_by(&names, lookup).unwrap();
    (answers, lines)
}

fn again() -> LookupError {
    LookupError::new("Temporary failure in name resolution", true)
}

fn no_name() -> LookupError {
    LookupError::new("Name or service not known", false)
}

#[test]
fn the_delays_are_those_of_wg() {
    let shown: Vec<String> = [0, 1, 2, 3, 14, 15, 16, 17, u32::MAX]
        .map(|count| format!("{:.2}", Retries::delay(count).as_secs_f64()))
        .into();
    assert_eq!(
        shown,
        [
            "1.00", "1.20", "1.44", "1.73", "12.84", "15.41", "18.49", "20.00", "20.00"
        ]
    );
    let all: Duration = (0..15).map(Retries::delay).sum();
    assert_eq!(all.as_secs(), 72);
}

#[test]
fn the_variable_is_a_number_or_infinity() {
    assert_eq!("infinity".parse(), Ok(Retries::Infinity));
    assert_eq!("0".parse(), Ok(Retries::AtMost(0)));
    assert_eq!("2147483647".parse(), Ok(Retries::AtMost(2_147_483_647)));
    assert_eq!("".parse(), Ok(Retries::AtMost(0)), "as wg has it");
    for bad in ["many", "-1", "2147483648", "3 ", "Infinity"] {
        let error = bad.parse::<Retries>().unwrap_err().to_string();
        assert!(error.ends_with(&format!("not `{bad}`")), "{error}");
    }
}

#[test]
fn what_fails_for_a_while_is_asked_again_and_shown_as_wg_shows_it() {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    let (answers, lines) = resolve(
        &["a.example"],
        Retries::AtMost(2),
        false,
        |name| match TIMES.fetch_add(1, Ordering::Relaxed) {
            0 => Err(again()),
            _ => Ok(vec![SocketAddr::new([192, 0, 2, 1].into(), name.port)]),
        },
    );
    assert_eq!(
        answers[&name("a.example")],
        Ok(vec!["192.0.2.1:51820".parse().unwrap()])
    );
    assert_eq!(
        lines,
        [
            "Temporary failure in name resolution: `a.example:51820'. Trying again in 1.00 seconds..."
        ]
    );
}

#[test]
fn retries_come_to_an_end() {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    let (answers, lines) = resolve(&["a.example"], Retries::AtMost(1), false, |_| {
        TIMES.fetch_add(1, Ordering::Relaxed);
        Err(again())
    });
    assert_eq!(answers[&name("a.example")], Err(again()));
    assert_eq!((lines.len(), TIMES.load(Ordering::Relaxed)), (1, 2));
}

#[test]
fn a_permanent_failure_is_not_asked_again() {
    let (answers, lines) = resolve(&["a.example"], Retries::Infinity, false, |_| Err(no_name()));
    assert_eq!(answers[&name("a.example")], Err(no_name()));
    assert!(lines.is_empty());
}

#[test]
fn one_name_without_hope_ends_the_waiting_for_the_others_if_asked_to() {
    let start = Instant::now();
    let lookup = |name: &Name| {
        if name.host == "bad.example" {
            thread::sleep(Duration::from_millis(50));
            return Err(no_name());
        }
        Err(again())
    };
    let names = ["bad.example", "slow.example"];
    let (answers, _) = resolve(&names, Retries::Infinity, true, lookup);
    assert_eq!(answers[&name("slow.example")], Err(again()));
    assert_eq!(answers[&name("bad.example")], Err(no_name()));
    assert!(start.elapsed() < Duration::from_millis(900));
}

#[test]
fn names_are_looked_up_at_once_and_each_only_once() {
    static TIMES: AtomicU32 = AtomicU32::new(0);
    let hosts: Vec<String> = (0..64)
        .map(|number| format!("{}.example", number % 32))
        .collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let start = Instant::now();
    let (answers, _) = resolve(&hosts, Retries::default(), false, |_| {
        TIMES.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(200));
        Ok(Vec::new())
    });
    assert_eq!((answers.len(), TIMES.load(Ordering::Relaxed)), (32, 32));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn more_names_than_threads_get_their_answers() {
    let hosts: Vec<String> = (0..500).map(|number| format!("{number}.example")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let (answers, _) = resolve(&hosts, Retries::default(), false, |_| Ok(Vec::new()));
    assert_eq!(answers.len(), 500);
}

#[test]
fn cancelling_ends_it_within_a_moment_though_a_lookup_hangs() {
    let start = Instant::now();
    let asked = AtomicU32::new(0);
    let resolver = Resolver {
        retries: Retries::Infinity,
        patience: None,
        fail_fast: false,
        cancelled: Box::new(|| asked.fetch_add(1, Ordering::Relaxed) == 2),
        waiting: Box::new(|_| {}),
    };
    let hang = |_: &Name| {
        thread::sleep(Duration::from_secs(20));
        Err(again())
    };
    let result = resolver.resolve_by(&[name("a.example")], hang);
    assert!(matches!(result, Err(ResolveError::Cancelled)));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn numeric_hosts_need_no_server() {
    let hosts = ["192.0.2.1", "2001:db8::1", "fe80::1%lo", "127.1"];
    let names: Vec<Name> = hosts.iter().map(|host| name(host)).collect();
    let resolver = Resolver {
        retries: Retries::AtMost(0),
        patience: None,
        fail_fast: false,
        cancelled: Box::new(|| false),
        waiting: Box::new(|_| {}),
    };
    let answers = resolver.resolve(&names).unwrap();
    let shown = |host: &str| answers[&name(host)].clone().unwrap()[0].to_string();
    assert_eq!(shown("192.0.2.1"), "192.0.2.1:51820");
    assert_eq!(shown("2001:db8::1"), "[2001:db8::1]:51820");
    assert_eq!(shown("fe80::1%lo"), "[fe80::1%1]:51820");
    assert_eq!(shown("127.1"), "127.0.0.1:51820");
}

#[test]
fn a_host_that_cannot_be_is_a_permanent_failure() {
    for host in ["a\0b", "fe80::1%nosuchlink"] {
        let error = lookup::lookup(&name(host)).unwrap_err();
        assert!(!error.is_temporary(), "{host:?}: {error}");
    }
}

#[test]
fn what_is_not_answered_in_time_is_not_waited_for() {
    let start = Instant::now();
    let resolver = Resolver {
        retries: Retries::Infinity,
        patience: Some(Duration::from_secs(1)),
        fail_fast: false,
        cancelled: Box::new(|| false),
        waiting: Box::new(|_| {}),
    };
    let lookup = |name: &Name| match name.host.as_str() {
        "good.example" => Ok(vec!["192.0.2.1:51820".parse().unwrap()]),
        "again.example" => Err(again()),
        _ => {
            thread::sleep(Duration::from_secs(20));
            Err(no_name())
        }
    };
    let names = ["good.example", "again.example", "silent.example"].map(name);
    let answers = resolver.resolve_by(&names, lookup).unwrap();
    let why = |host: &str| answers[&name(host)].clone().unwrap_err().to_string();
    assert!(answers[&name("good.example")].is_ok());
    assert_eq!(why("again.example"), again().to_string());
    assert_eq!(why("silent.example"), "no answer within 1 seconds");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn an_address_without_a_route_is_the_last_choice() {
    let addresses = [
        "[2001:db8::1]:1",
        "192.0.2.1:1",
        "[2001:db8::2]:1",
        "192.0.2.2:1",
    ];
    let addresses: Vec<SocketAddr> = addresses.map(|text| text.parse().unwrap()).into();
    let chosen = |has_route: fn(IpAddr) -> bool| {
        first_reachable(&addresses, has_route).map(|address| address.to_string())
    };
    assert_eq!(chosen(|ip| ip.is_ipv4()).unwrap(), "192.0.2.1:1");
    assert_eq!(chosen(|_| true).unwrap(), "[2001:db8::1]:1");
    assert_eq!(chosen(|_| false).unwrap(), "[2001:db8::1]:1");
    assert_eq!(first_reachable(&[], |_| true), None);
}
