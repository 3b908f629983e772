//! The completions in their shells, on a host with interfaces that are up and interfaces that have a file.

use std::process::Command;

/// Makes the host, in a mount namespace of our own: `office` has a file, `home` has one and is up, `vpn` is only known to
/// the kernel and `lost` to wgq; `eth7` is no tunnel. `away.conf` is a file in the current folder.
const HOST: &str = r#"
set -e
for folder in /etc /sys/class/net /run; do mount -t tmpfs none "$folder"; done
mkdir -p /etc/wireguard /run/wgq /run/here /sys/class/net/vpn /sys/class/net/home /sys/class/net/eth7
touch /etc/wireguard/office.conf /etc/wireguard/home.conf /run/wgq/home.json /run/wgq/lost.json /run/here/away.conf
echo DEVTYPE=wireguard | tee /sys/class/net/vpn/uevent >/sys/class/net/home/uevent
echo DEVTYPE=vlan >/sys/class/net/eth7/uevent
export HOME=/run LC_ALL=C.UTF-8 TERM=dumb
cd /run/here
"#;

/// Presses Tab after a command line; the words that are offered, sorted.
fn offered(shell: &str, line: &str) -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/completions");
    let driver = match shell {
        // what readline does: the words, and the function that `complete` knows for the first
        "bash" => {
            r#"exec bash --norc --noprofile -c '
            source "$1/wgq.bash"
            eval "COMP_WORDS=($2)"; [[ $2 != *" " ]] || COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            read -ra spec < <(complete -p wgq)
            for i in "${!spec[@]}"; do [[ ${spec[i]} != -F ]] || function=${spec[i + 1]}; done
            "$function" wgq "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            ((${#COMPREPLY[@]})) || COMPREPLY=($(compgen -f -- "${COMP_WORDS[-1]}")) # -o default
            printf "%s\n" "${COMPREPLY[@]}"' bash "$@""#
        }
        "zsh" => r#"exec zsh -f "$1/../tests/generated/capture.zsh" "$@""#,
        "fish" => {
            r#"exec fish --no-config --command 'source $argv[1]/wgq.fish; complete -C $argv[2]' "$@""#
        }
        other => panic!("{other}"),
    };
    let script = format!("{HOST}{driver}");
    let mut run = Command::new("unshare");
    run.args(["--mount", "sh", "-c", &script, "sh", folder, line]);
    let output = run.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.is_empty(),
        "{shell}: {line}: {errors}(are all shells there? run tests/install)"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text
        .lines()
        .map(|word| word.split('\t').next().unwrap().trim().to_owned());
    // fish also offers words that have the letters anywhere in them
    let typed = line.rsplit(' ').next().unwrap();
    let mut words: Vec<_> = words
        .filter(|word| !word.is_empty() && word.starts_with(typed))
        .collect();
    words.sort();
    words.dedup();
    words
}

fn completes(shell: &str) {
    let is = |line: &str, expected: &[&str]| {
        assert_eq!(offered(shell, line), expected, "{shell}: {line}");
    };
    is("wgq st", &["strip"]);
    is("wgq up --ig", &["--ignore-unresolved"]);
    is("wgq up --color a", &["always", "auto"]);
    is("wgq up o", &["office"]);
    is("wgq up v", &[]);
    is("wgq -q down v", &["vpn"]);
    is("wgq down l", &["lost"]);
    is("wgq down o", &["office"]);
    is("wgq down eth", &[]);
    is("wgq save o", &[]);
    is("wgq save h", &["home"]);
    is("wgq --color never save h", &["home"]);
    is("wgq reresolve o", &[]);
    is("wgq reresolve h", &["home"]);
    is("wgq strip h", &["home"]);
    is("wgq mi", &["migrate"]);
    is("wgq migrate --w", &["--write"]);
    is("wgq migrate h", &["home"]);
    is("wgq migrate v", &[]);
    is("wgq export h", &["home"]);
    is("wgq export v", &[]);
    is("wgq import a", &["away.conf"]);
    is("wgq up a", &["away.conf"]);
    let all = offered(shell, "wgq down ");
    for name in ["home", "lost", "office", "vpn"] {
        assert!(all.contains(&name.to_owned()), "{shell}: {all:?}");
    }
}

#[test]
fn bash_completes_interfaces() {
    completes("bash");
}

#[test]
fn zsh_completes_interfaces() {
    completes("zsh");
}

#[test]
fn fish_completes_interfaces() {
    completes("fish");
}
