//! What crosses the component's boundary, as it lies in memory: the canonical ABI of the component model.
//!
//! `wit-bindgen` writes the code that reads and writes a type into every export anew, a sixth of the component. Here each type
//! has it once, derived from the types that `wit-bindgen` generates.
//! <https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>

use alloc::{string::String, vec, vec::Vec};
pub use canonical_derive::Canonical;

/// A type of the contract.
///
/// Lists and strings are pairs of an address and a length, of 32 bits each: only WebAssembly's memory can hold them.
pub trait Canonical: Sized {
    /// How much room a value takes.
    const LAYOUT: Layout;

    /// Takes the value that lies there. What it points to becomes its own.
    ///
    /// # Safety
    /// A valid value of this type lies there, and is taken once.
    unsafe fn lift(at: *const u8) -> Self;

    /// Puts the value there, for good: the memory of a call is given back as a whole.
    ///
    /// # Safety
    /// The layout's room is there.
    unsafe fn lower(self, to: *mut u8);
}

/// Size and alignment in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// A multiple of the alignment.
    pub size: usize,
    /// A power of two.
    pub align: usize,
}

impl Layout {
    const ADDRESS: Self = Self::of(4);
    const PAIR: Self = Self::record(&[Self::ADDRESS, Self::ADDRESS]);

    const fn of(size: usize) -> Self {
        Self { size, align: size }
    }

    /// The layout of fields that follow each other.
    pub const fn record(mut fields: &[Self]) -> Self {
        let (mut size, mut align) = (0, 1);
        while let [field, rest @ ..] = fields {
            size = usize::next_multiple_of(size, field.align) + field.size;
            align = if field.align > align { field.align } else { align };
            fields = rest;
        }
        Self { size: size.next_multiple_of(align), align }
    }

    /// Where each of such fields lies.
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where a wrong index is an error")]
    pub const fn offsets<const COUNT: usize>(fields: [Self; COUNT]) -> [usize; COUNT] {
        let (mut offsets, mut end, mut number) = ([0; COUNT], 0, 0);
        while number < COUNT {
            offsets[number] = usize::next_multiple_of(end, fields[number].align);
            end = offsets[number] + fields[number].size;
            number += 1;
        }
        offsets
    }

    /// The layout of one of several values, behind the number that says which.
    pub const fn variant(payloads: &[Self]) -> Self {
        Self::record(&[Self::of(1), Self::widest(payloads)])
    }

    /// Where the value of such a variant lies.
    pub const fn payload(payloads: &[Self]) -> usize {
        Self::widest(payloads).align
    }

    const fn widest(mut payloads: &[Self]) -> Self {
        let mut widest = Self { size: 0, align: 1 };
        while let [payload, rest @ ..] = payloads {
            widest.size = if payload.size > widest.size { payload.size } else { widest.size };
            widest.align = if payload.align > widest.align { payload.align } else { widest.align };
            payloads = rest;
        }
        widest
    }
}

/// Ends the call: memory holds a value that its type does not have.
#[cold]
pub fn invalid() -> ! {
    unreachable!("a host gives only cases that the contract has")
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Canonical for $number {
            const LAYOUT: Layout = Layout::of(size_of::<Self>());

            #[inline(always)]
            unsafe fn lift(at: *const u8) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { at.cast::<Self>().read() }
            }

            #[inline(always)]
            unsafe fn lower(self, to: *mut u8) {
                // SAFETY: by the trait's contract.
                unsafe { to.cast::<Self>().write(self) }
            }
        }
    )*};
}

number!(u8, u16, u32, u64);

impl Canonical for bool {
    const LAYOUT: Layout = Layout::of(1);

    #[inline(always)]
    unsafe fn lift(at: *const u8) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { at.read() != 0 }
    }

    #[inline(always)]
    unsafe fn lower(self, to: *mut u8) {
        // SAFETY: by the trait's contract.
        unsafe { to.write(self.into()) }
    }
}

/// Takes a text.
///
/// # Safety
/// UTF-8 of that length lies there, in memory that this component's allocator gave, or the length is 0.
pub unsafe fn text(address: *mut u8, length: usize) -> String {
    match length {
        0 => String::new(),
        // SAFETY: as above.
        _ => unsafe { String::from_raw_parts(address, length, length) },
    }
}

/// Takes a list.
///
/// # Safety
/// So many items lie there.
pub unsafe fn list<T: Canonical>(mut address: *const u8, length: usize) -> Vec<T> {
    let mut items = Vec::with_capacity(length);
    for _ in 0..length {
        // SAFETY: items follow each other, each in its layout's room.
        unsafe {
            items.push(T::lift(address));
            address = address.add(T::LAYOUT.size);
        }
    }
    items
}

/// Reads the address and the length of a list.
///
/// # Safety
/// A list lies there.
unsafe fn pair(at: *const u8) -> (*mut u8, usize) {
    // SAFETY: a list is an address and a length.
    let (address, length) = unsafe { (u32::lift(at), u32::lift(at.add(4))) };
    (address as usize as *mut u8, length as usize)
}

/// Writes the address and the length of a list. Both have 32 bits in WebAssembly.
///
/// # Safety
/// There is room for a list.
unsafe fn put_pair(address: *const u8, length: usize, to: *mut u8) {
    // SAFETY: a list is an address and a length.
    unsafe {
        (address as usize as u32).lower(to);
        (length as u32).lower(to.add(4));
    }
}

impl Canonical for String {
    const LAYOUT: Layout = Layout::PAIR;

    #[inline(never)]
    unsafe fn lift(at: *const u8) -> Self {
        // SAFETY: by the trait's contract.
        unsafe {
            let (address, length) = pair(at);
            text(address, length)
        }
    }

    #[inline(always)]
    unsafe fn lower(self, to: *mut u8) {
        let text = self.leak();
        // SAFETY: by the trait's contract.
        unsafe { put_pair(text.as_ptr(), text.len(), to) }
    }
}

impl<T: Canonical> Canonical for Vec<T> {
    const LAYOUT: Layout = Layout::PAIR;

    #[inline(never)]
    unsafe fn lift(at: *const u8) -> Self {
        // SAFETY: by the trait's contract.
        unsafe {
            let (address, length) = pair(at);
            list(address, length)
        }
    }

    #[inline(never)]
    unsafe fn lower(self, to: *mut u8) {
        let length = self.len();
        let room = vec![Room(0); (length * T::LAYOUT.size).div_ceil(size_of::<Room>())].leak();
        let mut address = room.as_mut_ptr().cast::<u8>();
        // SAFETY: there is room for so many items, aligned as any needs it.
        unsafe {
            put_pair(address, length, to);
            for item in self {
                item.lower(address);
                address = address.add(T::LAYOUT.size);
            }
        }
    }
}

impl<T: Canonical> Canonical for Option<T> {
    const LAYOUT: Layout = Layout::variant(&[T::LAYOUT]);

    #[inline(never)]
    unsafe fn lift(at: *const u8) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { bool::lift(at).then(|| T::lift(at.add(Layout::payload(&[T::LAYOUT])))) }
    }

    #[inline(never)]
    unsafe fn lower(self, to: *mut u8) {
        // SAFETY: by the trait's contract.
        unsafe {
            self.is_some().lower(to);
            if let Some(value) = self {
                value.lower(to.add(Layout::payload(&[T::LAYOUT])));
            }
        }
    }
}

impl<T: Canonical, E: Canonical> Canonical for Result<T, E> {
    const LAYOUT: Layout = Layout::variant(&[T::LAYOUT, E::LAYOUT]);

    unsafe fn lift(at: *const u8) -> Self {
        // SAFETY: by the trait's contract.
        unsafe {
            let payload = at.add(Layout::payload(&[T::LAYOUT, E::LAYOUT]));
            if bool::lift(at) { Err(E::lift(payload)) } else { Ok(T::lift(payload)) }
        }
    }

    unsafe fn lower(self, to: *mut u8) {
        // SAFETY: by the trait's contract.
        unsafe {
            self.is_err().lower(to);
            let payload = to.add(Layout::payload(&[T::LAYOUT, E::LAYOUT]));
            match self {
                Ok(value) => value.lower(payload),
                Err(error) => error.lower(payload),
            }
        }
    }
}

/// Memory for what is returned, aligned for every type.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Room(u64);

/// Puts what an export returns into memory, and gives its address.
pub fn returned<T: Canonical>(value: T) -> *const u8 {
    let room = vec![Room(0); T::LAYOUT.size.div_ceil(size_of::<Room>())].leak();
    let address = room.as_mut_ptr().cast::<u8>();
    // SAFETY: the room is as large as the layout.
    unsafe { value.lower(address) };
    address
}
