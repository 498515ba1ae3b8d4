//! The program's door: hands the command line to `cli` and its exit code back to the shell.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cityquery::cli::run()
}
