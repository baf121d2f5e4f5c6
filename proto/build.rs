//! Makes Rust of the wire's messages, without any tool that must be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=flowetl");
    let files = ["flowetl/v1/coordinator.proto", "flowetl/v1/executor.proto"];
    let set = protox::compile(files, ["."])?;
    tonic_prost_build::configure().build_transport(true).compile_fds(set)?;
    Ok(())
}
