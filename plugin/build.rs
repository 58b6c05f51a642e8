//! Link arguments of the component.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The stack lies in linear memory, and every call pays for what is there: 64 KiB are plenty, where Rust takes 1 MiB.
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=65536");
        // Room for a whole booking, so that no call pays for growing the memory.
        println!("cargo::rustc-link-arg-cdylib=--initial-heap=131072");
    }
}
