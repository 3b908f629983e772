//! Steps as they are shown before they are taken: one a line, or as JSON.

use anyhow::Context as _;
use serde::Serialize;

use super::load;
use crate::error::Error;
use crate::host::netns;
use crate::net::Ifname;
use crate::step::{Inside, Step};

/// The version of the form: another one when something in it is no more what it was.
const VERSION: u32 = 1;

/// Steps to be shown. As JSON: `{"version": 1, "ifname": "wg0", "steps": [{"action": ..., "command": ...}]}`.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    version: u32,
    ifname: String,
    steps: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    /// What kind of step it is: `add-route`.
    action: &'static str,
    /// An equivalent command, without keys.
    command: String,
    /// The table, in the form of `nft -j`.
    #[serde(skip_serializing_if = "Option::is_none")]
    nftables: Option<serde_json::Value>,
}

impl Shown {
    pub(super) fn new(ifname: Ifname) -> Self {
        Self {
            version: VERSION,
            ifname: ifname.to_string(),
            steps: Vec::new(),
        }
    }

    pub(super) fn steps(mut self, steps: &[Step]) -> Self {
        self.steps.extend(steps.iter().map(line));
        self
    }

    pub(super) fn command(mut self, action: &'static str, command: String) -> Self {
        self.steps.push(Line {
            action,
            command,
            nftables: None,
        });
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Prints them.
    pub(super) fn print(&self, json: bool) -> Result<(), Error> {
        let text = if json {
            serde_json::to_string_pretty(self).context("JSON")? + "\n"
        } else {
            let lines = self.steps.iter().map(|line| format!("{}\n", line.command));
            lines.collect()
        };
        Ok(load::print(&text)?)
    }
}

fn line(step: &Step) -> Line {
    let nftables = if let Step::SetNftTable {
        to: Some(table), ..
    } = step
    {
        serde_json::to_value(table.to_commands()).ok()
    } else {
        None
    };
    Line {
        action: step.action(),
        command: Inside::new(step, netns::entered()).to_string(),
        nftables,
    }
}
