//! `wgq selftest` where the kernel has WireGuard: both kinds of it are tested.

use crate::machine::{self, Machine};

#[test]
fn the_selftest_passes_with_the_kernels_and_the_embedded_wireguard_for_root_and_for_a_plain_user() {
    let output = Machine::new("selftest")
        .run("selftest", &[machine::wgq()])
        .output;
    assert_eq!(output.matches("wgq works here (").count(), 2, "{output}");
    for driver in ["kernel", "embedded"] {
        for tunnel in ["split, IPv4", "split, IPv6", "full, IPv4", "full, IPv6"] {
            let works = format!("  ok       {driver}, {tunnel} ");
            assert_eq!(output.matches(&works).count(), 2, "{works}\n{output}");
        }
    }
}
