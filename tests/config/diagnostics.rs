//! What is told of a wrong file: each `told/NAME.conf` beside `NAME.txt`. `WGQ_BLESS=1` writes the latter anew.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use wgq::config::{MAX_BYTES, Names, Severity, decode, parse};

fn told(text: &[u8]) -> String {
    let names = Names {
        ifname: Some("wg0".parse().unwrap()),
        services: LazyCell::new(|| BTreeMap::from([("domain".to_owned(), 53)])),
        ..Names::default()
    };
    let parsed = parse(text, &names);
    let errors = parsed.diagnostics.iter();
    let refused = errors
        .clone()
        .any(|told| told.severity() == Severity::Error);
    assert_eq!(refused, parsed.config.is_none());
    errors
        .map(|told| told.render("wg0.conf", false) + "\n")
        .collect()
}

#[test]
fn every_wrong_file_is_told_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/told");
    let bless = std::env::var_os("WGQ_BLESS").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|ending| ending != "conf") {
            continue;
        }
        let (found, golden) = (told(&fs::read(&file).unwrap()), file.with_extension("txt"));
        if bless {
            fs::write(&golden, &found).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if found != expected {
            wrong.push(format!(
                "{}:\n--- expected\n{expected}--- found\n{found}",
                file.display()
            ));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 15, "only {count} files were found");
}

#[test]
fn no_piece_of_a_key_is_told() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/told/keys-are-not-shown.conf");
    let told = told(&fs::read(file).unwrap());
    let key: Vec<char> = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
        .chars()
        .collect();
    for piece in key.windows(5) {
        let piece: String = piece.iter().collect();
        assert!(!told.contains(&piece), "{piece} is in\n{told}");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let parsed = parse(
        b"[Interface]\nMTU = x\n[Peer]\nPublicKey = x",
        &Names::default(),
    );
    for told in &parsed.diagnostics {
        let plain = told.render("wg0.conf", false);
        let mut coloured = told.render("wg0.conf", true);
        assert_ne!(coloured, plain);
        while let Some(start) = coloured.find('\x1b') {
            let end = start + coloured[start..].find('m').unwrap();
            coloured.replace_range(start..=end, "");
        }
        assert_eq!(coloured, plain);
    }
}

#[test]
fn a_flood_of_errors_is_counted() {
    let lines = "AllowedIPs = x\nMTU = 1279\n".repeat(100);
    let told = told(format!("[Interface]\nAddress = ::1\n{lines}").as_bytes());
    assert_eq!(told.matches("belongs in [Peer]").count(), 50);
    assert!(
        told.contains("wgq: wg0.conf: ... and 50 more errors\n"),
        "{told}"
    );
    assert!(
        told.contains("wgq: warning: wg0.conf: ... and 50 more warnings\n"),
        "{told}"
    );
}

#[test]
fn too_large_a_file_is_told_in_one_line() {
    let huge = told(&vec![b'#'; 10 << 20]);
    assert_eq!(
        huge,
        "wgq: wg0.conf: the file has 10485760 bytes, and a config at most 8388608\n"
    );
    assert!(decode(&vec![b'#'; MAX_BYTES]).is_ok());
}
