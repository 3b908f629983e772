//! The command line of `wgq show`.

use std::time::Duration;

use clap::{Args, ValueHint};

use crate::status::fields::Field;

/// `wgq show`
#[derive(Debug, Clone, Default, Args)]
pub struct Show {
    /// An interface NAME, `all` (which goes without saying), or `interfaces` for their names alone
    #[arg(value_name = "NAME", value_hint = ValueHint::Other)]
    pub name: Option<String>,
    /// Print one thing alone, byte for byte as `wg show` does
    #[arg(value_enum, value_name = "FIELD", conflicts_with_all = ["watch", "prometheus"])]
    pub field: Option<Field>,
    /// Show a live table with rates, anew every second or every so many; q or Ctrl-C ends it
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = seconds,
        conflicts_with = "prometheus"
    )]
    pub watch: Option<Duration>,
    /// Print the metrics of Prometheus, as text
    #[arg(long)]
    pub prometheus: bool,
}

/// Reads the time between two looks: `1`, `0.5`, `10`.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok();
    let seconds = seconds.filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds, from 0.1 to 3600".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_looks_are_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("60"), Ok(Duration::from_mins(1)));
        for bad in ["0", "-1", "NaN", "inf", "3601", "1s", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
