//! All of it on a kernel with `WireGuard`: the virtual machine of tests/vm has no TUN device, so that wgq cannot use the
//! embedded one.

#[allow(dead_code, reason = "tests/vm needs more of it")]
#[path = "../vm/machine.rs"]
mod machine;

use machine::Machine;

#[test]
fn all_is_so_with_the_kernels_wireguard() {
    let machine = Machine::new("netns").processors(2);
    machine.run_tests(&["--skip=another_program"]);
}
