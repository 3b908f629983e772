//! The units, where the host has them.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::program;
use crate::net::Ifname;

/// Where it is to be seen that systemd is process 1 (`sd_booted(3)`).
const BOOTED: &str = "/run/systemd/system";

/// Has the unit bring an interface up, now and at every boot; false where there is no systemd, or no such unit.
pub fn enable(ifname: Ifname) -> Result<bool> {
    let systemctl = Path::new("systemctl");
    let is_there = || program::run(systemctl, &["cat", "wgq@.service"], "").is_ok();
    if !Path::new(BOOTED).is_dir() || !is_there() {
        return Ok(false);
    }
    let unit = format!("wgq@{ifname}.service");
    program::run(systemctl, &["enable", "--now", &unit], "")
        .with_context(|| format!("systemctl enable --now {unit}"))?;
    Ok(true)
}
