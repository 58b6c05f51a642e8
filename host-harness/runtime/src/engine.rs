//! The WebAssembly engine: its features, pooled memory, and the epochs that stop a plugin.

use std::{thread, time::Duration};

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{
    inspect,
    memory::MAX_TABLE_ELEMENTS,
    turns::{Shares, Turns},
};

/// Time between epochs. A plugin that computes for too long is stopped at most this late.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// The most linear memory that any plugin may ask for.
pub(crate) const MAX_MEMORY_BYTES: usize = 64 << 20;
/// Bytes that one host call may make the host allocate: a request, or an answer with several hundred fields.
pub(crate) const HOST_CALL_BYTES: usize = 8 << 20;

/// Memory that stays resident after a call, so that a fresh instance clears it instead of faulting it in page by page. A
/// booking touches a few pages; a describe result of 842 fields needs less than this.
const KEEP_RESIDENT: usize = 4 << 20;
/// The host's stack for wasmtime's frames of a plugin, whose own stack is in its memory.
const MAX_WASM_STACK: usize = 256 << 10;
const ASYNC_STACK: usize = 1 << 20;

pub(crate) struct Engine {
    pub(crate) wasm: wasmtime::Engine,
    pub(crate) turns: Turns,
    pub(crate) counts_fuel: bool,
    pub(crate) pooled: bool,
}

impl Engine {
    /// Makes an engine with pooled memory if the machine has the address space for it, else one that allocates on demand.
    pub(crate) fn new(shares: Shares, counts_fuel: bool) -> wasmtime::Result<Self> {
        let (wasm, is_pooled) = match wasmtime::Engine::new(&pooling(config(counts_fuel), shares.calls)) {
            Ok(engine) => (engine, true),
            Err(error) => {
                tracing::warn!(%error, "no pooled memory on this machine; plugin memory is allocated on demand");
                (wasmtime::Engine::new(&config(counts_fuel))?, false)
            }
        };
        Self::of(wasm, is_pooled, shares, counts_fuel)
    }

    /// Makes an engine each of whose memories is seen when it is dropped. They are not pooled.
    #[cfg(feature = "inspect-memory")]
    pub(crate) fn inspecting(
        shares: Shares,
        counts_fuel: bool,
        inspect: crate::inspected::Inspect,
    ) -> wasmtime::Result<Self> {
        let config = crate::inspected::inspecting(config(counts_fuel), inspect);
        Self::of(wasmtime::Engine::new(&config)?, false, shares, counts_fuel)
    }

    fn of(wasm: wasmtime::Engine, is_pooled: bool, shares: Shares, counts_fuel: bool) -> wasmtime::Result<Self> {
        start_ticking(&wasm)?;
        // An exhausted pool returns an error; turns make calls wait instead.
        Ok(Self { wasm, turns: Turns::new(shares), counts_fuel, pooled: is_pooled })
    }
}

/// An engine that only compiles, for [`Engine`]s that count fuel or do not. It uses one thread, so that limits of its process
/// mean the same on each machine.
pub(crate) fn compiling(counts_fuel: bool) -> wasmtime::Result<wasmtime::Engine> {
    wasmtime::Engine::new(config(counts_fuel).parallel_compilation(false))
}

fn config(counts_fuel: bool) -> Config {
    let mut config = Config::new();
    config.wasm_features(wasmtime::WasmFeatures::all(), false);
    for feature in inspect::features().iter_names().map(|(name, _)| name) {
        if let Some(flag) = wasmtime::WasmFeatures::from_name(feature) {
            config.wasm_features(flag, true);
        }
    }
    config
        // Plain `func` only, so the machinery of the async ABI stays off.
        .concurrency_support(false)
        .epoch_interruption(true)
        .consume_fuel(counts_fuel)
        // Code depends on these, and must not depend on how memory is allocated.
        .memory_reservation(MAX_MEMORY_BYTES as u64)
        .memory_guard_size(64 << 10)
        .max_wasm_stack(MAX_WASM_STACK)
        .async_stack_size(ASYNC_STACK)
        // Registering unwind information is quadratic on some systems, and nothing here unwinds through plugins.
        .native_unwind_info(false);
    config
}

fn pooling(mut config: Config, calls: u32) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(4))
        .total_memories(calls)
        .total_tables(calls.saturating_mul(4))
        .total_stacks(calls)
        .max_core_instances_per_component(8)
        .max_memories_per_component(1)
        .max_tables_per_component(4)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_memory_size(MAX_MEMORY_BYTES)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10);
    #[cfg(target_os = "linux")]
    pool.pagemap_scan(wasmtime::Enabled::Auto);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Increments the epoch as long as the engine exists.
fn start_ticking(engine: &wasmtime::Engine) -> wasmtime::Result<()> {
    let engine = engine.weak();
    thread::Builder::new().name("plugin-epochs".into()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    })?;
    Ok(())
}
