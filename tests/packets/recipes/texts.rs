//! What README.md and the man page print of a recipe is the recipe.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::EXAMPLES;

const README: &str = include_str!("../../../README.md");
const MANUAL: &str = include_str!("../../../man/wgq.8");

/// The files of examples/: the path from there, and the text.
fn recipes() -> Vec<(String, String)> {
    let mut recipes = Vec::new();
    for folder in fs::read_dir(EXAMPLES).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.strip_prefix(EXAMPLES).unwrap().to_str().unwrap();
            recipes.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    recipes.sort();
    recipes
}

/// The recipe's text where `.so` puts it into the man page.
fn in_roff(text: &str) -> String {
    format!("\n.nf\n{}.fi\n", text.replace('-', "\\-"))
}

#[test]
fn every_recipe_is_in_the_readme_and_in_the_man_page() {
    for (name, text) in recipes() {
        let block = format!("```ini examples/{name}\n{text}```\n");
        let told = format!("`examples/{name}`");
        assert!(
            README.contains(&block) || README.contains(&told),
            "{name}: README.md neither has this text nor names the file"
        );
        let told = format!("examples/{}", name.replace('-', "\\-"));
        assert!(
            MANUAL.contains(&in_roff(&text)) || MANUAL.contains(&told),
            "{name}: the man page neither has this text nor names the file"
        );
    }
}

#[test]
fn every_recipe_of_the_readme_is_a_file() {
    let printed = README.split("\n```ini examples/").skip(1);
    let printed: Vec<_> = printed
        .map(|block| block.split_once('\n').unwrap())
        .collect();
    assert!(!printed.is_empty());
    let recipes = recipes();
    for (name, block) in printed {
        let (text, _) = block.split_once("```\n").unwrap();
        let recipe = recipes.iter().find(|recipe| recipe.0 == name);
        let recipe = recipe.unwrap_or_else(|| panic!("examples/{name} is not there"));
        assert_eq!(
            recipe.1, text,
            "README.md has another text than examples/{name}"
        );
    }
}

#[test]
fn nothing_is_missing_in_a_recipe_but_the_public_key() {
    for (name, _) in recipes() {
        let mut wgq = Command::new(env!("CARGO_BIN_EXE_wgq"));
        wgq.args(["--dry-run", "up"])
            .arg(Path::new(EXAMPLES).join(&name));
        let output = wgq.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let told = said.lines().filter(|line| line.starts_with("wgq: "));
        // git gives everybody the right to read a file, and there is no key in it
        let told: Vec<_> = told
            .filter(|line| !line.contains("is world accessible"))
            .collect();
        let [error, hint] = told[..] else {
            panic!("{name}: {said}")
        };
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(
            error.contains(": PublicKey: a key is 44 characters of base64"),
            "{said}"
        );
        assert_eq!(hint, "wgq: hint: the peer's own `wg pubkey` prints it");
    }
}
