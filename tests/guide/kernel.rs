//! All of it on a kernel with `WireGuard`: the virtual machine of tests/vm has no TUN device, so that wgq cannot use the
//! embedded one.

#[allow(dead_code, reason = "tests/vm needs more of it")]
#[path = "../vm/machine.rs"]
mod machine;

use std::env;
use std::ffi::OsStr;

use machine::Machine;

#[test]
fn all_is_so_with_the_kernels_wireguard() {
    let tests = env::current_exe().unwrap();
    let machine = Machine::new("guide").processors(2);
    let skipped = ["kernel::"].map(OsStr::new);
    let arguments: Vec<&OsStr> = [tests.as_ref()].into_iter().chain(skipped).collect();
    let boot = machine.run("run-tests", &arguments);
    assert!(boot.output.contains(" 0 failed"), "{}", boot.output);
}
