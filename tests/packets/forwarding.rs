//! Forwarding, NAT and port forwarding by keys of the file, with real packets: who can reach whom, with which source
//! address, and what is left afterwards. Each test is a script that begins with tests/engine/prelude.sh, foreign.sh and
//! peers.sh.

use crate::script;

mod between;
mod masquerade;
mod port_forward;
mod sysctls;

const FOREIGN: &str = include_str!("../engine/foreign.sh");
const PEERS: &str = include_str!("../engine/peers.sh");

fn server(script: &str) {
    script::host(&format!("{FOREIGN}\n{PEERS}\n{script}"));
}
