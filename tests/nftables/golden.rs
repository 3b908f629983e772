//! The tables of the golden cases, `tests/cases/NAME/plan.txt`: all that the keys of a file can lead to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wgq::host::nftables::{self as native, Deletion};

use super::{listed, listed_json, nft, own_network};

#[test]
fn every_table_is_written_as_it_prints_and_read_back_as_it_was_described() {
    own_network();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut keys = BTreeSet::new();
    for case in fs::read_dir(cases).unwrap() {
        let plan = fs::read_to_string(case.unwrap().path().join("plan.txt")).unwrap();
        let Some((_, plan)) = plan.split_once("nft -f - <<'EOF'\n") else {
            continue;
        };
        let (text, _) = plan.split_once("EOF\n").unwrap();
        nft(&["-f", "-"], text);
        let table = listed_json("wgq-wg0");
        native::replace(&table).unwrap();
        assert_eq!(listed("wgq-wg0"), text);
        assert_eq!(listed_json("wgq-wg0"), table);
        assert_eq!(native::observe("wgq-wg0").unwrap(), Some(table.clone()));
        native::delete(&[Deletion::Table("wgq-wg0")]).unwrap();
        let rules = table.chains.iter().flat_map(|chain| &chain.rules);
        keys.extend(rules.map(|rule| {
            let comment = rule
                .comment
                .as_deref()
                .expect("each rule says what it is for");
            let key = comment.strip_prefix("wgq wg0: ").unwrap();
            key.split(',').next().unwrap().to_owned()
        }));
    }
    let all = [
        "ClampMSS",
        "Isolate",
        "KeepInbound",
        "KillSwitch",
        "Masquerade",
        "PortForward",
        "full tunnel",
    ];
    assert_eq!(keys, BTreeSet::from(all.map(str::to_owned)));
}
