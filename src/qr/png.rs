//! A QR code as a PNG picture.

use std::iter::repeat_n;

use anyhow::{Context, Result};
use png::{BitDepth, ColorType, Encoder};
use zeroize::Zeroizing;

use super::Qr;

/// Pixels a module: enough that a phone reads the smallest code from a screen.
const SCALE: usize = 8;

impl Qr {
    /// Returns the bytes of a picture in black and white, [`Qr::width`] times 8 pixels a side.
    pub fn png(&self) -> Result<Zeroizing<Vec<u8>>> {
        let pixels = u32::try_from(self.width * SCALE)?;
        let image = self.bitmap();
        // so that none of it is left behind by growing
        let mut bytes = Zeroizing::new(Vec::with_capacity(image.len() * 2 + 1024));
        let mut encoder = Encoder::new(&mut *bytes, pixels, pixels);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_depth(BitDepth::One);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&image)?;
            writer.finish()
        });
        written.context("a PNG picture of the QR code")?;
        Ok(bytes)
    }

    /// The picture's rows, a bit a pixel: as many pixels a module as a byte has bits, so that each module is a byte of them.
    fn bitmap(&self) -> Zeroizing<Vec<u8>> {
        let mut bitmap = Zeroizing::new(Vec::with_capacity(self.width * SCALE * self.width));
        for row in self.rows() {
            for row in repeat_n(row, SCALE) {
                bitmap.extend(row.iter().map(|dark| if *dark { 0 } else { 0xff }));
            }
        }
        bitmap
    }
}
