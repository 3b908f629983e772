//! The name servers that a host has beside those that a tunnel brings: as files tell, whoever keeps these.

use std::fs;
use std::net::IpAddr;

use super::Host;
use super::file::texts;

/// Those of all uplinks, by systemd-resolved(8).
const OF_RESOLVED: &str = "/run/systemd/resolve/resolv.conf";

/// What each uplink has told resolvconf(8): Debian's, openresolv's.
const OF_RESOLVCONF: [&str; 2] = ["/run/resolvconf/interface", "/run/resolvconf/interfaces"];

impl Host {
    /// As [`super::servers`].
    pub fn servers(&self) -> Vec<IpAddr> {
        let of_uplinks = OF_RESOLVCONF.into_iter().flat_map(|folder| {
            let entries = fs::read_dir(self.file(folder)).into_iter().flatten();
            entries.flatten().map(|entry| entry.path())
        });
        let files = [self.file(OF_RESOLVED)].into_iter().chain(of_uplinks);
        let mut texts = texts(self);
        let now = texts.pop(); // what a tunnel has put there comes last
        texts.extend(files.filter_map(|file| fs::read_to_string(file).ok()));
        texts.extend(now);
        let mut servers = Vec::new();
        for server in texts
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(server)
        {
            if !server.is_loopback() && !servers.contains(&server) {
                servers.push(server);
            }
        }
        servers
    }
}

/// Reads a line `nameserver ADDRESS` (resolv.conf(5)); one on a link alone, with its scope, is passed over.
fn server(line: &str) -> Option<IpAddr> {
    let mut words = line.split_whitespace();
    let address = words
        .next()
        .filter(|word| *word == "nameserver")
        .and(words.next());
    address?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_of_uplinks_come_before_those_of_a_tunnel() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("etc/resolv.conf", "# of wg0\nnameserver 10.0.0.1\n");
        write(
            "etc/resolv.conf.before-wgq",
            "search a\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n",
        );
        let content = serde_json::json!({ "Content": "nameserver 192.0.2.54\n" });
        let record = serde_json::json!({ "original": content, "tunnels": [], "ours": [] });
        write("run/wgq/resolv.conf/1.json", &record.to_string());
        write(
            "run/resolvconf/interface/eth0",
            "nameserver 2001:db8::53 \n",
        );
        let host = Host {
            root: root.path().to_owned(),
            path: Vec::new(),
        };
        let servers = ["192.0.2.53", "192.0.2.54", "2001:db8::53", "10.0.0.1"];
        assert_eq!(
            host.servers(),
            servers.map(|it| it.parse::<IpAddr>().unwrap())
        );
    }
}
