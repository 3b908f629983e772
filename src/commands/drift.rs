//! How far a running interface is from what its file says, without a look-up of names and without a word.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;

use anyhow::bail;

use super::attempt::{Attempt, Purpose};
use super::{apply, namespace, origin};
use crate::config::{self, Config, Endpoint, Spanned};
use crate::host::config_file::Target;
use crate::host::observe::Found;
use crate::host::record::Record;
use crate::host::{Host, clock, keys, names};
use crate::key::PublicKey;
use crate::net::Ifname;
use crate::report::Report;
use crate::status::Drift;
use crate::step::Step;

/// The file of a running interface, as far as it can be read.
pub(super) struct File {
    pub(super) target: Target,
    /// Why its text cannot be had, if it cannot.
    text: Result<(), String>,
    /// What it says; none if it is not in order.
    pub(super) config: Option<Config>,
    /// The names that it gives peers.
    pub(super) peer_names: BTreeMap<PublicKey, String>,
}

impl File {
    /// Reads the file that `up` used, or for what another program has made the one of that name, if there is one.
    pub(super) fn of(ifname: Ifname, record: Option<&Record>) -> Option<Self> {
        let target = match record {
            Some(record) => origin::of(ifname, record),
            None => Target::named(ifname),
        };
        if target.was_input() || record.is_none() && !target.exists() {
            return None;
        }
        let text = target.read().map_err(|error| {
            let cause = error.root_cause();
            cause.to_string()
        });
        let decode = |bytes: Vec<u8>| {
            let decoded = String::from_utf8(bytes);
            decoded.map_err(|_| "not UTF-8".to_owned())
        };
        let text = text.and_then(decode);
        let names = names::names(ifname);
        let parsed = text.as_ref().ok();
        let config = parsed.and_then(|text| config::parse(text.as_bytes(), &names).config);
        let peer_names = parsed.map(|text| config::peer_names(text));
        Some(Self {
            target,
            config,
            peer_names: peer_names.unwrap_or_default(),
            text: text.map(drop),
        })
    }

    /// Finds out how far what was found is from what the file says.
    pub(super) fn drift(
        &self,
        host: &mut Host,
        found: Found,
        record: Option<&Record>,
        report: Report,
    ) -> Drift {
        if let Err(why) = &self.text {
            return Drift::Unknown(why.clone());
        }
        let ifname = self.target.ifname;
        let Some(config) = self.config.clone() else {
            return Drift::Unknown(format!("has errors: wgq diff {ifname}"));
        };
        match self.steps(host, config, found, record, report) {
            Ok(steps) => Drift::Steps(steps),
            Err(error) => Drift::Unknown(format!("{error:#}")),
        }
    }

    /// Counts the steps that `wgq apply` would take.
    fn steps(
        &self,
        host: &mut Host,
        mut config: Config,
        found: Found,
        record: Option<&Record>,
        report: Report,
    ) -> anyhow::Result<usize> {
        let ifname = self.target.ifname;
        if !keys::load(&mut config).is_empty() {
            bail!("a file that it has a key in cannot be read: wgq diff {ifname}");
        }
        config.expire(clock::now());
        if namespace::refuse_move(ifname, record, &config).is_err() {
            bail!("has it in another network namespace");
        }
        let Some(link) = &found.state.link else {
            bail!("the interface is in another network namespace");
        };
        let kind = link.kind.clone();
        let wanted = apply::endpoints(&config, record, &found);
        let addresses: Vec<Option<SocketAddr>> = wanted.iter().copied().map(address).collect();
        let unknown = by_name(&config, &wanted, record.is_some(), &found);
        let attempt = Attempt {
            ifname,
            target: &self.target,
            config: &config,
            endpoints: &addresses,
            kind,
            record,
            purpose: Purpose::Apply {
                keep_peers: false,
                hooks: false,
            },
            report,
        };
        let up = attempt.plan_from(host, found, None)?.up;
        let steps = up.before.iter().chain(&up.after);
        let set = steps.clone().filter_map(|step| {
            if let Step::SetPeer { to: Some(to), .. } = step {
                Some(to.public_key)
            } else {
                None
            }
        });
        let set: HashSet<PublicKey> = set.collect();
        let more = unknown.iter().filter(|key| !set.contains(key)).count();
        Ok(steps.count() + more)
    }
}

fn address(endpoint: Option<&Spanned<Endpoint>>) -> Option<SocketAddr> {
    match endpoint?.value {
        Endpoint::Addr(address) => Some(address),
        Endpoint::Name { .. } => None,
    }
}

/// The peers that are to get the endpoint that a name stands for, which takes a look-up to know: those whose endpoint is another
/// name than it was, and those that have none yet. Of what another program has made nobody knows what the name was.
fn by_name(
    config: &Config,
    wanted: &[Option<&Spanned<Endpoint>>],
    is_remembered: bool,
    found: &Found,
) -> Vec<PublicKey> {
    let has_endpoint = |key: PublicKey| {
        let mut peers = found.state.device.peers.iter();
        peers.any(|peer| peer.public_key == key && peer.endpoint.is_some())
    };
    let peers = config.peers.iter().zip(wanted);
    peers
        .filter(|(_, wanted)| wanted.is_some_and(|it| matches!(it.value, Endpoint::Name { .. })))
        .map(|(peer, _)| peer.public_key.value)
        .filter(|key| is_remembered || !has_endpoint(*key))
        .collect()
}
