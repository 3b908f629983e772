//! The terminal, if there is one.

use std::io::{self, IsTerminal as _};

use rustix::termios::{Winsize, tcgetwinsize};

/// Whether standard output is a terminal.
pub fn is_stdout() -> bool {
    io::stdout().is_terminal()
}

/// How many lines standard output has; none if it is no terminal, or does not say.
pub fn rows() -> Option<u16> {
    size().map(|size| size.ws_row).filter(|rows| *rows > 0)
}

/// How many characters a line of standard output has; none if it is no terminal, or does not say.
pub fn columns() -> Option<u16> {
    size()
        .map(|size| size.ws_col)
        .filter(|columns| *columns > 0)
}

fn size() -> Option<Winsize> {
    tcgetwinsize(io::stdout()).ok()
}
