//! What came of it, as tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::case::{CASES, Prepared};
use crate::measure::Sample;
use crate::tool::{Tool, Way};
use crate::trace::Trace;

const TOOLS: [&str; 3] = ["wg-quick", "wgq", "floor"];
const WGQ: usize = 1;

/// All runs, by the case's name, the tool and the way.
#[derive(Default)]
pub(crate) struct Results {
    samples: BTreeMap<(&'static str, usize, Way), Vec<Sample>>,
    traces: BTreeMap<(&'static str, usize, Way), Trace>,
    /// wgq that only starts, and that only plans, by the case's name and the way.
    parts: BTreeMap<(&'static str, Way), [Sample; 2]>,
}

impl Results {
    pub(crate) fn add(&mut self, case: &Prepared, tool: &Tool, way: Way, sample: Sample) {
        let key = (case.case.name, tool.index(), way);
        self.samples.entry(key).or_default().push(sample);
    }

    pub(crate) fn add_trace(&mut self, case: &Prepared, tool: &Tool, way: Way, trace: Trace) {
        self.traces
            .insert((case.case.name, tool.index(), way), trace);
    }

    pub(crate) fn add_parts(&mut self, case: &Prepared, way: Way, parts: [Sample; 2]) {
        self.parts.insert((case.case.name, way), parts);
    }

    /// The files that any of the programs opened.
    pub(crate) fn files_opened(&self) -> BTreeSet<PathBuf> {
        self.traces
            .values()
            .flat_map(|trace| trace.opened.iter().cloned())
            .collect()
    }

    pub(crate) fn print(&self) {
        println!(
            "How many times as fast as the others wgq is; medians. The floor is ip -batch, wg setconf and nft -f, with all decided before.\n"
        );
        println!("                      wg-quick         floor            runs");
        println!("                      up     down      up     down      wg-quick  wgq and floor");
        for name in self.names() {
            let ratio = |tool, way| self.median(name, tool, way) / self.median(name, WGQ, way);
            println!(
                "{name:20}{:6.1}   {:6.1}  {:6.2}   {:6.2}      {:8}  {:13}",
                ratio(0, Way::Up),
                ratio(0, Way::Down),
                ratio(2, Way::Up),
                ratio(2, Way::Down),
                self.samples[&(name, 0, Way::Up)].len(),
                self.samples[&(name, WGQ, Way::Up)].len(),
            );
        }
        println!("\nHow much of the time is waiting, for the kernel's grace periods, in %\n");
        println!("                           wg-quick     wgq   floor");
        self.rows(|name, way| [0, 1, 2].map(|tool| waiting(&self.samples[&(name, tool, way)])));
        println!(
            "\nWhat of wgq's own time is the start of the program, looking and planning, doing it, waiting, in %\n"
        );
        println!("                             start    plan      do    wait");
        self.rows(|name, way| self.parts(name, way));
        println!("\nSystem calls, in processes, with commits of nftables\n");
        for ((name, tool, way), trace) in &self.traces {
            println!(
                "{name:20}{:6}{:10}{:8}{:6}{:6}",
                way.verb(),
                TOOLS[*tool],
                trace.system_calls,
                trace.processes,
                trace.nft_commits
            );
        }
    }

    /// What a run of wgq consists of, in % of it.
    fn parts(&self, name: &'static str, way: Way) -> [f64; 4] {
        let whole: Sample = self.samples[&(name, WGQ, way)].iter().copied().sum();
        let [start, planned] = self.parts[&(name, way)].map(|sample| sample.work);
        let rounds = self.samples[&(name, WGQ, way)].len() as f64;
        let (wall, work) = (whole.wall / rounds, whole.work / rounds);
        [start, planned - start, work - planned, wall - work]
            .map(|part| 100.0 * part.max(0.0) / wall)
    }

    /// The cases that were measured, in order.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let names = CASES.iter().map(|case| case.name);
        names.filter(|name| self.samples.contains_key(&(*name, WGQ, Way::Up)))
    }

    /// Prints a row of figures for each case and way.
    fn rows<const N: usize>(&self, figures: impl Fn(&'static str, Way) -> [f64; N]) {
        for name in self.names() {
            for way in Way::BOTH {
                let figures = figures(name, way).map(|figure| format!("{figure:8.0}"));
                println!("{name:20}{:6}{}", way.verb(), figures.concat());
            }
        }
    }

    fn median(&self, name: &'static str, tool: usize, way: Way) -> f64 {
        let samples = &self.samples[&(name, tool, way)];
        let mut walls: Vec<f64> = samples.iter().map(|sample| sample.wall).collect();
        walls.sort_by(f64::total_cmp);
        walls[walls.len() / 2]
    }
}

/// Returns how much of the time is waiting, in %.
fn waiting(samples: &[Sample]) -> f64 {
    let all: Sample = samples.iter().copied().sum();
    100.0 * (1.0 - all.work / all.wall).max(0.0)
}
