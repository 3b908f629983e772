//! A QR code's picture, read by zbar: a decoder of another family than the one that wgq reads with.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test"
)]

use std::fs;
use std::process::Command;

use wgq::qr::Qr;

/// What zbarimg, of Debian's zbar-tools, reads in the picture.
fn zbar(png: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code.png");
    fs::write(&file, png).unwrap();
    let mut zbar = Command::new("zbarimg");
    zbar.args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"]);
    zbar.env("LC_ALL", "C.UTF-8").arg(&file);
    let output = zbar
        .output()
        .expect("zbarimg, which tests/install installs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.strip_suffix('\n').unwrap().to_owned() // its own
}

#[test]
fn zbar_reads_every_size_and_script() {
    let config = "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = 10.7.0.2/32\n";
    let texts = [
        "x".to_owned(),
        config.to_owned(),
        format!("# Name = Telefon für Jörg 電話機 📱\n{config}"),
        config.chars().cycle().take(1000).collect(),
        config.chars().cycle().take(2953).collect(),
    ];
    for text in texts {
        let png = Qr::of(&text).unwrap().png().unwrap();
        assert_eq!(zbar(&png), text);
    }
}
