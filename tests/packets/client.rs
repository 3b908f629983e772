//! A client that keeps what leaves it under control, with real packets: the kill switch, what is carved out of a tunnel, and
//! who came in past it. Each test is a script that begins with tests/engine/prelude.sh and world.sh.

use crate::script;

mod kill_switch;
mod past;

const WORLD: &str = include_str!("../engine/world.sh");

fn client(script: &str) {
    script::host(&format!("{WORLD}\n{script}"));
}
