//! The units, where the host has them.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::program;
use crate::net::Ifname;

/// Where it is to be seen that systemd is process 1 (`sd_booted(3)`).
const BOOTED: &str = "/run/systemd/system";

const SYSTEMCTL: &str = "systemctl";

/// Whether systemd runs here, and knows the units.
pub fn is_installed() -> bool {
    let is_there = || program::run(Path::new(SYSTEMCTL), &["cat", "wgq@.service"], "").is_ok();
    Path::new(BOOTED).is_dir() && is_there()
}

/// Has the unit bring an interface up, now and at every boot; false where there is none.
pub fn enable(ifname: Ifname) -> Result<bool> {
    if !is_installed() {
        return Ok(false);
    }
    let unit = format!("wgq@{ifname}.service");
    program::run(Path::new(SYSTEMCTL), &["enable", "--now", &unit], "")
        .with_context(|| format!("systemctl enable --now {unit}"))?;
    Ok(true)
}
