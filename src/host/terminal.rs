//! The terminal, if there is one.

use std::io::{self, IsTerminal as _};

use rustix::termios::tcgetwinsize;

/// Whether standard output is a terminal.
pub fn is_stdout() -> bool {
    io::stdout().is_terminal()
}

/// How many lines standard output has; none if it is no terminal, or does not say.
pub fn rows() -> Option<u16> {
    let found = tcgetwinsize(io::stdout()).ok()?;
    (found.ws_row > 0).then_some(found.ws_row)
}

/// How many characters a line of standard output has; none if it is no terminal, or does not say.
pub fn columns() -> Option<u16> {
    let found = tcgetwinsize(io::stdout()).ok()?;
    (found.ws_col > 0).then_some(found.ws_col)
}
