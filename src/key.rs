//! `WireGuard`'s keys. A secret one is never printed, not by `Debug` either, and is wiped from memory when dropped.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use base64ct::{Base64, Encoding};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::net::recorded_as_text;

/// The length of each key, in bytes: `WG_KEY_LEN`.
pub const KEY_LEN: usize = 32;

/// The length of a key in base64, in characters.
const TEXT_LEN: usize = 44;

/// Why a text is no key. Tells lengths only: a mistyped key is nearly the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The text has another length, in characters.
    #[error("a key is 44 characters of base64, and this has {0}")]
    Length(usize),
    /// The text is not base64 of 32 bytes.
    #[error("a key is 32 bytes in base64 (A-Z a-z 0-9 + / and one = at the end), and this is not")]
    NotBase64,
}

fn decode(text: &str) -> Result<[u8; KEY_LEN], InvalidKey> {
    let found = text.chars().count();
    if found != TEXT_LEN {
        return Err(InvalidKey::Length(found));
    }
    let mut bytes = [0; KEY_LEN];
    let decoded = Base64::decode(text, &mut bytes).map(<[u8]>::len);
    if let Ok(KEY_LEN) = decoded {
        Ok(bytes)
    } else {
        bytes.zeroize();
        Err(InvalidKey::NotBase64)
    }
}

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name([u8; KEY_LEN]);

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.as_mut_slice().zeroize(); // as an array it would be byte by byte, each with a fence
            }
        }

        impl ZeroizeOnDrop for $name {}

        impl Eq for $name {}

        impl $name {
            /// The raw bytes; mind where they go.
            pub fn as_bytes(&self) -> &[u8; KEY_LEN] {
                &self.0
            }

            /// The key as text, for a file or a pipe that is to hold it.
            pub fn to_base64(&self) -> zeroize::Zeroizing<String> {
                zeroize::Zeroizing::new(Base64::encode_string(&self.0))
            }
        }

        impl From<[u8; KEY_LEN]> for $name {
            fn from(bytes: [u8; KEY_LEN]) -> Self {
                Self(bytes)
            }
        }

        impl FromStr for $name {
            type Err = InvalidKey;

            fn from_str(text: &str) -> Result<Self, InvalidKey> {
                decode(text).map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

secret_key!(
    /// An interface's secret: 32 bytes, in text 44 characters of base64.
    PrivateKey
);

secret_key!(
    /// The symmetric secret that two peers may share beside their key pairs.
    PresharedKey
);

impl PartialEq for PrivateKey {
    /// Whether they are one to Curve25519: the kernel keeps a key as it is clamped, and a file may have it as it was made.
    fn eq(&self, other: &Self) -> bool {
        Self::clamped(&self.0).0 == Self::clamped(&other.0).0
    }
}

impl PartialEq for PresharedKey {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl PrivateKey {
    /// The key that Curve25519 makes of any 32 bytes. It would use them all the same; `wg genkey` prints it so.
    pub fn clamped(bytes: &[u8; KEY_LEN]) -> Self {
        let mut key = Self(*bytes);
        let [first, .., last] = &mut key.0;
        *first &= 0xf8;
        *last = *last & 0x7f | 0x40;
        key
    }

    /// The name by which peers know who has this secret: Curve25519 of it.
    pub fn public_key(&self) -> PublicKey {
        let secret = x25519_dalek::StaticSecret::from(self.0);
        PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }
}

/// A peer's name to `WireGuard`: 32 bytes, in text 44 characters of base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; KEY_LEN]);

impl Hash for PublicKey {
    /// Hashes a part: a key is random as it is, and there are maps of thousands.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0
            .first_chunk()
            .into_iter()
            .for_each(|part| state.write_u64(u64::from_ne_bytes(*part)));
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        decode(text).map(Self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; TEXT_LEN];
        f.pad(Base64::encode(&self.0, &mut text).map_err(|_| fmt::Error)?)
    }
}

recorded_as_text!(PublicKey);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

    #[test]
    fn a_key_reads_and_prints_as_base64() {
        assert_eq!(TEXT.parse::<PublicKey>().unwrap().to_string(), TEXT);
        assert_eq!(*TEXT.parse::<PrivateKey>().unwrap().to_base64(), TEXT);
    }

    #[test]
    fn a_malformed_key_is_told_by_its_length() {
        assert_eq!("abc".parse::<PublicKey>(), Err(InvalidKey::Length(3)));
        // the last character before = carries two unused bits, which must be zero
        assert_eq!(
            TEXT.replace("mk=", "ml=").parse::<PublicKey>(),
            Err(InvalidKey::NotBase64)
        );
        assert_eq!(
            TEXT.replace('=', "A").parse::<PrivateKey>(),
            Err(InvalidKey::NotBase64)
        );
    }

    #[test]
    fn clamping_a_private_key_changes_the_bits_that_its_public_key_does_not_go_by() {
        for bytes in [[0; KEY_LEN], [0xff; KEY_LEN], [0x5a; KEY_LEN]] {
            let clamped = PrivateKey::clamped(&bytes);
            assert_eq!((clamped.0[0] & 7, clamped.0[31] & 0xc0), (0, 0x40));
            assert_eq!(clamped.0[1..31], bytes[1..31]);
            assert_eq!(clamped.public_key(), PrivateKey(bytes).public_key());
            assert_eq!(clamped, PrivateKey(bytes));
        }
    }

    #[test]
    fn a_secret_is_not_in_its_debug_text() {
        let shown = format!("{:?}", TEXT.parse::<PrivateKey>().unwrap());
        assert_eq!(shown, "PrivateKey(hidden)");
    }
}
