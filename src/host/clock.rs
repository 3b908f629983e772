//! The time of day.

use std::time::SystemTime;

/// What time it is.
pub fn now() -> SystemTime {
    SystemTime::now()
}
