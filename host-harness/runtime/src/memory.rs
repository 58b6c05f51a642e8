//! Limits a plugin's memory.

use wasmtime::ResourceLimiter;

/// Tables of a plugin in total; a component of this contract needs two or three.
const MAX_TABLES: usize = 16;
/// Elements of one table, enough for a plugin with a few thousand functions.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 10_000;
/// Linear memories of a plugin in total.
const MAX_MEMORIES: usize = 4;
/// Core instances of a component: the module, its adapter and the shims of the encoder.
const MAX_INSTANCES: usize = 16;

/// Counts linear memory across all memories of a store, because wasmtime's own limits apply to each memory separately.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit: usize,
    used: usize,
    /// High-water mark.
    pub(crate) peak: usize,
    /// Growth was refused, so the next trap is a consequence of that.
    pub(crate) refused: bool,
}

impl MemoryLimiter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: 0, peak: 0, refused: false }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.used.saturating_add(desired.saturating_sub(current));
        if after > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
            self.refused = true;
            return Ok(false);
        }
        self.used = after;
        self.peak = self.peak.max(after);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_applies_to_all_memories_together() {
        let mut limiter = MemoryLimiter::new(3 * 65_536);
        assert!(limiter.memory_growing(0, 2 * 65_536, None).unwrap());
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(!limiter.memory_growing(65_536, 2 * 65_536, None).unwrap());
        assert!(limiter.refused);
        assert_eq!(limiter.peak, 3 * 65_536);
    }
}
