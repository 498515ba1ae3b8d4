//! One file per command; what a command does lives below, here are only arguments and output.

/// Parses the arguments and runs the command they name. Exit codes: 0 done, 1 failed, 2 wrong usage.
pub fn run() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
