//! What is sent and received: it may hold keys, so nothing of it stays in memory.

use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

/// Bytes that are overwritten before others take their place.
///
/// Only what was in use is: to overwrite a buffer's whole room each time takes longer than all else that a short command does.
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    /// A buffer with room for so many bytes; where it has to grow beyond, a copy of what was in it stays behind.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Empties and overwrites it.
    pub(super) fn wipe(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.clear();
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}
