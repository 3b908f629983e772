//! Where wgq is deliberately not as wg-quick, rule by rule. [`wanted`] makes of a recording of wg-quick what wgq should do;
//! [`found`] leaves out of what wgq did the little that may differ. Nothing else may.

use crate::oracle::Phase;

/// What wgq should do where wg-quick did as `recorded`.
pub(crate) fn wanted(case: &str, recorded: &[Phase]) -> Vec<Phase> {
    let mut up: Vec<String> = Vec::new();
    let phase = |phase: &Phase| {
        let (verb, tunnel) = phase.title.split_once(' ').unwrap_or_default();
        match verb {
            "up" if phase.done => up.push(tunnel.to_owned()),
            "down" => up.retain(|name| name != tunnel),
            _ => {}
        }
        let mut lines = phase.lines.clone();
        // wgq puts back src_valid_mark with the last tunnel that needs it; wg-quick leaves it at 1.
        if up.is_empty() {
            lines.retain(|line| !line.contains("sysctl net.ipv4.conf.all.src_valid_mark"));
        }
        Phase { title: phase.title.clone(), done: phase.done, lines: lines.iter().map(|line| neutral(line)).collect() }
    };
    let _ = case;
    recorded.iter().map(phase).collect()
}

/// What wgq did, without what may differ.
pub(crate) fn found(phases: &[Phase]) -> Vec<Phase> {
    let phase = |phase: &Phase| Phase {
        title: phase.title.clone(),
        done: phase.done,
        lines: phase.lines.iter().map(|line| neutral(line)).collect(),
    };
    phases.iter().map(phase).collect()
}

/// A line without what may differ in it.
fn neutral(line: &str) -> String {
    // A policy rule's protocol says who made it; wgq's are `kernel`, which systemd-networkd leaves alone.
    if line.starts_with("+ rule ") || line.starts_with("- rule ") {
        return line.replace(" protocol kernel", "").replace(" protocol boot", "").replace(" protocol unspec", "");
    }
    line.to_owned()
}
