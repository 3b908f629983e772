//! QR codes: a client's config as what a phone's camera takes.
//!
//! A code of a config is as secret as the config, in each of its forms. What this module holds of it is wiped from memory.

use std::fmt;

use qrcode::bits::Bits;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode, Version};
use zeroize::Zeroizing;

mod png;
mod read;
mod svg;
mod terminal;

pub use read::{Unreadable, is_png, read_png};
pub use terminal::TooNarrow;

/// The bytes that the largest code holds: version 40 with the lowest error correction.
const MOST_ASCII: usize = 2953;

/// The same, of a text of which the code says that it is UTF-8.
const MOST_UTF_8: usize = MOST_ASCII - 1;

/// The light border that a reader needs to find the code, in modules: ISO/IEC 18004.
const QUIET_ZONE: usize = 4;

/// The number by which a code says that its text is UTF-8: AIM's list of extended channel interpretations.
const ECI_UTF_8: u32 = 26;

/// A QR code, with its border.
#[derive(Clone)]
pub struct Qr {
    /// Modules a side, the border's included.
    width: usize,
    /// Whether each is dark, row by row.
    dark: Zeroizing<Vec<bool>>,
}

/// A text that no QR code holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes are too many for a QR code, which holds {most}")]
pub struct TooLong {
    /// The text's length.
    pub bytes: usize,
    /// The longest text's, in the characters of this one.
    pub most: usize,
}

impl Qr {
    /// Makes the smallest code of the text, which is the one with the lowest error correction: a screen has no scratches.
    pub fn of(text: &str) -> Result<Self, TooLong> {
        let code = encode(text).map_err(|_| TooLong {
            bytes: text.len(),
            most: if text.is_ascii() {
                MOST_ASCII
            } else {
                MOST_UTF_8
            },
        })?;
        let inner = code.width();
        let width = inner + 2 * QUIET_ZONE;
        let modules = code.into_colors();
        let mut dark = Zeroizing::new(vec![false; width * width]);
        for (row, modules) in dark
            .chunks_exact_mut(width)
            .skip(QUIET_ZONE)
            .zip(modules.chunks_exact(inner))
        {
            let inside = row.iter_mut().skip(QUIET_ZONE);
            inside
                .zip(modules)
                .for_each(|(dark, module)| *dark = *module == Color::Dark);
        }
        Ok(Self { width, dark })
    }

    /// The modules a side, those of the border included.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The rows from the top, and in each the modules from the left: whether they are dark.
    fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks_exact(self.width)
    }
}

impl fmt::Debug for Qr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Qr({0}x{0}, hidden)", self.width)
    }
}

/// As bytes alone: what the crate chooses by itself is longer for a text of many kinds of characters, and takes UTF-8 that
/// looks like Shift JIS for kanji, which then come out as others.
fn encode(text: &str) -> Result<QrCode, QrError> {
    const LEVEL: EcLevel = EcLevel::L;
    let encode = |version| {
        let mut bits = Bits::new(Version::Normal(version));
        if !text.is_ascii() {
            bits.push_eci_designator(ECI_UTF_8)?;
        }
        bits.push_byte_data(text.as_bytes())?;
        bits.push_terminator(LEVEL)?;
        QrCode::with_bits(bits, LEVEL)
    };
    let mut smallest = (1..=40).map(encode);
    smallest
        .find(|code| !matches!(code, Err(QrError::DataTooLong)))
        .unwrap_or(Err(QrError::DataTooLong))
}

#[cfg(test)]
mod tests;
