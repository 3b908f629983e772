//! Every command of README.md is run as it is written there, on a server and on a client.
//!
//! Blocks marked `sh` are run here, one after the other, on hosts in namespaces of their own; `sh tests` is what .ci/run
//! runs, `sh server` is for the server alone, and `sh systemd` and `sh units` are for the virtual machine. Blocks marked `ini examples/server/` are the hosts' files; those and all other
//! examples are also for tests/packets/recipes.rs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::process::Command;

use clap::Parser;
use wgq::cli::Cli;

const README: &str = include_str!("../README.md");

/// The public key that each is told of the other.
const PEER: &str = "m8E4BNcW6eVRmWTXzkXmVyDWkaNNxkwDwUWHhVrBqmM=";

/// A host with an uplink and a name server of its own, whose /etc and /usr/local are thrown away at the end.
const HOST: &str = r#"
set -e
mount -t tmpfs none /run
for folder in etc usr/local; do
    mkdir -p "/run/$folder" "/run/work/$folder"
    mount -t overlay -o "lowerdir=/$folder,upperdir=/run/$folder,workdir=/run/work/$folder" none "/$folder"
done
rm -f /etc/resolv.conf
echo nameserver 192.0.2.53 >/etc/resolv.conf
echo 192.0.2.1 vpn.example.org >>/etc/hosts
ip link set lo up
ip link add uplink type veth peer name router
ip link set router up
ip link set uplink up
ip address add 192.0.2.2/24 dev uplink
ip route add default via 192.0.2.1
export PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export CARGO_NET_OFFLINE=true
# what it takes to be small and fast is not what is tried here
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
"#;

/// The shells and `man` find what was installed, and nothing of the tunnel is left.
const AFTERWARDS: &str = r#"
set -x
man --where wgq >/dev/null
bash -c 'source /usr/share/bash-completion/bash_completion; _completion_loader wgq; complete -p wgq' >/dev/null
[[ $(zsh -f -c 'autoload -Uz compinit; compinit -u -D; echo $_comps[wgq]') == _wgq ]]
[[ $(fish -c 'complete -C "wgq strip --na"') == --name* ]]
[[ $(ip -brief link) != *wg0* ]]
[[ $(</etc/resolv.conf) == 'nameserver 192.0.2.53' ]]
"#;

/// The fenced blocks: what stands behind the fence, and the text.
fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let fenced = README.split("\n```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap())
}

fn command(text: &str) -> String {
    format!("set -x\n{text}\n{{ set +x; }} 2>/dev/null\n")
}

/// What is done on one of the hosts.
fn script(host: &str) -> String {
    let steps = blocks().filter_map(|(mark, text)| match mark.split_once(' ') {
        None if mark == "sh" => Some(command(text)),
        Some(("sh", here)) if here == host => Some(command(text)),
        Some(("ini", path)) if path == format!("examples/server/{host}.conf") => Some(format!(
            "sed 's|PUBLIC-KEY-OF-.*|{PEER}|' >/etc/wireguard/wg0.conf <<'END OF FILE'\n{text}\nEND OF FILE\n"
        )),
        _ => None,
    });
    let steps: String = steps.collect();
    format!("{HOST}{steps}{AFTERWARDS}")
}

#[test]
fn every_command_runs_as_written() {
    for host in ["server", "client"] {
        let mut run = Command::new("unshare");
        run.args(["--mount", "--net", "bash", "-c", &script(host)]);
        let output = run
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        println!("{said}");
        assert!(output.status.success(), "on the {host}: {}", output.status);
    }
}

#[test]
fn every_block_is_known() {
    let marks: Vec<_> = blocks().map(|block| block.0).collect();
    let known = [
        "sh",
        "sh server",
        "sh tests",
        "sh systemd",
        "sh units",
        "ini examples/server/server.conf",
        "ini examples/server/client.conf",
    ];
    for mark in &marks {
        let is_known = known.contains(mark) || mark.starts_with("ini examples/");
        assert!(is_known, "```{mark}: nothing checks this block");
    }
    for mark in known {
        assert!(marks.contains(&mark), "there is no block ```{mark}");
    }
}

#[test]
fn the_commands_in_the_list_are_commands() {
    let commands = README.lines().filter(|line| line.starts_with("    wgq "));
    for line in commands {
        let command = line.trim().split("  ").next().unwrap();
        if let Err(error) = Cli::try_parse_from(command.split(' ')) {
            panic!("{command}: {error}");
        }
    }
}

#[test]
fn the_tests_are_run_as_it_says() {
    let (_, command) = blocks().find(|block| block.0 == "sh tests").unwrap();
    let ci = include_str!("../.ci/run");
    assert!(ci.lines().any(|line| line.contains(command)));
}
