//! The library behind the `wgq` command; it exists for the binary and the tests.

pub mod config;
pub mod host;
pub mod key;
pub mod net;
pub mod nft;
pub mod state;
pub mod step;
