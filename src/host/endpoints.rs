//! Where the peers are: names are looked up, and of several addresses one is taken that can be reached.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Result, anyhow, bail};

use super::Host;
use super::resolve::{Answer, LookupError, Name, Resolver, Retries, first_reachable};
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
            .filter_map(|found| name_of(found))
            .collect();
        let answers = self.look_up(&names, !ignore_unresolved)?;
        let mut unresolved = Vec::new();
        let mut address = |endpoint: &Spanned<Endpoint>| match &endpoint.value {
            Endpoint::Addr(address) => Some(*address),
            Endpoint::Name { .. } => match answers.get(&name_of(endpoint)?)? {
                Ok(found) => first_reachable(found, |ip| self.route.has_route(ip).unwrap_or(false)),
                Err(error) => {
                    unresolved.push(describe(file, endpoint, error));
                    None
                }
            },
        };
        let addresses = endpoints
            .into_iter()
            .map(|endpoint| address(endpoint?))
            .collect();
        if !ignore_unresolved && !unresolved.is_empty() {
            bail!("{}", unresolved.join("\nwgq: "));
        }
        for what in unresolved {
            self.report
                .warning(format_args!("{what}; leaving this peer without endpoint"));
        }
        Ok(addresses)
    }

    /// Asks for all names at once, with wg's patience, which is shown.
    fn look_up(&self, names: &[Name], fail_fast: bool) -> Result<BTreeMap<Name, Answer>> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let resolver = Resolver {
            retries: Retries::from_env()?,
            fail_fast,
            cancelled: &|| self.signals.caught().is_some(),
            waiting: &mut |waiting| self.report.note(waiting),
        };
        resolver
            .resolve(names)
            .map_err(|error| match self.signals.caught() {
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

fn describe(file: &str, endpoint: &Spanned<Endpoint>, error: &LookupError) -> String {
    let Spanned { value: name, span } = endpoint;
    format!("{file}:{}: Endpoint: `{name}': {error}", span.line)
}
