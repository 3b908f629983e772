//! A QR code as an SVG picture.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::Qr;

/// Pixels a module, unless a program is told another size.
const SCALE: usize = 8;

impl Qr {
    /// Returns the text of a picture: one path, with a rectangle for all dark modules in a row.
    pub fn svg(&self) -> Zeroizing<String> {
        // so that none of it is left behind by growing: a row has at most one rectangle every two modules
        let longest = "M123,123h1v1h-1z".len() * self.width.div_ceil(2) * self.width;
        let mut svg = Zeroizing::new(String::with_capacity(longest + 512));
        let (width, pixels) = (self.width, self.width * SCALE);
        let _ = write!(
            *svg,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" \
             viewBox=\"0 0 {width} {width}\" shape-rendering=\"crispEdges\">\n\
             <rect width=\"{width}\" height=\"{width}\" fill=\"#fff\"/>\n\
             <path fill=\"#000\" d=\""
        ); // a String takes every write
        for (y, row) in self.rows().enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                if run.first() == Some(&true) {
                    let length = run.len();
                    let _ = write!(*svg, "M{x},{y}h{length}v1h-{length}z");
                }
                x += run.len();
            }
        }
        svg.push_str("\"/>\n</svg>\n");
        svg
    }
}
