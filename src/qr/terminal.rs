//! A QR code as text: two modules a character, one above the other.

use zeroize::Zeroizing;

use super::Qr;

/// A terminal in which the code would be broken over lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the QR code needs {needs} columns, and the terminal has {has}")]
pub struct TooNarrow {
    /// The code's columns.
    pub needs: usize,
    /// The terminal's.
    pub has: u16,
}

impl TooNarrow {
    /// What can be done about it.
    pub const HINT: &str = "a wider terminal or a smaller font shows it, and --png FILE or --svg FILE keeps it as a picture";
}

/// Black on white by number, which no theme of a terminal changes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const RESET: &str = "\x1b[0m";

/// The characters for two modules, by whether the upper and the lower one is dark.
type Blocks = [[&'static str; 2]; 2];

/// Where the colours are known.
const DARK: Blocks = [[" ", "▄"], ["▀", "█"]];

/// Where they are not: most terminals are dark, and a code that is drawn light on dark is one there.
const LIGHT: Blocks = [["█", "▀"], ["▄", " "]];

impl Qr {
    /// Returns the code for a terminal of so many columns, or for any. With `color` it can be read from light and from dark
    /// ones; without, light modules are drawn as blocks, and it can be read from dark ones.
    pub fn terminal(
        &self,
        columns: Option<u16>,
        color: bool,
    ) -> Result<Zeroizing<String>, TooNarrow> {
        if let Some(has) = columns
            && usize::from(has) < self.width
        {
            return Err(TooNarrow {
                needs: self.width,
                has,
            });
        }
        let (blocks, begin, end) = if color {
            (DARK, BLACK_ON_WHITE, RESET)
        } else {
            (LIGHT, "", "")
        };
        let line = begin.len() + "█".len() * self.width + end.len() + 1;
        let mut text = Zeroizing::new(String::with_capacity(line * self.width.div_ceil(2)));
        let mut rows = self.rows();
        while let Some(upper) = rows.next() {
            let lower = rows.next().unwrap_or_default(); // an odd last row is the border's, and light is below it
            let lower = lower.iter().chain(std::iter::repeat(&false));
            text.push_str(begin);
            for (upper, lower) in upper.iter().zip(lower) {
                let [both_light, lower_dark] = if *upper { blocks[1] } else { blocks[0] };
                text.push_str(if *lower { lower_dark } else { both_light });
            }
            text.push_str(end);
            text.push('\n');
        }
        Ok(text)
    }
}
