//! Linear memories whose contents a test sees, when a call ends and its memory is dropped.
//!
//! Pooled memory is cleared and used again, and nobody learns when. So these are allocated for one call each.

#![expect(unsafe_code, reason = "wasmtime takes memory of others only by an unsafe trait, and mapped pages are raw")]

use std::{ptr, slice, sync::Arc};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use wasmtime::{Config, Error, LinearMemory, MemoryCreator, MemoryType};

/// Sees all bytes that a memory ever had: a linear memory never shrinks.
pub(crate) type Inspect = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Lets `inspect` see each memory of an engine.
pub(crate) fn inspecting(mut config: Config, inspect: Inspect) -> Config {
    // Pages that are copied on write can be mapped into wasmtime's own memory only.
    config.memory_init_cow(false).with_host_memory(Arc::new(Creator(inspect)));
    config
}

struct Creator(Inspect);

// SAFETY: each memory is a mapping of its own. It is as large as asked for, full of zeros, and followed by the guard; only its
// first bytes can be read and written.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let capacity = reserved.unwrap_or_default().max(minimum);
        let mapped = capacity.checked_add(guard).ok_or("too much memory")?;
        // SAFETY: a new mapping overlaps no other.
        let pages = unsafe {
            mmap_anonymous(ptr::null_mut(), mapped, ProtFlags::empty(), MapFlags::PRIVATE | MapFlags::NORESERVE)
        };
        let base = pages.map_err(|error| error.to_string())?.cast();
        let mut memory = Memory { base, size: 0, capacity, mapped, inspect: self.0.clone() };
        memory.grow_to(minimum).map_err(|error| error.to_string())?;
        Ok(Box::new(memory))
    }
}

struct Memory {
    base: *mut u8,
    /// What can be read and written; the rest is reserved.
    size: usize,
    capacity: usize,
    mapped: usize,
    inspect: Inspect,
}

// SAFETY: the pages belong to this value alone, and change only through what wasmtime does with them.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

// SAFETY: the base never moves, `size` bytes from it on are accessible, and what follows up to the end of the guard is not.
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        self.capacity
    }

    fn grow_to(&mut self, size: usize) -> Result<(), Error> {
        if size > self.capacity {
            return Err(Error::msg("the memory's reservation is used up"));
        }
        if let Some(more @ 1..) = size.checked_sub(self.size) {
            // SAFETY: the range begins after what is accessible, and ends before the guard.
            unsafe { mprotect(self.base.add(self.size).cast(), more, MprotectFlags::READ | MprotectFlags::WRITE) }?;
        }
        self.size = size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.base
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: these bytes are accessible, and whoever could write them is gone.
        (self.inspect)(unsafe { slice::from_raw_parts(self.base, self.size) });
        // SAFETY: nothing refers to the mapping any more. It stays if this fails, which is harmless.
        let _ = unsafe { munmap(self.base.cast(), self.mapped) };
    }
}
