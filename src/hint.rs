//! What the user can do about a step that failed, where the code knows.

use crate::state::LinkKind;
use crate::step::Step;

/// Linux's numbers, the same on every architecture that wgq runs on.
const EPERM: i32 = 1;
const EEXIST: i32 = 17;
const EROFS: i32 = 30;
const EADDRINUSE: i32 = 98;
const EOPNOTSUPP: i32 = 95;

/// Returns an action for a step that failed with the errno, if one is known.
pub(crate) fn for_step(step: &Step, errno: Option<i32>) -> Option<String> {
    let hint = match (step, errno?) {
        (Step::AddLink { kind: LinkKind::Kernel, .. }, EOPNOTSUPP) => {
            "this kernel has no WireGuard; `modprobe wireguard` loads it where it is built as a module, \
             and --userspace does without"
                .to_owned()
        }
        (Step::AddLink { ifname, .. }, EEXIST) => {
            format!("`wgq down {ifname}` takes down what is there")
        }
        (Step::SetDevice { to, .. }, EADDRINUSE) => {
            let port = to.listen_port?;
            format!("`ss -ulpn sport = {port}` shows who has UDP port {port}; ListenPort chooses another")
        }
        (Step::AddRoute { route, .. }, EEXIST) => format!(
            "`ip {} route show {} table {}` shows who has this route; Metric or Table lets both be",
            route.prefix.family(),
            route.prefix,
            route.table
        ),
        (Step::SetSysctl { sysctl, to, .. }, EROFS) => format!(
            "/proc/sys cannot be written here; set {}={to} on the host, or with `docker run --sysctl`",
            sysctl.0
        ),
        (_, EPERM) => "this needs CAP_NET_ADMIN; in a container, `--cap-add NET_ADMIN`".to_owned(),
        _ => return None,
    };
    Some(hint)
}
