//! The virtual machine, as tests see it: `tests/vm/run` with its options.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How many machines run now: no more than there are processors, for each keeps one busy.
static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// The folder of the harness and the scripts that run in the machine (which sees it at the same path).
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vm")
}

/// The program under test.
pub(crate) fn wgq() -> &'static OsStr {
    OsStr::new(env!("CARGO_BIN_EXE_wgq"))
}

/// A virtual machine to be booted once.
#[derive(Clone)]
pub(crate) struct Machine {
    name: String,
    options: Vec<String>,
    timeout: Duration,
}

/// What a boot left behind.
pub(crate) struct Boot {
    /// The folder that was `/results` in the machine; it stays there for a look after a failed test.
    pub results: PathBuf,
    /// What the script printed.
    pub output: String,
}

impl Machine {
    /// `name` names the folder of the results under the target folder. One CPU, 45 minutes at most.
    pub(crate) fn new(name: &str) -> Self {
        // Without the long grace periods of RCU, for which this kernel would idle for minutes when 20,000 peers are removed.
        let options = ["--cpus", "1", "--append", "rcupdate.rcu_expedited=1"];
        Self {
            name: name.to_owned(),
            options: options.map(str::to_owned).to_vec(),
            timeout: Duration::from_mins(45),
        }
    }

    /// Makes systemd PID 1.
    pub(crate) fn systemd(mut self) -> Self {
        self.options.push("--systemd".to_owned());
        self
    }

    /// Gives it this many processors.
    pub(crate) fn processors(mut self, number: usize) -> Self {
        self.options
            .extend(["--cpus".to_owned(), number.to_string()]);
        self
    }

    /// Has its clock count instructions: what is timed in it is not late because this host has other things to do.
    pub(crate) fn count_instructions(mut self) -> Self {
        self.options.push("--count-instructions".to_owned());
        self
    }

    /// Boots, and runs tests of the program that this is in, as they are run here, with those arguments; at least one, and all
    /// must pass.
    pub(crate) fn run_tests(&self, arguments: &[&str]) {
        let tests = std::env::current_exe().unwrap();
        let arguments: Vec<&OsStr> = [tests.as_os_str(), OsStr::new("--skip=kernel::")]
            .into_iter()
            .chain(arguments.iter().map(OsStr::new))
            .collect();
        let output = self.run("run-tests", &arguments).output;
        let has_passed = output.contains(" 0 failed") && !output.contains(" 0 passed");
        assert!(has_passed, "{output}");
    }

    /// Keeps what the machine writes on an ext4 image, for the next boot.
    pub(crate) fn disk(mut self, image: &Path) -> Self {
        self.options
            .extend(["--disk".to_owned(), image.display().to_string()]);
        self
    }

    /// Boots, runs `script` (a name in `tests/vm/lab`) with `arguments` as root, and waits for its end.
    ///
    /// # Panics
    /// If there is no machine (the message says what to install), or the script fails.
    pub(crate) fn run(&self, script: &str, arguments: &[&OsStr]) -> Boot {
        let results = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("vm")
            .join(&self.name);
        if results.exists() {
            fs::remove_dir_all(&results).unwrap();
        }
        fs::create_dir_all(&results).unwrap();
        let _turn = Turn::wait();
        let done = Command::new(folder().join("run"))
            .arg("--out")
            .arg(&results)
            .args(["--timeout", &self.timeout.as_secs().to_string()])
            .args(&self.options)
            .arg(folder().join("lab").join(script))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success(),
            "{script} in the virtual machine: {}\n{output}{}(results: {})",
            done.status,
            String::from_utf8_lossy(&done.stderr),
            results.display()
        );
        Boot { results, output }
    }
}

/// The right to run one machine.
struct Turn;

impl Turn {
    fn wait() -> Self {
        let most = thread::available_parallelism().map_or(1, usize::from);
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = ENDED
            .wait_while(running, |running| *running >= most)
            .unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
