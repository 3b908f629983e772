//! That what the scripts deny is looked at: `set -e` does not end a script at a `! COMMAND` whose command went well.

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of scripts in a folder and those within.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let found = paths.flat_map(|path| {
        let is_script = path.extension().is_some_and(|it| it == "rs" || it == "sh");
        if path.is_dir() {
            scripts(&path)
        } else {
            is_script.then_some(path).into_iter().collect()
        }
    });
    found.collect()
}

#[test]
fn no_line_of_a_script_denies_in_vain() {
    let all = scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    assert!(all.iter().any(|path| path.ends_with("engine/prelude.sh")));
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        for (index, line) in text.lines().enumerate() {
            let is_vain = line.trim_start().starts_with("! ");
            assert!(
                !is_vain,
                "{}:{}: {line}: `not`, `lacks` or `fails` is heeded",
                path.display(),
                index + 1
            );
        }
    }
}
