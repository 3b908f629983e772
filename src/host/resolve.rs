//! Looks up endpoints that are given by name: all at once, with the patience of wg(8).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

mod lookup;
mod outside;
mod retries;

pub use lookup::LookupError;
pub use outside::Outside;
pub use retries::{InvalidRetries, Retries};

/// How many names are looked up at a time.
const WORKERS: usize = 32;
/// How often it is looked whether to give up.
const ATTENTION: Duration = Duration::from_millis(100);

/// An endpoint by name; a numeric host, with a scope or without, is a name too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The host, without brackets.
    pub host: String,
    /// The UDP port.
    pub port: u16,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// That a name will be looked up again; prints wg's own line.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The name.
    pub name: Name,
    /// Why it has no addresses yet.
    pub error: LookupError,
    /// The time until then.
    pub delay: Duration,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, error, delay } = self;
        let seconds = delay.as_secs_f64();
        write!(
            f,
            "{error}: `{name}'. Trying again in {seconds:.2} seconds..."
        )
    }
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The caller wanted no more of it.
    #[error("cancelled")]
    Cancelled,
    /// No thread could be started.
    #[error(transparent)]
    NoThread(#[from] io::Error),
}

/// The addresses of a name in getaddrinfo(3)'s order, each once; or why it has none.
pub type Answer = Result<Vec<SocketAddr>, LookupError>;

/// How names are looked up.
pub struct Resolver<'a> {
    /// How often again.
    pub retries: Retries,
    /// After which time names without an answer have none; none is never.
    pub patience: Option<Duration>,
    /// Whether to wait for no name any longer once one of them is known to have no address.
    pub fail_fast: bool,
    /// Asked every 100 ms or more often; true gives up.
    pub cancelled: Box<dyn Fn() -> bool + Send + 'a>,
    /// Told before each wait.
    pub waiting: Box<dyn FnMut(&Waiting) + Send + 'a>,
}

impl Resolver<'_> {
    /// Returns the answer for each distinct name.
    pub fn resolve(self, names: &[Name]) -> Result<BTreeMap<Name, Answer>, ResolveError> {
        self.resolve_by(names, lookup::lookup)
    }

    /// As [`Self::resolve`], past a tunnel.
    pub fn resolve_outside(
        self,
        names: &[Name],
        outside: Outside,
    ) -> Result<BTreeMap<Name, Answer>, ResolveError> {
        self.resolve_by(names, move |name: &Name| outside.lookup(name))
    }

    fn resolve_by(
        mut self,
        names: &[Name],
        lookup: impl Fn(&Name) -> Answer + Clone + Send + 'static,
    ) -> Result<BTreeMap<Name, Answer>, ResolveError> {
        let mut open: BTreeMap<Name, Try> = BTreeMap::new();
        open.extend(names.iter().map(|name| (name.clone(), Try::FIRST)));
        let workers = Workers::start(open.len().min(WORKERS), &lookup)?;
        for name in open.keys() {
            workers.ask(name);
        }
        let start = Instant::now();
        let is_late = |patience: &Duration| start.elapsed() >= *patience;

        let mut answers = BTreeMap::new();
        while !open.is_empty() {
            if (self.cancelled)() {
                return Err(ResolveError::Cancelled);
            }
            if let Some(patience) = self.patience.filter(is_late) {
                answers.extend(mem::take(&mut open).into_iter().map(|(name, this)| {
                    let error = this.again.map_or_else(|| silence(patience), |(_, why)| why);
                    (name, Err(error))
                }));
                break;
            }
            let patience = ask_again(&mut open, &workers);
            if let Some((name, answer)) = workers.answer(patience)
                && let Some(answer) = self.weigh(&name, answer, &mut open)
            {
                open.remove(&name);
                answers.insert(name, answer);
            }
            if self.fail_fast && answers.values().any(Result::is_err) {
                answers.extend(give_up(&mut open));
            }
        }
        Ok(answers)
    }

    /// Returns an answer if it is the last one; else the name will be looked up again.
    fn weigh(
        &mut self,
        name: &Name,
        answer: Answer,
        open: &mut BTreeMap<Name, Try>,
    ) -> Option<Answer> {
        let this = open.get_mut(name)?;
        match answer {
            Err(error) if error.is_temporary() && self.retries.allow(this.count) => {
                let delay = Retries::delay(this.count);
                (self.waiting)(&Waiting {
                    name: name.clone(),
                    error: error.clone(),
                    delay,
                });
                this.count += 1;
                this.again = Some((Instant::now() + delay, error));
                None
            }
            answer => Some(answer),
        }
    }
}

/// How far the lookup of a name is.
struct Try {
    /// How often it failed.
    count: u32,
    /// When it will be tried again, and how it failed; none while it is being tried.
    again: Option<(Instant, LookupError)>,
}

impl Try {
    const FIRST: Self = Self {
        count: 0,
        again: None,
    };
}

/// Why a name has no address when the resolver did not answer in time.
fn silence(patience: Duration) -> LookupError {
    let seconds = patience.as_secs();
    LookupError::new(&format!("no answer within {seconds} seconds"), true)
}

/// Asks for the names whose time has come, and returns how long an answer may be waited for.
fn ask_again(open: &mut BTreeMap<Name, Try>, workers: &Workers) -> Duration {
    let now = Instant::now();
    for (name, this) in &mut *open {
        if this.again.take_if(|(at, _)| *at <= now).is_some() {
            workers.ask(name);
        }
    }
    let times = open.values().filter_map(|this| this.again.as_ref());
    let next = times.map(|(at, _)| at.duration_since(now)).min();
    next.unwrap_or(ATTENTION).min(ATTENTION)
}

/// Ends the waiting for names that are not being looked up at the moment.
fn give_up(open: &mut BTreeMap<Name, Try>) -> Vec<(Name, Answer)> {
    open.extract_if(.., |_, this| this.again.is_some())
        .filter_map(|(name, this)| Some((name, Err(this.again?.1))))
        .collect()
}

/// Threads that look names up. None is waited for: getaddrinfo(3) cannot be interrupted.
struct Workers {
    questions: Sender<Name>,
    answers: Receiver<(Name, Answer)>,
}

impl Workers {
    /// Starts `count` threads, or as many as the system allows, but one.
    fn start(
        count: usize,
        lookup: &(impl Fn(&Name) -> Answer + Clone + Send + 'static),
    ) -> io::Result<Self> {
        let (questions, queue) = channel::<Name>();
        let (results, answers) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..count {
            let (queue, results) = (Arc::clone(&queue), results.clone());
            let lookup = lookup.clone();
            let work = move || {
                loop {
                    // the lock is held while waiting: who has it is the next to work
                    let Ok(Ok(name)) = queue.lock().map(|queue| queue.recv()) else {
                        return;
                    };
                    let answer = lookup(&name);
                    if results.send((name, answer)).is_err() {
                        return;
                    }
                }
            };
            match thread::Builder::new().spawn(work) {
                Err(error) if number == 0 => return Err(error),
                _ => {}
            }
        }
        Ok(Self { questions, answers })
    }

    fn ask(&self, name: &Name) {
        let _ = self.questions.send(name.clone()); // without a thread there is no `Workers`
    }

    /// Returns the next answer, if there is one within `patience`.
    fn answer(&self, patience: Duration) -> Option<(Name, Answer)> {
        self.answers.recv_timeout(patience).ok()
    }
}

/// Returns the first address that there is a route to, which is none of IPv6 where the host has none; or else the first.
///
/// It is their order otherwise: getaddrinfo(3) has sorted them by RFC 6724 already.
pub fn first_reachable(
    addresses: &[SocketAddr],
    mut has_route: impl FnMut(IpAddr) -> bool,
) -> Option<SocketAddr> {
    let mut reachable = addresses.iter().filter(|address| has_route(address.ip()));
    reachable.next().or(addresses.first()).copied()
}

#[cfg(test)]
mod tests;
