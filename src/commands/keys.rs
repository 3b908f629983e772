//! `wgq genkey`, `genpsk` and `pubkey`: `wg`'s commands of these names.

use anyhow::Result;
use zeroize::Zeroizing;

use super::load;
use crate::error::Error;
use crate::host::keys;
use crate::key::{PresharedKey, PrivateKey};
use crate::report::Report;

/// Prints a new private key.
pub(super) fn genkey(json: bool, report: Report) -> Result<(), Error> {
    let key = PrivateKey::generate()?.to_base64();
    secret("private_key", &key, json, report)
}

/// Prints a new preshared key.
pub(super) fn genpsk(json: bool, report: Report) -> Result<(), Error> {
    let key = PresharedKey::generate()?.to_base64();
    secret("preshared_key", &key, json, report)
}

/// Prints the public key of the private key on standard input.
pub(super) fn pubkey(json: bool) -> Result<(), Error> {
    let public_key = keys::from_stdin()?.public_key();
    Ok(print("public_key", &public_key.to_string(), json)?)
}

fn secret(name: &str, key: &str, json: bool, report: Report) -> Result<(), Error> {
    load::warn_of_output(report);
    Ok(print(name, key, json)?)
}

fn print(name: &str, key: &str, json: bool) -> Result<()> {
    let line = if json {
        format!("{{\"{name}\":\"{key}\"}}\n") // base64 needs no escapes
    } else {
        format!("{key}\n")
    };
    load::print(&Zeroizing::new(line))
}
