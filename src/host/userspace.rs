//! stub
use crate::net::Ifname;
pub fn start(_: Ifname, _: Option<&str>) -> anyhow::Result<()> {
    Ok(())
}
pub fn stop(_: Ifname) -> anyhow::Result<()> {
    Ok(())
}
pub fn serve(_: Ifname) -> anyhow::Result<()> {
    Ok(())
}
pub fn is_running(_: Ifname) -> bool {
    false
}
