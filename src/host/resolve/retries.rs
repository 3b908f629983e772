//! How often, and after what time, a name is looked up again.

use std::env;
use std::str::FromStr;
use std::time::Duration;

/// wg's variable.
const VARIABLE: &str = "WG_ENDPOINT_RESOLUTION_RETRIES";

/// How often a name is looked up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// At most so often.
    AtMost(u32),
    /// For ever.
    Infinity,
}

/// That the variable is neither a number nor `infinity`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE}: must be 0-2147483647 or `infinity`, not `{0}`")]
pub struct InvalidRetries(String);

impl Default for Retries {
    /// wg's: 72 seconds in all.
    fn default() -> Self {
        Self::AtMost(15)
    }
}

impl FromStr for Retries {
    type Err = InvalidRetries;

    fn from_str(text: &str) -> Result<Self, InvalidRetries> {
        if text == "infinity" {
            return Ok(Self::Infinity);
        }
        if text.is_empty() {
            return Ok(Self::NONE); // what strtoul(3) makes of it for wg
        }
        let count = text.parse().ok();
        count
            .filter(|&count| i32::try_from(count).is_ok())
            .map(Self::AtMost)
            .ok_or_else(|| InvalidRetries(text.escape_debug().to_string()))
    }
}

impl Retries {
    /// Each name is looked up once.
    pub const NONE: Self = Self::AtMost(0);

    /// Reads `WG_ENDPOINT_RESOLUTION_RETRIES`.
    pub fn from_env() -> Result<Self, InvalidRetries> {
        env::var_os(VARIABLE).map_or(Ok(Self::default()), |value| value.to_string_lossy().parse())
    }

    /// Whether a name that was looked up again `count` times already may be once more.
    pub(super) fn allow(self, count: u32) -> bool {
        match self {
            Self::AtMost(most) => count < most,
            Self::Infinity => true,
        }
    }

    /// Returns the time before a name is looked up again that was so `count` times already: 1.00 s, 1.20 s, 1.44 s … 20 s.
    pub(super) fn delay(count: u32) -> Duration {
        const LONGEST: u64 = 20_000_000;
        let longer = |micros: u64, _| (micros * 6 / 5).min(LONGEST);
        Duration::from_micros((0..count.min(20)).fold(1_000_000, longer))
    }
}
