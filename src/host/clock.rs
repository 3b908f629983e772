//! The time of day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What time it is.
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// As [`now`], since the epoch.
pub fn since_epoch() -> Duration {
    now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
