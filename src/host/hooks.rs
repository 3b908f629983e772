//! Runs the user's hooks as wg-quick(8) does: by bash, in the caller's folder and at the caller's terminal.

use std::env;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus};

use nix::sys::signal::Signal;

use crate::net::Ifname;

/// What a hook finds around it: wg-quick's options, and those of its variables and functions that hooks are known to use.
///
/// The command comes by the environment, since `ps` shows everybody the arguments, and a hook may hold a key; and it is
/// taken out of there, so that it goes no further than this shell.
const SHELL: &str = r#"
set -e -o pipefail
shopt -s extglob
export LC_ALL=C
PROGRAM=$0 INTERFACE=$1 CONFIG_FILE=$2
shift 2
cmd() {
	echo "[#] $*" >&2
	"$@"
}
die() {
	echo "$PROGRAM: $*" >&2
	exit 1
}
eval "unset WGQ_HOOK; $WGQ_HOOK"
"#;

/// Where programs are searched without `PATH` (execvp(3)).
const NO_PATH: &str = "/bin:/usr/bin";

/// Why a hook did not do its work; the hook itself is for the caller to name.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// bash is not installed.
    ///
    /// There is no falling back to sh: `cmd &>file` would run in the background there, and `[[ a ]] && b` silently do nothing.
    #[error("bash: command not found; hooks are bash's")]
    NoBash,
    /// It could not be started.
    #[error("bash: {0}")]
    NotStarted(io::Error),
    /// Its exit status was not 0.
    #[error("exit status {0}")]
    Exit(i32),
    /// A signal ended it.
    #[error("killed by {0}")]
    Signal(Signal),
    /// Something else ended it.
    #[error("{0}")]
    Other(ExitStatus),
}

/// Finds out whether hooks can be run, so that it is known before anything is changed.
pub fn check() -> Result<(), HookError> {
    let path = env::var_os("PATH").unwrap_or_else(|| NO_PATH.into());
    if env::split_paths(&path).any(|folder| folder.join("bash").is_file()) {
        Ok(())
    } else {
        Err(HookError::NoBash)
    }
}

/// Runs one hook, in which `%i` has been replaced, to its end, which may be long in coming.
///
/// It has our standard input and output, folder, environment and process group: a Ctrl-C at the terminal reaches it too,
/// unless SIGINT is ignored or blocked here, which it inherits.
pub fn run(command: &str, ifname: Ifname, config_file: &Path) -> Result<(), HookError> {
    let status = Command::new("bash")
        .args(["-c", SHELL, "wgq", ifname.as_str()])
        .arg(config_file)
        .env("WGQ_HOOK", command)
        .status()
        .map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                HookError::NoBash
            } else {
                HookError::NotStarted(error)
            }
        })?;
    if status.success() {
        return Ok(());
    }
    let signal = status.signal().and_then(|number| number.try_into().ok());
    Err(match (status.code(), signal) {
        (Some(code), _) => HookError::Exit(code),
        (None, Some(signal)) => HookError::Signal(signal),
        (None, None) => HookError::Other(status),
    })
}
