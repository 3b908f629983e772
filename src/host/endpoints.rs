//! Where the peers are: names are looked up, and of several addresses one is taken that can be reached.

use std::net::SocketAddr;

use anyhow::{Result, anyhow, bail};

use super::Host;
use super::resolve::{LookupError, Name, Resolver, Retries};
use crate::config::{Config, Endpoint, Spanned};

impl Host {
    /// Returns the address of each peer, in the order of the file, which is called `file` in messages; none for a peer
    /// without an endpoint.
    ///
    /// With `ignore_unresolved` a peer whose name has no address is told of and has none either; without, that is an
    /// error, and no name is waited for any longer.
    pub fn resolve(
        &mut self,
        config: &Config,
        file: &str,
        ignore_unresolved: bool,
    ) -> Result<Vec<Option<SocketAddr>>> {
        let endpoints: Vec<_> = config
            .peers
            .iter()
            .map(|peer| peer.endpoint.as_ref())
            .collect();
        let names: Vec<Name> = endpoints
            .iter()
            .flatten()
            .filter_map(|endpoint| name_of(endpoint))
            .collect();
        let answers = if names.is_empty() {
            Default::default()
        } else {
            let signals = self.signals.clone();
            let report = self.report;
            let resolver = Resolver {
                retries: Retries::from_env()?,
                fail_fast: !ignore_unresolved,
                cancelled: &|| signals.caught().is_some(),
                waiting: &mut |waiting| report.note(waiting),
            };
            let answers = resolver.resolve(&names);
            answers.map_err(|error| match self.signals.caught() {
                Some(signal) => anyhow!("interrupted by {signal}; nothing was changed"),
                None => error.into(),
            })?
        };
        let mut addresses = Vec::with_capacity(endpoints.len());
        let mut unresolved = Vec::new();
        for endpoint in endpoints {
            let name = endpoint.and_then(|endpoint| name_of(endpoint));
            addresses.push(match (endpoint.map(|endpoint| &endpoint.value), name) {
                (Some(Endpoint::Addr(address)), _) => Some(*address),
                (_, None) => None,
                (_, Some(name)) => match answers.get(&name) {
                    Some(Ok(found)) => self.choose(found),
                    Some(Err(error)) => {
                        unresolved.push(describe(file, endpoint, error));
                        None
                    }
                    None => None,
                },
            });
        }
        if !ignore_unresolved && !unresolved.is_empty() {
            bail!("{}", unresolved.join("\nwgq: "));
        }
        for what in unresolved {
            self.report
                .warning(format_args!("{what}; leaving this peer without endpoint"));
        }
        Ok(addresses)
    }

    /// Takes the first address to which there is a route, or else the first.
    fn choose(&mut self, addresses: &[SocketAddr]) -> Option<SocketAddr> {
        let mut reachable = addresses
            .iter()
            .filter(|address| self.route.has_route(address.ip()).unwrap_or(false));
        reachable.next().or(addresses.first()).copied()
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

fn describe(file: &str, endpoint: Option<&Spanned<Endpoint>>, error: &LookupError) -> String {
    let (line, name) = endpoint
        .map(|found| (found.span.line, found.value.to_string()))
        .unwrap_or_default();
    format!("{file}:{line}: Endpoint: `{name}': {error}")
}
