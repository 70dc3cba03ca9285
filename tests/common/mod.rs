//! What the integration tests share: the GPU adapters of this machine.

use std::io::Write as _;

use convscope::backend::Backend;
use convscope::backend::gpu::Gpu;

/// Every Vulkan adapter of this machine, each with its own device. Without one the caller has
/// nothing to check and says so; where `CONVSCOPE_REQUIRE_GPU=1` that is a failure.
pub(crate) fn adapters() -> Vec<Gpu> {
    let names = pollster::block_on(Gpu::names());
    if names.is_empty() {
        assert!(
            std::env::var("CONVSCOPE_REQUIRE_GPU").as_deref() != Ok("1"),
            "CONVSCOPE_REQUIRE_GPU=1, but there is no Vulkan adapter"
        );
        // Past the test harness, which shows nothing of a test that passes.
        let line = "SKIPPED: no Vulkan adapter here; install mesa-vulkan-drivers for lavapipe";
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    let open = |name: &String| {
        pollster::block_on(Gpu::new(Some(name))).expect("an adapter that was just listed opens")
    };
    let opened: Vec<Gpu> = names.iter().map(open).collect();
    for gpu in &opened {
        eprintln!("adapter: {}", gpu.adapter().name);
    }
    opened
}
