//! What is carved out of a prefix, as out of the tunnel's routes.
//!
//! A route is replaced by those that lead everywhere else. What they leave out finds its way as it would without the
//! tunnel: no rule or route speaks of it, so that none is left over when the tunnel is gone, however it went.

use std::collections::BTreeSet;

use super::Prefix;

/// Returns the prefixes that together are `prefix` without the holes in it, in order. A hole that is wider than it is none:
/// what is said of the narrower prefix counts.
pub fn carve(prefix: Prefix, holes: &BTreeSet<Prefix>) -> Vec<Prefix> {
    if holes.contains(&prefix) {
        return Vec::new();
    }
    let inside: BTreeSet<Prefix> = holes
        .iter()
        .copied()
        .filter(|&hole| prefix.contains(hole))
        .collect();
    match prefix.halves() {
        Some(halves) if !inside.is_empty() => halves
            .into_iter()
            .flat_map(|half| carve(half, &inside))
            .collect(),
        _ => vec![prefix],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carved(prefix: &str, holes: &[&str]) -> Vec<String> {
        let holes = holes.iter().map(|hole| hole.parse().unwrap()).collect();
        let left = carve(prefix.parse().unwrap(), &holes);
        left.iter().map(Prefix::to_string).collect()
    }

    #[test]
    fn what_is_left_is_all_but_the_holes() {
        let left = ["10.0.0.0/16", "10.2.0.0/15", "10.4.0.0/14", "10.8.0.0/13"];
        assert_eq!(carved("10.0.0.0/12", &["10.1.0.0/16"]), left);
        assert_eq!(carved("::/0", &["8000::/1", "4000::/2"]), ["::/2"]);
        assert_eq!(carved("0.0.0.0/0", &["192.0.2.1/32"]).len(), 32);
        assert_eq!(carved("::/0", &["2001:db8::1/128"]).len(), 128);
    }

    #[test]
    fn holes_elsewhere_and_wider_ones_leave_all() {
        let holes = ["10.0.0.0/8", "192.168.0.0/16", "::/1"];
        assert_eq!(carved("10.8.0.0/24", &holes), ["10.8.0.0/24"]);
        assert_eq!(carved("10.0.0.1/32", &holes), ["10.0.0.1/32"]);
    }

    #[test]
    fn of_a_hole_s_own_prefix_nothing_is_left() {
        assert!(carved("10.0.0.0/8", &["10.0.0.0/8"]).is_empty());
        assert!(carved("::1/128", &["::1/128"]).is_empty());
    }
}
