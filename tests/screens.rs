//! What a terminal shows: the QR code of a client, and errors. The rest is in tests/show.rs.
//!
//! Needs root, or a user namespace in which one is root, and tmux.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod script;

use std::env;
use std::fs;
use std::path::Path;

/// A server with one client, whose config is always the same, and a terminal of 80 columns.
const TERMINAL: &str = r#"export LC_ALL=C.UTF-8
mkdir -p "$work/bin" /etc/wireguard/clients/wg0
ln -s "$WGQ" "$work/bin/wgq"
config wg0 <<END
Address = 10.8.0.1/24, fd42::1/64
ListenPort = 51820
# Endpoint = vpn.example.org:51820

[Peer]
# Name = phone
PublicKey = $peer1
AllowedIPs = 10.8.0.2/32, fd42::2/128
END
cat >/etc/wireguard/clients/wg0/phone.conf <<END
[Interface]
# Name = phone
PrivateKey = $private
Address = 10.8.0.2/32, fd42::2/128
DNS = 192.0.2.53

[Peer]
PublicKey = $peer2
PresharedKey = $private
Endpoint = vpn.example.org:51820
AllowedIPs = 0.0.0.0/0, ::/0
END
chmod 600 /etc/wireguard/clients/wg0/phone.conf
sed 's/10.8.0.2/10.8.0.2\/33/; s/ListenPort/LisenPort/' /etc/wireguard/wg0.conf >/etc/wireguard/bad.conf
terminal() { tmux -S "$work/tmux" -f /dev/null "$@"; }
terminal new-session -d -x 80 -y 46 "PATH=$work/bin:$PATH exec bash --norc --noprofile"
trap 'terminal kill-server || true' EXIT
terminal send-keys "PS1='# '; stty -echo; clear" Enter
# run COMMAND: what the terminal shows of it, with colours
number=0
run() {
	number=$((number + 1)) # what ended before may still be shown
	terminal send-keys "clear; $1; echo ended $number" Enter
	until terminal capture-pane -p | has "^ended $number"; do sleep 0.1; done
	terminal capture-pane -e -p | sed "/ended $number/,\$d"
}
"#;

/// Holds what a script prints to a file in tests/screens, or makes the file anew: `WGQ_BLESS=1 cargo test --test screens`.
fn is_golden(file: &str, script: &str) {
    let found = script::host(&format!("{TERMINAL}{script}"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/screens")
        .join(file);
    if env::var_os("WGQ_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{file} is not what it was:\n{found}");
}

#[test]
fn a_qr_code_has_colours_of_its_own() {
    is_golden("peer-qr.txt", "run 'wgq peer qr phone'");
}

#[test]
fn a_terminal_that_is_too_narrow_is_told_with_what_helps() {
    is_golden(
        "peer-qr-narrow.txt",
        "terminal resize-window -x 60 -y 46\nrun 'wgq peer qr phone'",
    );
}

#[test]
fn errors_show_the_place_and_what_can_be_done() {
    is_golden(
        "errors.txt",
        "run 'wgq up bad'\nrun 'wgq peer remove fone'\nrun 'wgq peer add phone'\nrun 'wgq up wg7'",
    );
}
