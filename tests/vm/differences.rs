//! Where wgq is deliberately not as wg-quick, rule by rule. [`wanted`] makes of a recording of wg-quick what wgq should do;
//! [`neutral`] leaves out of a line the little that may differ. Nothing else may.

use std::collections::HashMap;

use crate::oracle::Phase;

/// What wgq should do where wg-quick did as `recorded`.
pub(crate) fn wanted(recorded: &[Phase]) -> Vec<Phase> {
    let mut before: HashMap<&str, Vec<String>> = HashMap::new();
    let mut now: Vec<String> = Vec::new();
    let mut wanted = Vec::new();
    for phase in recorded {
        let (verb, tunnel) = phase.title.split_once(' ').unwrap_or_default();
        let (hooks, state): (Vec<String>, Vec<String>) = phase
            .lines
            .iter()
            .cloned()
            .partition(|line| line.starts_with('>'));
        now = match (verb, phase.done) {
            // What is refused changes nothing.
            ("up" | "down", false) => now,
            // `down` brings back what was before `up`. wg-quick leaves src_valid_mark at 1, and removes the rule
            // `lookup main suppress_prefixlength 0` of every other full tunnel with its own.
            ("down", true) => before.remove(tunnel).unwrap_or_default(),
            ("up", true) => {
                let state = with_one_mark(&now, state, tunnel);
                before.insert(tunnel, now);
                state
            }
            _ => state,
        };
        wanted.push(Phase {
            lines: now.iter().cloned().chain(hooks).collect(),
            ..phase.clone()
        });
    }
    wanted.iter().map(neutral).collect()
}

/// All of wgq's full tunnels carry the mark of the one that was there first: with a mark each, as wg-quick gives them, the
/// encrypted packets of the second go through the first.
fn with_one_mark(before: &[String], after: Vec<String>, tunnel: &str) -> Vec<String> {
    let mark_of = |lines: &[String], device: &str| {
        let mut marks = lines
            .iter()
            .filter_map(|line| line.strip_prefix(device)?.split_once("FwMark "));
        marks.find_map(|(_, mark)| mark.split(' ').next().map(str::to_owned))
    };
    let marks = (
        mark_of(before, "+ device "),
        mark_of(&after, &format!("+ device {tunnel}: ")),
    );
    let (Some(first), Some(second)) = marks else {
        return after;
    };
    after
        .iter()
        .map(|line| line.replace(&format!("ark {second} "), &format!("ark {first} ")))
        .collect()
}

/// A phase without what may differ in its lines.
pub(crate) fn neutral(phase: &Phase) -> Phase {
    let line = |line: &String| {
        // A policy rule's protocol says who made it; wgq's are `kernel`, which systemd-networkd leaves alone.
        if line.starts_with("+ rule ") {
            return ["kernel", "boot", "static", "unspec"]
                .iter()
                .fold(line.clone(), |line, name| {
                    line.replace(&format!(" protocol {name}"), "")
                });
        }
        // An IPv6 address of wgq's is ready when `up` ends, that of wg-quick a moment later.
        if line.starts_with("+ address ") {
            return line.replace(" nodad true", "");
        }
        line.clone()
    };
    Phase {
        lines: phase.lines.iter().map(line).collect(),
        ..phase.clone()
    }
}
