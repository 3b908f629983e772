//! The text of a QR code in a PNG picture: a screenshot, or what another program has made.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Transformations};
use rqrr::PreparedImage;
use zeroize::Zeroizing;

/// What every PNG picture begins with.
pub(super) const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The most memory that a picture's pixels may need, in bytes.
const LARGEST: usize = 64 << 20;

/// A picture without a text to be had.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The picture is broken, or of no kind that is known.
    #[error("the PNG picture cannot be read: {0}")]
    Picture(#[from] png::DecodingError),
    /// There is none, or it cannot be made out.
    #[error("there is no QR code in the picture that can be read")]
    NoCode,
    /// There are several texts, and nothing says which is meant.
    #[error("there are {0} QR codes in the picture, and one is expected")]
    Several(usize),
}

/// Whether these bytes are a PNG picture.
pub fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Returns the text of the one QR code in a PNG picture, dark on light or light on dark.
pub fn read_png(bytes: &[u8]) -> Result<Zeroizing<String>, Unreadable> {
    let picture = Picture::decode(bytes)?;
    let as_it_is = picture.texts(0);
    let mut texts = if as_it_is.is_empty() {
        picture.texts(0xff)
    } else {
        as_it_is
    };
    match (texts.pop(), texts.len()) {
        (None, _) => Err(Unreadable::NoCode),
        (Some(text), 0) => Ok(text),
        (Some(_), others) => Err(Unreadable::Several(others + 1)),
    }
}

/// A picture in shades of grey, 0 for black.
struct Picture {
    width: usize,
    height: usize,
    shades: Zeroizing<Vec<u8>>,
}

impl Picture {
    fn decode(bytes: &[u8]) -> Result<Self, png::DecodingError> {
        let limits = Limits { bytes: LARGEST };
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let size = reader.output_buffer_size();
        let size = size
            .filter(|size| *size <= LARGEST)
            .ok_or(png::DecodingError::LimitsExceeded)?;
        let mut pixels = Zeroizing::new(vec![0; size]);
        let found = reader.next_frame(&mut pixels)?;
        let shades = match found.color_type {
            ColorType::Grayscale | ColorType::Indexed => pixels,
            ColorType::GrayscaleAlpha => shades(&pixels, |[grey, alpha]| over_white(grey, alpha)),
            ColorType::Rgb => shades(&pixels, |[r, g, b]| grey(r, g, b)),
            ColorType::Rgba => shades(&pixels, |[r, g, b, alpha]| over_white(grey(r, g, b), alpha)),
        };
        Ok(Self {
            width: usize::try_from(found.width).unwrap_or_default(),
            height: usize::try_from(found.height).unwrap_or_default(),
            shades,
        })
    }

    /// The texts of the codes, each once, in a picture whose shades are changed by that.
    fn texts(&self, invert: u8) -> Vec<Zeroizing<String>> {
        let shade = |x: usize, y: usize| {
            let shade = self.shades.get(y * self.width + x);
            shade.map_or(0xff, |shade| shade ^ invert)
        };
        let mut image = PreparedImage::prepare_from_greyscale(self.width, self.height, shade);
        let grids = image.detect_grids();
        let texts = grids.iter().filter_map(|grid| grid.decode().ok());
        let mut texts: Vec<_> = texts.map(|(_, text)| Zeroizing::new(text)).collect();
        texts.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        texts.dedup();
        texts
    }
}

fn shades<const N: usize>(pixels: &[u8], shade: impl Fn([u8; N]) -> u8) -> Zeroizing<Vec<u8>> {
    let (pixels, _) = pixels.as_chunks();
    Zeroizing::new(pixels.iter().map(|pixel| shade(*pixel)).collect())
}

fn grey(r: u8, g: u8, b: u8) -> u8 {
    let sum = u16::from(r) + u16::from(g) + u16::from(b);
    u8::try_from(sum / 3).unwrap_or(u8::MAX)
}

/// What is seen of a pixel that lets some of a white page through.
fn over_white(shade: u8, alpha: u8) -> u8 {
    let dark = u16::from(0xff - shade) * u16::from(alpha) / 0xff;
    0xff - u8::try_from(dark).unwrap_or(u8::MAX)
}
