//! What is chosen at random: keys, and whatever else must not be guessed. All of it is the kernel's randomness.

use anyhow::{Context, Result};
use zeroize::Zeroizing;

use crate::key::{PresharedKey, PrivateKey};

/// Returns so many bytes of getrandom(2), which waits for a kernel that has just booted to have gathered some.
pub fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).context("getrandom")?;
    Ok(bytes)
}

impl PrivateKey {
    /// Makes a new one, as `wg genkey` does.
    pub fn generate() -> Result<Self> {
        Ok(Self::clamped(&*bytes()?))
    }
}

impl PresharedKey {
    /// Makes a new one, as `wg genpsk` does.
    pub fn generate() -> Result<Self> {
        Ok(Self::from(*bytes()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_new_each_time_and_private_ones_are_clamped() {
        let keys: Vec<_> = (0..64).map(|_| PrivateKey::generate().unwrap()).collect();
        for (at, key) in keys.iter().enumerate() {
            let bytes = key.as_bytes();
            assert_eq!((bytes[0] & 7, bytes[31] & 0xc0), (0, 0x40));
            assert!(!keys[..at].contains(key));
        }
        assert!(PresharedKey::generate().unwrap() != PresharedKey::generate().unwrap());
    }
}
