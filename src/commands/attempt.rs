//! One attempt to make the host be what a file says: all of it, or nothing.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{IpAddr, SocketAddr};

use crate::apply::{Stop, Transaction};
use crate::config::Config;
use crate::diff::diff;
use crate::error::Error;
use crate::foreign::Passage;
use crate::host::config_file::Target;
use crate::host::lock::Lock;
use crate::host::observe::Found;
use crate::host::record::{Needed, Record};
use crate::host::{Host, firewalls, netns};
use crate::kept::{self, Extras, Memory, Running};
use crate::key::PublicKey;
use crate::net::Ifname;
use crate::plan::{self, Application, Up};
use crate::report::Report;
use crate::state::{LinkKind, State};
use crate::step::Step;

mod give_up;

/// One attempt to bring an interface up, or to have one that is up follow its file.
pub(super) struct Attempt<'a> {
    pub(super) ifname: Ifname,
    pub(super) target: &'a Target,
    pub(super) config: &'a Config,
    /// The address of each peer that is to get another one than it has.
    pub(super) endpoints: &'a [Option<SocketAddr>],
    pub(super) kind: LinkKind,
    /// What is recorded of the tunnel: how it runs, or what an earlier attempt that was killed left of itself.
    pub(super) record: Option<&'a Record>,
    pub(super) purpose: Purpose,
    pub(super) report: Report,
}

/// A way to what the file says.
pub(super) struct Plan {
    /// The steps, and what is wanted.
    pub(super) up: Up,
    /// What was found.
    pub(super) now: State,
    /// What is to be known of the tunnel once all is done.
    pub(super) record: Record,
    /// The kernel variables that it needs no more and that stay all the same, each with the reason.
    pub(super) stays: Vec<String>,
}

/// How far an attempt has come.
pub(super) struct Progress {
    transaction: Transaction,
    /// What was there before; what hooks did since is theirs.
    before: State,
}

/// What an attempt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An interface that is not there.
    Up,
    /// One that is there, or not.
    Apply {
        /// Whether peers stay that the file does not name.
        keep_peers: bool,
        /// Whether the hooks run.
        hooks: bool,
    },
}

impl Attempt<'_> {
    /// Looks at the host, plans the way from there, and notes down what `down` needs to know of it.
    /// What is on the link and was not `seen` there before, hooks have made.
    pub(super) fn plan(&self, host: &mut Host, seen: Option<&State>) -> anyhow::Result<Plan> {
        let found = host.observe(self.ifname, self.record)?;
        self.plan_from(host, found, seen)
    }

    /// As [`Self::plan`], from what was found.
    pub(super) fn plan_from(
        &self,
        host: &mut Host,
        found: Found,
        seen: Option<&State>,
    ) -> anyhow::Result<Plan> {
        let mut found = self.look_around(found)?;
        let endpoints = self.endpoints_that_count(&found.state);
        let around = host.surroundings(
            self.ifname,
            &self.config.interface,
            self.kind.clone(),
            &mut found,
            self.record,
            &endpoints,
        )?;
        let mut memory = self.record.map(|record| record.memory.clone());
        if let (Some(memory), Some(seen)) = (&mut memory, seen) {
            memory.extras.add_new(seen, &found.state);
        }
        let now = &found.state;
        let restored = self.record.map(|record| record.sysctls_to_restore(&found));
        let restored = restored.unwrap_or_default();
        let up = match self.purpose {
            Purpose::Up => plan::up(self.ifname, self.config, self.endpoints, now, &around),
            Purpose::Apply { keep_peers, hooks } => {
                let ran = self.record.map(|record| &record.hooks);
                let application = Application {
                    running: Running {
                        now,
                        rules: self.record.map(|record| &record.rules),
                        memory: memory.as_ref(),
                    },
                    keep_peers,
                    hooks: hooks.then(|| ran.cloned().unwrap_or_default()),
                    before: restored.values,
                };
                plan::apply(
                    self.ifname,
                    self.config,
                    self.endpoints,
                    &application,
                    &around,
                )
            }
        };
        let extras = self.extras(&up, now, memory);
        let record = self.record(&up, now, &Passage::through(&around.firewalls), extras);
        let wanted = &up.desired.state.sysctls;
        let kept = restored.kept.into_iter();
        let kept = kept.filter(|(sysctl, _)| !wanted.contains_key(sysctl));
        Ok(Plan {
            stays: kept.map(|(_, why)| why).collect(),
            up,
            now: found.state,
            record,
        })
    }

    /// What hooks have put on the link, as far as it stays.
    fn extras(&self, up: &Up, now: &State, memory: Option<Memory>) -> Extras {
        let beyond = |state| Extras::beyond(self.config, &up.desired.own_routes, state);
        match (self.purpose, memory) {
            (Purpose::Up, _) => beyond(now), // there is nothing else before the first step
            (Purpose::Apply { .. }, Some(memory)) => memory.extras,
            (Purpose::Apply { .. }, None) => Extras {
                peers: BTreeSet::new(),
                ..beyond(&up.desired.state)
            },
        }
    }

    /// The endpoints to which the path matters: those of the file, those that its peers have moved to, and those of peers that
    /// hooks have made. Where clients of a server are does not matter to its own MTU.
    fn endpoints_that_count(&self, now: &State) -> BTreeSet<IpAddr> {
        let own = self.endpoints.iter().flatten().map(SocketAddr::ip);
        let clients = LazyCell::new(|| {
            let peers = self.config.peers.iter();
            let clients = peers.filter(|peer| peer.endpoint.is_none());
            clients
                .map(|it| it.public_key.value)
                .collect::<HashSet<PublicKey>>()
        });
        let found = now.device.peers.iter().filter_map(|peer| {
            let endpoint = peer.endpoint?;
            let counts = self.purpose == Purpose::Up || !clients.contains(&peer.public_key);
            counts.then_some(endpoint.ip())
        });
        own.chain(found).collect()
    }

    /// Looks at what there is of the tunnel.
    fn look(&self, host: &mut Host) -> anyhow::Result<Found> {
        let found = host.observe(self.ifname, self.record)?;
        self.look_around(found)
    }

    /// Looks at the rest too.
    fn look_around(&self, mut found: Found) -> anyhow::Result<Found> {
        let asks = self.config.interface.firewall.asks_others();
        if asks || self.record.is_some() || self.purpose != Purpose::Up {
            found.look_at_firewalls(self.ifname)?;
        }
        // Whether an attempt that was killed had come so far as to tell the resolver, nobody knows; and what one was told
        // by interface went with that.
        let is_told = self
            .record
            .is_some_and(|record| record.complete && record.index == found.index);
        if !self.config.interface.dns.servers.is_empty() && !is_told {
            found.state.dns = None;
        }
        Ok(found)
    }

    /// What is to be known of the tunnel once all is done.
    fn record(&self, up: &Up, now: &State, passage: &Passage, extras: Extras) -> Record {
        let want = &up.desired.state;
        let needed = want.sysctls.iter().map(|(sysctl, value)| {
            let before = now.sysctls.get(sysctl).filter(|now| *now != value);
            let changed = match before {
                Some(_) => Needed {
                    before: before.cloned(),
                    passage: passage.clone(),
                    ..Needed::default()
                },
                None => Record::changed(sysctl).unwrap_or_default(),
            };
            let value = value.clone();
            (sysctl.clone(), Needed { value, ..changed })
        });
        let hooks = match self.record {
            Some(record) if !self.runs_hooks() => &record.hooks,
            _ => &self.config.interface.hooks,
        };
        Record {
            config: self.target.absolute_path(),
            netns: netns::place(now.netns.is_some()),
            complete: true,
            kind: self.kind.clone(),
            rules: want.rules.clone(),
            sysctls: needed.collect(),
            dns: want.dns.clone(),
            hooks: hooks.clone(),
            memory: Memory {
                fwmark: up.desired.fwmark,
                is_mark_named: kept::names_mark(self.config),
                endpoints: kept::endpoints(self.config),
                extras,
            },
            index: None,
        }
    }

    /// What is to be known until then, should this be the last that is heard of us: what goes is there until it is gone,
    /// and what comes may not have come.
    fn interim(&self, plan: &Plan) -> Record {
        let mut interim = plan.record.clone();
        interim.complete = false;
        interim.rules.extend(&plan.now.rules);
        interim.dns = interim.dns.or_else(|| plan.now.dns.clone());
        let before = Running {
            now: &plan.now,
            rules: None,
            memory: self.record.map(|record| &record.memory),
        };
        let memory = &mut interim.memory;
        if memory.fwmark.is_none() {
            memory.fwmark = before.own_mark();
            memory.is_mark_named = before.memory.is_some_and(|memory| memory.is_mark_named);
        }
        memory.endpoints = before
            .memory
            .map(|it| it.endpoints.clone())
            .unwrap_or_default();
        for (sysctl, needed) in self.record.iter().flat_map(|record| &record.sysctls) {
            let entry = interim.sysctls.entry(sysctl.clone());
            entry.or_insert_with(|| needed.clone());
        }
        interim
    }

    pub(super) fn runs_hooks(&self) -> bool {
        matches!(
            self.purpose,
            Purpose::Up | Purpose::Apply { hooks: true, .. }
        )
    }

    /// Carries the plan out, or undoes what was done of it. Returns what was done.
    pub(super) fn carry_out(
        &self,
        host: &mut Host,
        mut lock: Option<Lock>,
        mut plan: Plan,
    ) -> Result<Progress, Error> {
        let mut interim = self.interim(&plan);
        if !plan.up.before.is_empty() {
            // hooks come first, and a second look: until then no variable is changed by us, or needed
            let recorded = self.record.map(|record| record.sysctls.clone());
            interim.sysctls = recorded.unwrap_or_default();
        }
        interim.write(self.ifname)?;
        let mut progress = Progress {
            transaction: Transaction::default(),
            before: std::mem::take(&mut plan.now),
        };
        match self.execute(host, &mut lock, &mut progress, plan) {
            Ok(()) => Ok(progress),
            Err(stop) => Err(self.give_up(host, lock, progress, stop)),
        }
    }

    /// Carries the plan out, and gives the lock away while hooks run. What a PreUp hook put on the link is taken into
    /// account by a second look, and what others did meanwhile.
    fn execute(
        &self,
        host: &mut Host,
        lock: &mut Option<Lock>,
        progress: &mut Progress,
        mut plan: Plan,
    ) -> Result<(), Stop> {
        let transaction = &mut progress.transaction;
        if !plan.up.before.is_empty() {
            *lock = None;
            transaction.execute(host, &plan.up.before)?;
            *lock = Some(host.lock()?);
            let said = plan.up.desired.warnings;
            plan = self
                .plan(host, Some(&progress.before))
                .map_err(Stop::Lost)?;
            self.warn(&plan.up, &said);
            let interim = self.interim(&plan);
            progress.before = std::mem::take(&mut plan.now);
            interim.write(self.ifname).map_err(Stop::Lost)?;
        }
        let Plan { up, mut record, .. } = plan;
        let (steps, hooks) = plan::split_hooks(&up.after);
        transaction.execute(host, steps)?;
        self.settle(host, transaction, &up, &record)?;
        record.index = host.index(self.ifname).map_err(Stop::Lost)?;
        let is_dns = |step: &Step| matches!(step, Step::SetDns { .. });
        let is_told = !transaction.forgone().iter().any(is_dns);
        record.dns = record.dns.filter(|_| is_told); // else nothing can be taken back
        record.write(self.ifname).map_err(Stop::Lost)?;
        if hooks.is_empty() {
            *lock = None;
            return Ok(());
        }
        let counts = record.passages().next().is_some();
        let before = counts
            .then(firewalls::passage)
            .transpose()
            .map_err(Stop::Lost)?;
        *lock = None;
        let executed = transaction.execute(host, hooks);
        let noted = self.note_hooks(host, record, before.as_ref(), &up);
        executed.and(noted.map_err(Stop::Lost))
    }

    /// Looks again where addresses went: with the first one of a network the kernel deletes the others, and their routes.
    fn settle(
        &self,
        host: &mut Host,
        transaction: &mut Transaction,
        up: &Up,
        record: &Record,
    ) -> Result<(), Stop> {
        let is_deletion = |step: &Step| matches!(step, Step::DeleteAddress { .. });
        if !up.after.iter().any(is_deletion) {
            return Ok(());
        }
        let found = host
            .observe(self.ifname, Some(record))
            .map_err(Stop::Lost)?;
        let now = State {
            sysctls: BTreeMap::new(),
            accepts: up.desired.state.accepts.clone(),
            ..found.state
        };
        let rest = diff(self.ifname, &now, &up.desired.state);
        transaction.execute(host, &rest)
    }

    /// Notes down what hooks have made: their rules, since `down` looks who needs forwarding before `PostDown` takes them
    /// away, and what they put on the link, which is to stay when the file is applied.
    fn note_hooks(
        &self,
        host: &mut Host,
        mut record: Record,
        before: Option<&Passage>,
        up: &Up,
    ) -> anyhow::Result<()> {
        let _shared = host.lock_to_undo();
        if let Some(before) = before {
            let after = firewalls::passage()?;
            record
                .passages()
                .for_each(|passage| passage.add_growth(before, &after));
        }
        let found = host.observe(self.ifname, Some(&record))?;
        record.memory.extras = Extras::beyond(self.config, &up.desired.own_routes, &found.state);
        record.write(self.ifname)
    }

    /// Says what is left out or will not work, but for what was said already.
    pub(super) fn warn(&self, up: &Up, said: &[String]) {
        let warnings = up.desired.warnings.iter();
        warnings
            .filter(|warning| !said.contains(warning))
            .for_each(|warning| self.report.warning(warning));
    }
}
