//! A terminal as a screen: its own one is put aside, keys come at once and are not shown, and all is as it was at the end.

use std::io::{self, IsTerminal as _, Write as _};
use std::panic;
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use rustix::termios::{OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::os::fd::AsFd as _;

use super::terminal::{columns, rows};
use crate::status::live::Size;

/// Puts the terminal's own screen aside, and hides the cursor (xterm's control sequences, 1049 and 25).
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// Takes both back.
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// How the terminal was, while a screen is on it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
static HOOK: Once = Once::new();

/// A screen on the terminal. When it is dropped, or the program panics, the terminal is as it was before.
#[derive(Debug)]
pub struct Screen(());

/// Whether standard input and output are a terminal.
pub fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The size of the terminal at standard output; none if there is none.
pub fn size() -> Option<Size> {
    Some(Size {
        width: columns()?.into(),
        height: rows()?.into(),
    })
}

impl Screen {
    /// Takes the terminal.
    pub fn open() -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("the terminal")?;
        let mut raw = before.clone();
        raw.make_raw();
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        HOOK.call_once(|| {
            let default = panic::take_hook();
            panic::set_hook(Box::new(move |what| {
                restore();
                default(what);
            }));
        });
        let screen = Self(());
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw).context("the terminal")?;
        write(ENTER)?;
        Ok(screen)
    }

    /// Shows lines that fit, in place of what was there.
    pub fn show(&self, lines: &[String]) -> Result<()> {
        let mut text = "\x1b[H".to_owned();
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                text.push_str("\r\n");
            }
            text.push_str(line);
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b[J");
        write(&text)
    }

    /// Waits for a key, or that time, or a signal; returns the keys.
    pub fn keys(&self, time: Duration) -> Result<Vec<u8>> {
        let stdin = io::stdin();
        let mut wanted = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
        match poll(&mut wanted, timeout) {
            Ok(0) | Err(Errno::EINTR) => return Ok(Vec::new()),
            Ok(_) => {}
            Err(error) => return Err(error).context("the terminal"),
        }
        let mut keys = [0; 64];
        match read(stdin.as_fd(), &mut keys) {
            // hung up
            Ok(0) | Err(Errno::EIO) => Ok(vec![END_OF_TEXT]),
            Ok(count) => Ok(keys.get(..count).unwrap_or_default().to_vec()),
            Err(Errno::EINTR | Errno::EAGAIN) => Ok(Vec::new()),
            Err(error) => Err(error).context("the terminal"),
        }
    }
}

/// What Ctrl-C is to a program that reads keys at once.
pub const END_OF_TEXT: u8 = 3;

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        let _ = write(LEAVE);
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &before);
    }
}

fn write(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    written.context("standard output")
}

/// A moment from which on time is counted.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// What is left of that time.
    pub fn left_of(self, time: Duration) -> Duration {
        time.saturating_sub(self.0.elapsed())
    }
}
