//! `wgq export`

use clap::{Args, ValueEnum};

use super::Target;

/// `wgq export`
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// The file
    #[command(flatten)]
    pub target: Target,
    /// Whom the file is for
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// A program that brings interfaces up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// wg-quick(8)
    #[default]
    WgQuick,
}
