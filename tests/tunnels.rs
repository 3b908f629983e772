//! Five tunnels beside each other, one with all of IPv4 and one with all of IPv6: after any of their ups, downs and applies the
//! host is what those that run make of it. In network namespaces, with the embedded WireGuard where the kernel has none.
//!
//! A failed test says which steps it were; `WGQ_SEED` repeats a run.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod script;
mod seed;

use std::thread;

/// How many hosts there are at a time: much of the time they wait.
const HOSTS: u64 = 8;

/// How many sequences of steps there are on each.
const SEQUENCES: usize = 25;

#[test]
fn after_any_step_the_host_is_what_the_tunnels_that_run_make_of_it() {
    let seed = seed::seed();
    let run = |host: u64| {
        // bash takes a small one
        let seed = seed.wrapping_add(host) % (1 << 30);
        let settings = format!("seed={seed} sequences={SEQUENCES}\n");
        let said = script::host(&format!("{settings}{}", include_str!("engine/tunnels.sh")));
        assert_eq!(said.trim(), SEQUENCES.to_string());
    };
    thread::scope(|scope| {
        for host in 0..HOSTS {
            scope.spawn(move || run(host));
        }
    });
}
