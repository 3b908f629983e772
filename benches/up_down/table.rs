//! What came of it, as tables.

use std::collections::BTreeMap;

use crate::case::{CASES, Prepared};
use crate::measure::Sample;
use crate::tool::Tool;
use crate::trace::Trace;

const TOOLS: [&str; 3] = ["wg-quick", "wgq", "floor"];
const WAYS: [&str; 2] = ["up", "down"];

/// All runs, by the case's name, the tool and the way.
#[derive(Default)]
pub(crate) struct Results {
    samples: BTreeMap<(&'static str, usize, usize), Vec<Sample>>,
    traces: BTreeMap<(&'static str, usize, usize), Trace>,
}

impl Results {
    pub(crate) fn add(&mut self, case: &Prepared, tool: &Tool, ways: [Sample; 2]) {
        for (way, sample) in ways.into_iter().enumerate() {
            let key = (case.case.name, tool.index(), way);
            self.samples.entry(key).or_default().push(sample);
        }
    }

    pub(crate) fn add_traces(&mut self, case: &Prepared, tool: &Tool, ways: [Trace; 2]) {
        for (way, trace) in ways.into_iter().enumerate() {
            self.traces.insert((case.case.name, tool.index(), way), trace);
        }
    }

    pub(crate) fn print(&self) {
        println!("How many times as fast as the others wgq is; medians. The floor is ip -batch, wg setconf and nft -f.\n");
        println!("                      wg-quick         floor            runs");
        println!("                      up     down      up     down      wg-quick  wgq and floor");
        for name in CASES.map(|case| case.name) {
            let ratio = |tool, way| self.median(name, tool, way) / self.median(name, 1, way);
            println!(
                "{name:20}{:6.1}   {:6.1}  {:6.2}   {:6.2}      {:8}  {:13}",
                ratio(0, 0),
                ratio(0, 1),
                ratio(2, 0),
                ratio(2, 1),
                self.samples[&(name, 0, 0)].len(),
                self.samples[&(name, 1, 0)].len(),
            );
        }
        println!("\nWhere the time goes: in the programs, in the kernel at work, waiting (for grace periods of RCU), in %\n");
        println!("                            wg-quick           wgq                floor");
        for name in CASES.map(|case| case.name) {
            for (way, verb) in WAYS.into_iter().enumerate() {
                let shares = [0, 1, 2].map(|tool| shares(&self.samples[&(name, tool, way)]));
                println!("{name:20}{verb:6}  {}", shares.join("  "));
            }
        }
        println!("\nSystem calls, in processes, with commits of nftables\n");
        for ((name, tool, way), trace) in &self.traces {
            println!(
                "{name:20}{:6}{:10}{:8}{:6}{:6}",
                WAYS[*way], TOOLS[*tool], trace.system_calls, trace.processes, trace.nft_commits
            );
        }
    }

    fn median(&self, name: &'static str, tool: usize, way: usize) -> f64 {
        let samples = &self.samples[&(name, tool, way)];
        let mut walls: Vec<f64> = samples.iter().map(|sample| sample.wall).collect();
        walls.sort_by(f64::total_cmp);
        walls[walls.len() / 2]
    }
}

fn shares(samples: &[Sample]) -> String {
    let all: Sample = samples.iter().copied().sum();
    let of_wall = |seconds: f64| 100.0 * seconds / all.wall;
    let (user, system) = (of_wall(all.user), of_wall(all.system));
    let waiting = (100.0 - user - system).max(0.0);
    format!("{user:4.0} {system:4.0} {waiting:4.0}   ")
}
