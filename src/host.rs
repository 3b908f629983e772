//! What touches the machine: the only place that knows the kernel, its files and other programs.

pub mod uapi;
pub mod userspace;
