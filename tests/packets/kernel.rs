//! All of it on a kernel with `WireGuard`: the virtual machine of tests/vm has no TUN device, so that wgq cannot use the
//! embedded one. What other firewalls do has nothing to do with who drives the tunnel, so that is left to this kernel.

#[allow(dead_code, reason = "tests/vm needs more of it")]
#[path = "../vm/machine.rs"]
mod machine;

use machine::Machine;

#[test]
fn all_is_so_with_the_kernels_wireguard() {
    let machine = Machine::new("packets").processors(2);
    machine.run_tests(&["--skip=apply::", "--skip=firewalls::", "--skip=negatives::"]);
}

#[test]
fn the_kernels_wireguard_loses_nothing_during_apply() {
    let machine = Machine::new("packets-apply").count_instructions();
    machine.run_tests(&["apply::", "--test-threads=1"]);
}
