//! Link options of the program: one copy of functions that compiled to the same code, and no debug tables in the file.
//!
//! The engine is generic code many times over; folding makes the program, and what of it lies in memory, smaller.

fn main() {
    let is = |key: &str, value: &str| std::env::var(key).is_ok_and(|v| v == value);
    // rust-lld, which knows the option, is the compiler's own linker here and only here.
    if is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_OS", "linux") && is("PROFILE", "release") {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        println!("cargo::rustc-link-arg-bins=-Wl,--strip-debug");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
