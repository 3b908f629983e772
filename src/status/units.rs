//! Numbers as wg(8) prints them.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Bytes: `512 B`, `1.50 KiB`, `2.00 GiB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let bytes = u128::from(bytes);
    let exceeds = |unit: u32| bytes >= 1 << (10 * (unit + 1));
    let power = (1..4).take_while(|&unit| exceeds(unit)).count();
    let unit = UNITS.get(power).copied().unwrap_or_default();
    let divisor: u128 = 1 << (10 * (power + 1));
    let (whole, rest) = (bytes * 100 / divisor, 2 * (bytes * 100 % divisor));
    // rounded as printf does: what is in the middle becomes even
    let is_up = rest > divisor || rest == divisor && whole % 2 == 1;
    let hundredths = whole + u128::from(is_up);
    format!("{}.{:02} {unit}", hundredths / 100, hundredths % 100)
}

/// The units of time, in seconds.
const TIMES: [(u64, &str); 5] = [
    (365 * 24 * 60 * 60, "year"),
    (24 * 60 * 60, "day"),
    (60 * 60, "hour"),
    (60, "minute"),
    (1, "second"),
];

/// How long ago something was: `1 minute, 3 seconds ago`.
pub(super) fn ago(now: Duration, then: Duration) -> String {
    let (now, then) = (now.as_secs(), then.as_secs());
    if now < then {
        return "(System clock wound backward; connection problems may ensue.)".to_owned();
    }
    match now - then {
        0 => "Now".to_owned(),
        seconds => format!("{} ago", words(seconds, TIMES.len())),
    }
}

/// How often something is: `every 25 seconds`.
pub(super) fn every(seconds: u16) -> String {
    format!("every {}", words(seconds.into(), TIMES.len()))
}

/// A time, in its largest unit: `4 minutes`.
pub(super) fn roughly(time: Duration) -> String {
    words(time.as_secs().max(1), 1)
}

/// A time in no more than four characters: `9s`, `12m`, `3h`, `400d`.
pub(super) fn briefly(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3600 => format!("{}m", seconds / 60),
        seconds @ 3600..86_400 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Seconds, in as many units at most.
fn words(mut seconds: u64, most: usize) -> String {
    let mut words = Vec::new();
    for (length, unit) in TIMES {
        let count = seconds / length;
        seconds %= length;
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            words.push(format!("{count} {unit}{plural}"));
        }
    }
    words.truncate(most);
    words.join(", ")
}

/// A count and what is counted: `1 step`, `3 steps`.
pub(super) fn count(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// An address in the form of `inet_ntop(3)`, by which that of IPv6 with 96 leading zeros ends as an IPv4 one.
pub(super) struct Ip(pub(super) IpAddr);

impl Display for Ip {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let IpAddr::V6(v6) = self.0
            && let [0, 0, 0, 0, 0, 0, high, _] = v6.segments()
            && high != 0
        {
            let [.., first, second, third, fourth] = v6.octets();
            return write!(f, "::{}", Ipv4Addr::new(first, second, third, fourth));
        }
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_largest_unit_that_fits() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (1152, "1.12 KiB"),
            (1536, "1.50 KiB"),
            (1_048_575, "1024.00 KiB"),
            (1_048_576, "1.00 MiB"),
            (5_368_709_120, "5.00 GiB"),
            (1_099_511_627_776, "1.00 TiB"),
            (u64::MAX, "16777216.00 TiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn times_are_in_words() {
        let seconds = Duration::from_secs;
        assert_eq!(ago(seconds(100), seconds(100)), "Now");
        assert_eq!(ago(seconds(163), seconds(100)), "1 minute, 3 seconds ago");
        assert_eq!(
            ago(seconds(365 * 86_400 + 2 * 86_400 + 3600), seconds(0)),
            "1 year, 2 days, 1 hour ago"
        );
        assert!(ago(seconds(1), seconds(2)).contains("clock wound backward"));
        assert_eq!(every(65), "every 1 minute, 5 seconds");
        assert_eq!(roughly(seconds(250)), "4 minutes");
        assert_eq!(roughly(seconds(0)), "1 second");
        let all = [9, 60, 7200, 86_400 * 400].map(|time| briefly(seconds(time)));
        assert_eq!(all, ["9s", "1m", "2h", "400d"]);
    }

    #[test]
    fn addresses_are_those_of_libc() {
        for text in [
            "::1.2.3.4",
            "::",
            "::1",
            "::ffff:1.2.3.4",
            "fd00::1",
            "10.0.0.1",
        ] {
            assert_eq!(Ip(text.parse().unwrap()).to_string(), text);
        }
    }
}
