//! What kernel this is.

use crate::host::sysctl;
use crate::state::Sysctl;

/// Since when rules about what is leaving can ask by which interface it came in.
pub const KNOWS_INCOMING: Version = (5, 7);

/// The first two numbers of a version.
pub type Version = (u32, u32);

/// Returns the kernel's version; none where it is unlike any.
pub fn version() -> Option<Version> {
    parse(&sysctl::read(&Sysctl("kernel.osrelease".into())).ok()??)
}

/// Reads `6.1.0-56-amd64`, `6.12-rc3`.
fn parse(release: &str) -> Option<Version> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_whatever_comes_after_it() {
        assert_eq!(parse("6.1.0-56-amd64"), Some((6, 1)));
        assert_eq!(parse("5.4+"), Some((5, 4)));
        assert_eq!(parse("6.12-rc3"), Some((6, 12)));
        assert_eq!(parse("x"), None);
        assert!(parse("5.15.0") > Some(KNOWS_INCOMING));
    }
}
