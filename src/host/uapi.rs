//! stub
use crate::apply::Failure;
use crate::net::Ifname;
use crate::state::Device;
use crate::step::Step;
pub fn get(_: Ifname) -> anyhow::Result<Option<Device>> {
    Ok(None)
}
pub fn execute(_: &[Step]) -> Vec<Failure> {
    Vec::new()
}
