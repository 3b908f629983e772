//! The seed of what is random in tests that are scripts.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// That of an earlier run, in `WGQ_SEED`, or a new one; it is shown when the test fails.
#[allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]
pub(crate) fn seed() -> u64 {
    let given = env::var("WGQ_SEED").ok();
    let new = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    let seed = given.map_or_else(new, |seed| seed.parse().unwrap());
    eprintln!("WGQ_SEED={seed}");
    seed
}
