//! What becomes of the kernel variables that a tunnel changed.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use super::firewalls;
use super::observe::Found;
use super::record::Record;
use crate::foreign::Passage;
use crate::state::Sysctl;

impl Record {
    /// Decides on the kernel variables when this tunnel goes: those that it changed and that are still as it set them are
    /// put back, unless somebody else needs them.
    pub fn sysctls_to_restore(&self, now: &Found) -> Restored {
        let mut restored = Restored::default();
        let passage = LazyCell::new(|| {
            let native = now.firewalls.as_ref()?;
            Some(Passage::through(
                &[&native[..], &firewalls::legacy()].concat(),
            ))
        });
        for (sysctl, needed) in &self.sysctls {
            let as_set = now.state.sysctls.get(sysctl) == Some(&needed.value);
            let Some(before) = needed.before.as_ref().filter(|_| as_set) else {
                continue;
            };
            let others_need = now.need(sysctl).or_else(|| {
                let grown = |now: &Passage| now.has_grown_since(&needed.passage);
                match passage.as_ref().map(grown) {
                    _ if !sysctl.is_forwarding() => None,
                    Some(false) => None,
                    Some(true) => Some(
                        "other rules by which packets are passed on have come since".to_owned(),
                    ),
                    None => {
                        Some("other programs' tables cannot be read, and may need it".to_owned())
                    }
                }
            });
            match others_need {
                Some(why) => {
                    let stays = format!("{} stays {}: {why}", sysctl.0, needed.value);
                    restored.kept.push((sysctl.clone(), stays));
                }
                None => drop(restored.values.insert(sysctl.clone(), before.clone())),
            }
        }
        let ipv6 = &Sysctl::IPV6_FORWARDING;
        let forwards = now.state.sysctls.get(ipv6).is_some_and(|it| it != "0");
        if forwards && !restored.values.contains_key(ipv6) {
            // a host that forwards on would lose its routes
            restored.values.retain(|sysctl, _| !sysctl.is_accept_ra());
        }
        restored
    }
}

impl Found {
    /// Says which other tunnel needs a variable, if there is one. That of another program leaves no record with us.
    fn need(&self, sysctl: &Sysctl) -> Option<String> {
        let mut ours = self.others.iter();
        if let Some((other, _)) = ours.find(|(_, other)| other.sysctls.contains_key(sysctl)) {
            return Some(format!("{other} needs it"));
        }
        let is_needed = *sysctl == Sysctl::SRC_VALID_MARK && self.has_foreign_full_tunnel();
        is_needed.then(|| "another full tunnel needs it".to_owned())
    }
}

/// What becomes of the kernel variables that a tunnel changed.
#[derive(Debug, Default)]
pub struct Restored {
    /// Those to put back, with their values.
    pub values: BTreeMap<Sysctl, String>,
    /// Sentences on those that stay as they are, as others need them.
    pub kept: Vec<(Sysctl, String)>,
}
