//! Keys that a config file leaves in files of their own.

use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use nix::sys::stat::{Mode, SFlag, fstat};
use zeroize::Zeroizing;

use super::config_file::{is_world_accessible, open_regular};
use crate::config::{Config, Diagnostic, Span, Spanned};
use crate::key::{InvalidKey, KEY_LEN, PresharedKey, PrivateKey};

/// The largest key file that is read, in bytes: a key and some blanks.
const LARGEST: u64 = 4096;

/// A file whose key cannot be had.
#[derive(Debug)]
pub struct Unusable {
    /// The key of the config file that names it.
    key: &'static str,
    /// Where it stands there.
    span: Span,
    why: anyhow::Error,
}

impl Unusable {
    fn new(key: &'static str, span: Span, why: anyhow::Error) -> Self {
        Self { key, span, why }
    }

    /// Says so, with the place in the config file's text.
    pub fn diagnostic(&self, text: &str) -> Diagnostic {
        let diagnostic = Diagnostic::error(format!("{:#}", self.why)).key(self.key);
        diagnostic.at(text, self.span)
    }
}

/// Reads the keys of `PrivateKeyFile` and `PresharedKeyFile` into the config. Returns what cannot be had.
pub fn load(config: &mut Config) -> Vec<Unusable> {
    let mut unusable = Vec::new();
    let interface = &mut config.interface;
    if let Some(path) = &interface.private_key_file {
        match read(path) {
            Ok(key) => interface.private_key = key,
            Err(why) => unusable.push(Unusable::new("PrivateKeyFile", path.span, why)),
        }
    }
    for peer in &mut config.peers {
        if let Some(path) = &peer.preshared_key_file {
            match read(path) {
                Ok(key) => peer.preshared_key = key,
                Err(why) => unusable.push(Unusable::new("PresharedKeyFile", path.span, why)),
            }
        }
    }
    unusable
}

/// Returns the line that says in the file itself what `PrivateKeyFile` and `PresharedKeyFile` leave to another: none for
/// any other key of the file, and for a file without a key.
pub fn line(key: &'static str, path: Spanned<&str>) -> Result<Option<Zeroizing<String>>, Unusable> {
    let from = Path::new(path.value);
    let line = |name: &str, key: Zeroizing<String>| Zeroizing::new(format!("{name} = {}", *key));
    let found = match key {
        "PrivateKeyFile" => read::<PrivateKey>(from)
            .map(|found| found.map(|found| line("PrivateKey", found.to_base64()))),
        "PresharedKeyFile" => read::<PresharedKey>(from)
            .map(|found| found.map(|found| line("PresharedKey", found.to_base64()))),
        _ => return Ok(None),
    };
    found.map_err(|why| Unusable::new(key, path.span, why))
}

/// Returns the files with the config's keys that others than the owner and the group can get at.
pub fn world_accessible(config: &Config) -> impl Iterator<Item = &Path> {
    let peers = config.peers.iter();
    let files = peers.filter_map(|peer| peer.preshared_key_file.as_ref());
    let files = config.interface.private_key_file.iter().chain(files);
    files
        .map(|path| path.value.as_path())
        .filter(|path| is_world_accessible(path))
}

/// Whether standard output is a file that others than the owner and the group can get at: `wg`'s rule.
pub fn output_is_world_accessible() -> bool {
    fstat(io::stdout()).is_ok_and(|found| {
        let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
        let mode = Mode::from_bits_truncate(found.st_mode);
        kind == SFlag::S_IFREG && mode.intersects(Mode::S_IRWXO)
    })
}

/// Reads a private key from standard input as `wg pubkey` does: the key at the very beginning, then nothing but blanks.
pub fn from_stdin() -> Result<PrivateKey> {
    let mut text = Zeroizing::new(Vec::with_capacity(4096)); // so that none of it is left behind by growing
    let mut input = io::stdin().lock().take(LARGEST);
    input.read_to_end(&mut text).context("standard input")?;
    let text = str::from_utf8(&text).ok().filter(|text| text.is_ascii());
    let text = text.context("standard input: not a key")?;
    let text = text.trim_end_matches(|c: char| c.is_ascii_whitespace() || "\x0b\0".contains(c));
    ensure!(!text.is_empty(), "standard input: no key");
    text.parse().context("standard input")
}

/// Reads a key as `wg set ... private-key FILE` does: the key, then nothing but blanks; an empty file, or a key of zeros,
/// is none.
fn read<K: FromStr<Err = InvalidKey> + From<[u8; KEY_LEN]> + PartialEq>(
    path: &Path,
) -> Result<Option<K>> {
    let mut text = Zeroizing::new(String::new());
    let read =
        open_regular(path).and_then(|file| Ok(file.take(LARGEST).read_to_string(&mut text)?));
    read.with_context(|| path.display().to_string())?;
    let text = text.trim_ascii_end();
    if text.is_empty() {
        return Ok(None);
    }
    ensure!(text.is_ascii(), "{}: not a key", path.display());
    let found: K = text.parse().with_context(|| path.display().to_string())?;
    Ok(Some(found).filter(|found| *found != K::from([0; KEY_LEN])))
}
