//! The `wgq` command.

fn main() {}
