//! `wgq import`

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::net::Ifname;

/// `wgq import`
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// The config: a FILE, a PNG picture of its QR code, or - for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The interface's name, if the file's is not to be it
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub name: Option<Ifname>,
}
