//! The `wgq` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let result = match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["userspace", ifname] => ifname
            .parse()
            .map_err(anyhow::Error::from)
            .and_then(wgq::host::userspace::serve),
        _ => Err(anyhow::anyhow!("usage: wgq userspace IFNAME")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one place that prints errors")]
            {
                eprintln!("wgq: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
