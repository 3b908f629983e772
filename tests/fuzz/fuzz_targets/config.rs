//! The parser of config files on any bytes: `cargo +nightly fuzz run --fuzz-dir tests/fuzz config`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wgq::config::{Names, decode, parse, save, strip};
use wgq::state::State;

fuzz_target!(|bytes: &[u8]| {
    let names = Names::default();
    let parsed = parse(bytes, &names);
    for told in &parsed.diagnostics {
        let told = told.render("wg0.conf", false);
        assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
    }
    let Some(config) = parsed.config else { return };
    let text = decode(bytes).expect("it was parsed");

    let stripped = strip(text);
    let again = parse(stripped.as_bytes(), &names).config.expect("wg would take it");
    assert_eq!(again.peers, config.peers);
    assert_eq!(again.interface.private_key, config.interface.private_key);

    let mut now = State::default();
    now.device.settings.fwmark = config.interface.fwmark.map(|mark| mark.value);
    let saved = save(text, &config, &now);
    if let Some(again) = parse(saved.as_bytes(), &names).config {
        assert_eq!(again.peers, [], "nothing runs");
        assert_eq!(again.interface, config.interface);
    }
});
