//! Everything that touches the machine.

pub mod dns;
pub mod hooks;
mod program;
pub mod resolve;
