//! The live table: looks again and again, and shows what has changed.

use std::time::Duration;

use super::{Listed, at, interface, list, not_there};
use crate::apply::Executor as _;
use crate::error::Error;
use crate::host::Host;
use crate::host::clock::since_epoch;
use crate::host::screen::{self, END_OF_TEXT, Screen, Stopwatch};
use crate::host::status::scopes;
use crate::net::Ifname;
use crate::report::Report;
use crate::status::live::{self, Counters, Size};
use crate::status::text::Style;
use crate::status::{Interface, Status};

/// How often it is looked whether the terminal has another size, and for signals that came just before a wait.
const ATTENTION: Duration = Duration::from_millis(250);

/// Shows the interfaces, or the one that is asked for, until q or Ctrl-C.
pub(super) fn watch(only: Option<Ifname>, time: Duration, report: Report) -> Result<(), Error> {
    if !screen::is_there() {
        let error = Error::new("--watch needs a terminal for its input and output");
        return Err(error.hint("`wgq show --json` tells programs".to_owned()));
    }
    let mut watch = Watch::open(only, report)?;
    let style = Style {
        color: report.stdout_color(),
        ..Style::default()
    };
    let first = watch.look()?;
    if let (Some(ifname), true) = (only, first.interfaces.is_empty()) {
        return Err(not_there(ifname));
    }
    let screen = Screen::open()?;
    let ended = watch.run(&screen, first, time, style);
    drop(screen); // errors are for the terminal as it was
    ended
}

/// What is looked at.
struct Watch {
    only: Option<Ifname>,
    report: Report,
    host: Host,
    /// Those in other network namespaces, each with what was opened there.
    elsewhere: Vec<(Interface, Host)>,
    /// Those of the last look; what does not change often is not asked for again.
    known: Vec<Interface>,
}

impl Watch {
    fn open(only: Option<Ifname>, report: Report) -> Result<Self, Error> {
        let mut host = Host::open(report, None, None)?;
        let mut elsewhere = Vec::new();
        for listed in list(&mut host, only, report)? {
            let netns = listed.record.as_ref().and_then(|record| record.netns());
            let Some(netns) = netns else { continue };
            let mut there = Host::open(report, None, Some(netns))?;
            let found = interface(&mut there, &listed, report);
            there.go_back()?;
            if let Some(interface) = found? {
                elsewhere.push((interface, there));
            }
        }
        Ok(Self {
            only,
            report,
            host,
            elsewhere,
            known: Vec::new(),
        })
    }

    fn run(
        &mut self,
        screen: &Screen,
        first: Status,
        time: Duration,
        style: Style,
    ) -> Result<(), Error> {
        let mut before = Counters::of(&first);
        let mut status = first;
        loop {
            let clock = Stopwatch::start();
            let mut size = show(screen, &status, &before, style)?;
            while !clock.left_of(time).is_zero() {
                let keys = screen.keys(clock.left_of(time).min(ATTENTION))?;
                if keys
                    .iter()
                    .any(|key| [b'q', b'Q', END_OF_TEXT].contains(key))
                {
                    return Ok(());
                }
                match self.host.interrupted() {
                    Some("SIGINT") => return Ok(()),
                    Some(signal) => return Err(Error::new(format_args!("ended by {signal}"))),
                    None => {}
                }
                if screen::size() != size {
                    size = show(screen, &status, &before, style)?;
                }
            }
            before = Counters::of(&status);
            status = self.look()?;
        }
    }

    /// Looks at all devices. One that is new is looked at in whole.
    fn look(&mut self) -> Result<Status, Error> {
        let mut interfaces = Vec::new();
        for listed in list(&mut self.host, self.only, self.report)? {
            if listed
                .record
                .as_ref()
                .is_some_and(|it| it.netns().is_some())
            {
                continue;
            }
            interfaces.extend(self.look_at(&listed)?);
        }
        self.known.clone_from(&interfaces);
        for (known, host) in &mut self.elsewhere {
            let device = host.status(known.ifname, &known.kind)?;
            interfaces.extend(device.map(|device| Interface {
                device,
                ..known.clone()
            }));
        }
        Ok(Status {
            at: since_epoch(),
            interfaces,
        })
    }

    fn look_at(&mut self, listed: &Listed) -> Result<Option<Interface>, Error> {
        let ifname = listed.ifname;
        let known = self.known.iter().position(|it| it.ifname == ifname);
        let Some(known) = known.map(|at| self.known.swap_remove(at)) else {
            let report = self.report;
            return at(&mut self.host, listed, report, |host| {
                interface(host, listed, report)
            });
        };
        let device = self.host.device(ifname)?;
        Ok(device.map(|device| Interface {
            scopes: scopes(&device),
            device,
            ..known
        }))
    }
}

/// Shows what was found, and returns the size of the terminal.
fn show(
    on: &Screen,
    status: &Status,
    before: &Counters,
    style: Style,
) -> Result<Option<Size>, Error> {
    let size = screen::size();
    let assumed = size.unwrap_or(Size {
        width: 80,
        height: 24,
    });
    on.show(&live::screen(status, before, assumed, style))?;
    Ok(size)
}
