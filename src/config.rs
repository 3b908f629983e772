//! Stand-in until the parser lands.

/// When a hook of the file runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookPhase {
    /// After the link is made, before anything is on it.
    PreUp,
    /// When all is in place.
    PostUp,
    /// Before anything is taken away.
    PreDown,
    /// When all is gone.
    PostDown,
}
