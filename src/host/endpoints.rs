//! Where the peers are: names are looked up, and of several addresses one is taken that can be reached.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Result, anyhow};

use super::Host;
use super::resolve::{Answer, LookupError, Name, Resolver, Retries, first_reachable};
use crate::config::{Endpoint, Span, Spanned};

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

impl Host {
    /// Looks the peers' endpoints up. Unless `ignore_unresolved`, no other name is waited for once one has no address.
    pub fn resolve(
        &mut self,
        endpoints: &[Option<&Spanned<Endpoint>>],
        ignore_unresolved: bool,
    ) -> Result<Endpoints> {
        let names: Vec<Name> = endpoints
            .iter()
            .flatten()
            .filter_map(|found| name_of(found))
            .collect();
        let answers = self.look_up(&names, !ignore_unresolved)?;
        let mut unresolved = Vec::new();
        let route = match &mut self.outside {
            Some(outside) => &mut outside.route,
            None => &mut self.route,
        };
        let mut address = |endpoint: &Spanned<Endpoint>| match &endpoint.value {
            Endpoint::Addr(address) => Some(*address),
            Endpoint::Name { .. } => match answers.get(&name_of(endpoint)?)? {
                Ok(found) => first_reachable(found, |ip| route.has_route(ip).unwrap_or(false)),
                Err(error) => {
                    unresolved.push(Unresolved {
                        name: endpoint.value.clone(),
                        error: error.clone(),
                        span: endpoint.span,
                    });
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

    /// Asks for all names at once, with wg's patience, which is shown.
    fn look_up(&self, names: &[Name], fail_fast: bool) -> Result<BTreeMap<Name, Answer>> {
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (signals, report) = (&self.signals, self.report);
        let resolve = || {
            let resolver = Resolver {
                retries: Retries::from_env()?,
                fail_fast,
                cancelled: &|| signals.caught().is_some(),
                waiting: &mut |waiting| report.note(waiting),
            };
            resolver
                .resolve(names)
                .map_err(|error| match signals.caught() {
                    Some(signal) => anyhow!("interrupted by {signal}; nothing was changed"),
                    None => error.into(),
                })
        };
        match &self.outside {
            Some(outside) => outside.run(resolve),
            None => resolve(),
        }
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
