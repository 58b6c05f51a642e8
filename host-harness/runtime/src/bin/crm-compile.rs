//! Compiles a component under limits, for a host whose own program cannot: `HostBuilder::compiler("crm-compile")`.

use std::process::ExitCode;

fn main() -> ExitCode {
    crm_host::run_as_compiler().unwrap_or_else(|| {
        eprintln!("error: a host starts this program, see `crm_host::HostBuilder::compiler`; it does nothing alone");
        ExitCode::from(2)
    })
}
