//! Fifty pairs on a kernel with `WireGuard`: the virtual machine of tests/vm has no TUN device, so that wgq cannot use the embedded
//! one.

#[allow(dead_code, reason = "tests/vm needs more of it")]
#[path = "../vm/machine.rs"]
mod machine;

use machine::Machine;

#[test]
fn the_kernels_wireguard_agrees() {
    let machine = Machine::new("pairs").processors(2);
    machine.run_tests(&["--skip=more_pairs", "--skip=values::", "--skip=owners::"]);
}
