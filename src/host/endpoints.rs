//! Where the peers are: names are looked up, and of several addresses one is taken that can be reached.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::Host;
use super::dns;
use super::resolve::{
    Answer, LookupError, Name, Outside, ResolveError, Resolver, Retries, first_reachable,
};
use crate::config::{Endpoint, Peer, Span, Spanned};
use crate::net::FwMark;
use crate::reresolve::Candidates;

/// How long a resolver is waited for where nothing is to be waited for: at boot, when names can follow later.
const AT_ONCE: Duration = Duration::from_secs(2);

/// How long one is waited for that will be asked again in half a minute.
const FOR_NOW: Duration = Duration::from_secs(15);

/// How long one is waited for that is perhaps to be asked through a dead tunnel.
const THROUGH_TUNNEL: Duration = Duration::from_secs(5);

/// Where the peers of a file are.
#[derive(Debug)]
pub struct Endpoints {
    /// The address of each peer, in the order asked; none for a peer without an endpoint, or with an unresolved one.
    pub addresses: Vec<Option<SocketAddr>>,
    /// Those by a name that has no address.
    pub unresolved: Vec<Unresolved>,
}

/// An endpoint without an address; prints its name and why.
#[derive(Debug, thiserror::Error)]
#[error("`{name}': {error}")]
pub struct Unresolved {
    name: Endpoint,
    error: LookupError,
    /// Where it stands in the file.
    pub span: Span,
}

impl Unresolved {
    fn new(endpoint: &Spanned<Endpoint>, error: &LookupError) -> Self {
        Self {
            name: endpoint.value.clone(),
            error: error.clone(),
            span: endpoint.span,
        }
    }
}

impl Host {
    /// Looks the peers' endpoints up, with wg's patience. Unless `ignore_unresolved`, no other name is waited for once one
    /// has no address; and if there are no retries either, no name is waited for long.
    pub fn resolve(
        &mut self,
        endpoints: &[Option<&Spanned<Endpoint>>],
        ignore_unresolved: bool,
    ) -> Result<Endpoints> {
        self.resolve_with(endpoints, ignore_unresolved, Retries::from_env()?)
    }

    /// As [`Self::resolve`], without waiting long for any name.
    pub fn resolve_at_once(
        &mut self,
        endpoints: &[Option<&Spanned<Endpoint>>],
    ) -> Result<Endpoints> {
        self.resolve_with(endpoints, true, Retries::NONE)
    }

    fn resolve_with(
        &mut self,
        endpoints: &[Option<&Spanned<Endpoint>>],
        ignore_unresolved: bool,
        retries: Retries,
    ) -> Result<Endpoints> {
        let at_once = ignore_unresolved && retries == Retries::NONE;
        let patience = at_once.then_some(AT_ONCE);
        let names: Vec<Name> = endpoints
            .iter()
            .flatten()
            .filter_map(|found| name_of(found))
            .collect();
        let resolver = self.resolver(retries, patience, !ignore_unresolved);
        let answers = self.ask(|| resolver.resolve(&names))?;
        let mut unresolved = Vec::new();
        let route = self.route_of_birth();
        let mut address = |endpoint: &Spanned<Endpoint>| match &endpoint.value {
            Endpoint::Addr(address) => Some(*address),
            Endpoint::Name { .. } => match answers.get(&name_of(endpoint)?)? {
                Ok(found) => {
                    first_reachable(found, |ip| route.has_route(ip, None).unwrap_or(false))
                }
                Err(error) => {
                    unresolved.push(Unresolved::new(endpoint, error));
                    None
                }
            },
        };
        let addresses = endpoints
            .iter()
            .map(|endpoint| address((*endpoint)?))
            .collect();
        Ok(Endpoints {
            addresses,
            unresolved,
        })
    }

    /// Looks the endpoints by name of some peers up again, once. Those of their addresses count to which packets with the
    /// mark of the tunnel can be sent, which do not go through it; if there are none, all of them.
    ///
    /// What the host's resolver cannot tell is asked past the tunnel, if that has a mark.
    pub fn resolve_again(
        &mut self,
        peers: &[&Peer],
        mark: Option<FwMark>,
    ) -> Result<(Vec<Candidates>, Vec<Unresolved>)> {
        let endpoints = peers.iter().filter_map(|peer| {
            let endpoint = peer.endpoint.as_ref()?;
            Some((peer.public_key.value, endpoint, name_of(endpoint)?))
        });
        let endpoints: Vec<_> = endpoints.collect();
        let names: Vec<Name> = endpoints.iter().map(|(.., name)| name.clone()).collect();
        let answers = self.look_up_again(&names, mark)?;
        let (mut candidates, mut unresolved) = (Vec::new(), Vec::new());
        for (public_key, endpoint, name) in endpoints {
            match answers.get(&name) {
                Some(Ok(found)) => candidates.push(Candidates {
                    public_key,
                    addresses: self.reachable(found, mark),
                }),
                Some(Err(error)) => unresolved.push(Unresolved::new(endpoint, error)),
                None => {}
            }
        }
        Ok((candidates, unresolved))
    }

    fn reachable(&mut self, all: &[SocketAddr], mark: Option<FwMark>) -> Vec<SocketAddr> {
        let mut reachable = all.to_vec();
        let route = self.route_of_birth();
        reachable.retain(|address| route.has_route(address.ip(), mark).unwrap_or(false));
        if reachable.is_empty() {
            return all.to_vec();
        }
        reachable
    }

    fn look_up_again(
        &self,
        names: &[Name],
        mark: Option<FwMark>,
    ) -> Result<BTreeMap<Name, Answer>> {
        let patience = mark.map_or(FOR_NOW, |_| THROUGH_TUNNEL);
        let resolver = self.resolver(Retries::NONE, Some(patience), false);
        let mut answers = self.ask(|| resolver.resolve(names))?;
        let unknown = answers.iter().filter(|(_, answer)| answer.is_err());
        let unknown: Vec<Name> = unknown.map(|(name, _)| name.clone()).collect();
        if let Some(mark) = mark.filter(|_| !unknown.is_empty()) {
            let servers = dns::servers();
            let resolver = self.resolver(Retries::NONE, Some(FOR_NOW), false);
            let past = Outside { servers, mark };
            let outside = || resolver.resolve_outside(&unknown, past);
            let found = self.ask(outside)?.into_iter();
            answers.extend(found.filter(|(_, answer)| answer.is_ok())); // the first error is the one to tell
        }
        Ok(answers)
    }

    /// Asks for all names at once; that it asks again is said.
    fn resolver(
        &self,
        retries: Retries,
        patience: Option<Duration>,
        fail_fast: bool,
    ) -> Resolver<'_> {
        Resolver {
            retries,
            patience,
            fail_fast,
            cancelled: Box::new(|| self.signals.caught().is_some()),
            waiting: Box::new(|waiting| self.report.note(waiting)),
        }
    }

    /// Asks where the tunnel's own packets come from: in the network namespace of birth.
    fn ask<T: Send>(&self, ask: impl FnOnce() -> Result<T, ResolveError> + Send) -> Result<T> {
        let answers = match &self.outside {
            Some(outside) => outside.run(|| Ok(ask()))?,
            None => ask(),
        };
        self.answers(answers)
    }

    /// Says by which signal there are no answers.
    fn answers<T>(&self, answers: Result<T, ResolveError>) -> Result<T> {
        answers.map_err(|error| match self.signals.caught() {
            Some(signal) => anyhow!("interrupted by {signal}; nothing was changed"),
            None => error.into(),
        })
    }
}

fn name_of(endpoint: &Spanned<Endpoint>) -> Option<Name> {
    match &endpoint.value {
        Endpoint::Addr(_) => None,
        Endpoint::Name { host, port } => Some(Name {
            host: host.clone(),
            port: *port,
        }),
    }
}
