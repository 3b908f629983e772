//! The form for Prometheus: its text exposition format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). The names of what concerns peers are those that exporters
//! of WireGuard have in common.

use std::fmt::{Display, Write as _};

use super::units::Ip;
use super::{Drift, Interface, PeerStatus, Status};
use crate::columns::visible;

/// Returns the metrics of all interfaces.
pub fn prometheus(status: &Status) -> String {
    let mut page = String::new();
    let interfaces = &status.interfaces;
    peers(
        &mut page,
        interfaces,
        ("wireguard_sent_bytes_total", "counter"),
        "Bytes sent to the peer.",
        |peer| peer.tx_bytes,
    );
    peers(
        &mut page,
        interfaces,
        ("wireguard_received_bytes_total", "counter"),
        "Bytes received from the peer.",
        |peer| peer.rx_bytes,
    );
    peers(
        &mut page,
        interfaces,
        ("wireguard_latest_handshake_seconds", "gauge"),
        "When the last handshake with the peer was, in seconds since the epoch; 0 is never.",
        |peer| peer.last_handshake.map_or(0, |last| last.as_secs()),
    );
    tunnels(
        &mut page,
        interfaces,
        "wgq_up",
        "Whether the interface is up.",
        |it| Some(u64::from(it.link.is_none_or(|link| link.up)).to_string()),
    );
    tunnels(
        &mut page,
        interfaces,
        "wgq_drift_steps",
        "The steps by which the interface differs from its file; NaN is not known.",
        |it| match &it.origin.drift {
            Drift::NoFile => None,
            Drift::Steps(steps) => Some(steps.to_string()),
            Drift::Unknown(_) => Some("NaN".to_owned()),
        },
    );
    page
}

/// A metric of peers.
fn peers(
    page: &mut String,
    interfaces: &[Interface],
    (name, kind): (&str, &str),
    help: &str,
    value: impl Fn(&PeerStatus) -> u64,
) {
    let samples = interfaces.iter().flat_map(|interface| {
        let value = &value;
        let samples = interface.device.peers.iter();
        samples.map(move |peer| {
            let allowed_ips = peer.allowed_ips.iter();
            let allowed_ips = allowed_ips.map(|it| format!("{}/{}", Ip(it.ip()), it.prefix_len()));
            let allowed_ips: Vec<String> = allowed_ips.collect();
            let called = interface.name(&peer.public_key).unwrap_or_default();
            let labels = format!(
                r#"interface="{}",public_key="{}",name="{}",allowed_ips="{}""#,
                interface.ifname,
                peer.public_key,
                label(called),
                allowed_ips.join(",")
            );
            (labels, value(peer))
        })
    });
    metric(page, (name, kind), help, samples);
}

/// A metric of interfaces; one without a value is left out.
fn tunnels(
    page: &mut String,
    interfaces: &[Interface],
    name: &str,
    help: &str,
    value: impl Fn(&Interface) -> Option<String>,
) {
    let samples = interfaces.iter().filter_map(|interface| {
        let labels = format!(r#"interface="{}""#, interface.ifname);
        Some((labels, value(interface)?))
    });
    metric(page, (name, "gauge"), help, samples);
}

/// A metric with its samples; nothing if there are none.
fn metric(
    page: &mut String,
    (name, kind): (&str, &str),
    help: &str,
    samples: impl Iterator<Item = (String, impl Display)>,
) {
    let mut samples = samples.peekable();
    if samples.peek().is_some() {
        let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
    for (labels, value) in samples {
        let _ = writeln!(page, "{name}{{{labels}}} {value}");
    }
}

/// A value of a label, escaped. What a terminal would obey is shown by its number.
fn label(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_metrics_are_as_they_were() {
        sample::is_golden("show.prom", &prometheus(&sample::status()));
    }

    #[test]
    fn a_label_ends_where_its_text_ends() {
        assert_eq!(label("a\"b\\c\nd"), r#"a\"b\\c\\u{a}d"#);
    }

    #[test]
    fn without_interfaces_there_are_no_metrics() {
        assert_eq!(prometheus(&Status::default()), "");
    }
}
