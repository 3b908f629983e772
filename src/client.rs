//! The config of a client: what a peer of ours has on its own side.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::config::Endpoint;
use crate::key::{PresharedKey, PrivateKey, PublicKey};
use crate::net::{Address, Prefix};

/// A client of a tunnel.
#[derive(Debug)]
pub struct Client<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its private key; none if it is to stay where it is.
    pub private_key: Option<&'a PrivateKey>,
    /// Its own addresses.
    pub addresses: &'a [Address],
    /// The resolvers and search domains it is to use, as they stand in a file; none leaves it with its own.
    pub dns: Option<&'a str>,
    /// The largest packet, in bytes; none leaves it to the client.
    pub mtu: Option<u32>,
    /// The server.
    pub server: Server<'a>,
    /// Between the two.
    pub preshared_key: Option<&'a PresharedKey>,
    /// What goes through the tunnel.
    pub allowed_ips: &'a [Prefix],
    /// In seconds.
    pub persistent_keepalive: Option<u16>,
}

/// Whom a client connects to.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    /// Its key.
    pub public_key: PublicKey,
    /// Where it is to be reached.
    pub endpoint: &'a Endpoint,
}

impl Client<'_> {
    /// The config, with the keys.
    pub fn to_config(&self) -> Zeroizing<String> {
        // room for all of it: growing would leave keys behind
        let mut text = Zeroizing::new(String::with_capacity(4096));
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "[Interface]")?;
        writeln!(text, "# Name = {}", self.name)?;
        match self.private_key {
            Some(key) => writeln!(text, "PrivateKey = {}", *key.to_base64())?,
            None => writeln!(text, "# PrivateKey = the one that the public key is of")?,
        }
        writeln!(text, "Address = {}", list(self.addresses))?;
        if let Some(dns) = self.dns {
            writeln!(text, "DNS = {dns}")?;
        }
        if let Some(mtu) = self.mtu {
            writeln!(text, "MTU = {mtu}")?;
        }
        writeln!(text, "\n[Peer]")?;
        writeln!(text, "PublicKey = {}", self.server.public_key)?;
        if let Some(key) = self.preshared_key {
            writeln!(text, "PresharedKey = {}", *key.to_base64())?;
        }
        writeln!(text, "Endpoint = {}", self.server.endpoint)?;
        writeln!(text, "AllowedIPs = {}", list(self.allowed_ips))?;
        if let Some(seconds) = self.persistent_keepalive {
            writeln!(text, "PersistentKeepalive = {seconds}")?;
        }
        Ok(())
    }
}

fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    items.join(", ")
}

/// The name of the file that a client's config is kept in: what is no good in a file's name is written as `%` and two
/// hexadecimal digits.
pub fn file_name(name: &str) -> String {
    let mut file = String::with_capacity(name.len() + 5);
    for (at, c) in name.char_indices() {
        if matches!(c, '/' | '%') || c.is_control() || (c == '.' && at == 0) {
            let _ = write!(file, "%{:02x}", u32::from(c));
        } else {
            file.push(c);
        }
    }
    file + ".conf"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Names, parse};

    #[test]
    fn a_client_s_config_is_one() {
        let (private_key, preshared_key) = (PrivateKey::from([9; 32]), PresharedKey::from([7; 32]));
        let addresses = ["10.8.0.2".parse().unwrap(), "fd00::2".parse().unwrap()];
        let endpoint = Endpoint::Name {
            host: "vpn.example.com".into(),
            port: 51820,
        };
        let mut client = Client {
            name: "phone",
            private_key: Some(&private_key),
            addresses: &addresses,
            dns: Some("192.0.2.53"),
            mtu: Some(1380),
            server: Server {
                public_key: PublicKey([5; 32]),
                endpoint: &endpoint,
            },
            preshared_key: Some(&preshared_key),
            allowed_ips: &["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
            persistent_keepalive: Some(25),
        };
        let text = client.to_config();
        let config = parse(text.as_bytes(), &Names::default()).config.unwrap();
        let peer = config.peers.first().unwrap();
        assert_eq!(config.interface.private_key, Some(private_key.clone()));
        assert_eq!(peer.preshared_key, Some(preshared_key.clone()));
        assert_eq!(peer.endpoint.as_deref(), Some(&endpoint));
        assert_eq!(config.interface.mtu.unwrap().value, 1380);
        assert!(config.is_full_tunnel());
        assert!(
            text.contains("Address = 10.8.0.2/32, fd00::2/128\n"),
            "{}",
            *text
        );

        client.private_key = None;
        client.dns = None;
        let text = client.to_config();
        assert!(!text.contains("\nPrivateKey") && !text.contains("DNS"));
    }

    #[test]
    fn each_name_has_a_file_of_its_own() {
        for (name, file) in [
            ("phone", "phone.conf"),
            ("..", "%2e..conf"),
            ("a/b%", "a%2fb%25.conf"),
            ("Büro 2. Stock", "Büro 2. Stock.conf"),
        ] {
            assert_eq!(file_name(name), file);
        }
    }
}
