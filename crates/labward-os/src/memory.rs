//! Memory for keys: never swapped, never in a core dump, never in a child, wiped when dropped.
//!
//! It guards invariant 4's other half: a key that must not lie with the data must not reach the
//! data's disk through swap or a dump either.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::slice;

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};
use zeroize::Zeroize;

use crate::error::OsError;

/// A value in memory pages of its own that are locked and left out of core dumps.
///
/// Only the value itself is protected, not what it points to: it must hold its secret inline, as
/// a byte array does and a `Vec` does not. The copy that was moved in is the caller's to wipe;
/// [`Locked::copy_from`] does it for byte arrays.
///
/// ```compile_fail,E0277
/// let key = labward_os::LockedKey::new([7; 32]).unwrap();
/// println!("{key:?}"); // no Debug
/// ```
pub struct Locked<T> {
    value: NonNull<T>,
}

/// A 32-byte key in locked memory.
pub type LockedKey = Locked<[u8; 32]>;

impl<T> Locked<T> {
    /// A mapping is never empty, so a value without bytes gets one.
    const BYTES: usize = if size_of::<T>() == 0 {
        1
    } else {
        size_of::<T>()
    };

    /// Moves `value` into locked memory.
    ///
    /// # Errors
    /// [`OsError`] if the system gives no pages or may not lock them (`ulimit -l`); `value` is
    /// dropped then.
    pub fn new(value: T) -> Result<Self, OsError> {
        // The smallest page of any Linux is 4 KiB, and mappings start on pages.
        const { assert!(align_of::<T>() <= 4096) };
        let page = Page::map(Self::BYTES)?;
        let place = page.address.cast::<T>();
        // SAFETY: the page is ours alone, writable, as long as a T and aligned for it.
        unsafe { place.write(value) };
        // From here on the value's drop unmaps the page.
        std::mem::forget(page);
        Ok(Self { value: place })
    }
}

impl<const N: usize> Locked<[u8; N]> {
    /// Copies `bytes` into locked memory and wipes them where they were, locked or not.
    ///
    /// # Errors
    /// As [`Locked::new`].
    pub fn copy_from(bytes: &mut [u8; N]) -> Result<Self, OsError> {
        let locked = Self::new(*bytes);
        bytes.zeroize();
        locked
    }
}

impl<T> Deref for Locked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `new` put a T there, nobody else holds the page, and it lives as long as `self`.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        let page = Page {
            address: self.value.cast(),
            bytes: Self::BYTES,
        };
        // SAFETY: the value is a T, is dropped only here, and nobody can borrow it any more.
        unsafe { ptr::drop_in_place(self.value.as_ptr()) };
        drop(page);
    }
}

// SAFETY: a `Locked<T>` owns its T as a `Box<T>` does; the page belongs to the whole process.
unsafe impl<T: Send> Send for Locked<T> {}
// SAFETY: as above; `&Locked<T>` gives nothing but `&T`.
unsafe impl<T: Sync> Sync for Locked<T> {}

/// An anonymous private mapping, wiped and unmapped when dropped.
struct Page {
    address: NonNull<u8>,
    bytes: usize,
}

impl Page {
    fn map(bytes: usize) -> Result<Self, OsError> {
        let refused =
            |what| move |source: rustix::io::Errno| OsError::new(what, "for a key", source);
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: the system chooses the address, so no existing mapping is touched.
        let address = unsafe { mmap_anonymous(ptr::null_mut(), bytes, prot, flags) }
            .map_err(refused("map memory"))?;
        let address = NonNull::new(address.cast::<u8>())
            .ok_or_else(|| refused("map memory")(rustix::io::Errno::NOMEM))?;
        let page = Self { address, bytes };
        let start = page.address.as_ptr().cast();
        // SAFETY: the range is the mapping just made, and locking changes no byte of it.
        unsafe { mlock(start, bytes) }.map_err(refused("lock memory"))?;
        // SAFETY: as above; the advice concerns dumps alone.
        unsafe { madvise(start, bytes, Advice::LinuxDontDump) }
            .map_err(refused("keep memory out of core dumps"))?;
        // SAFETY: as above; a child that touched the range would fault instead of reading a key.
        unsafe { madvise(start, bytes, Advice::LinuxDontFork) }
            .map_err(refused("keep memory out of children"))?;
        Ok(page)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let start = self.address.as_ptr();
        // SAFETY: the mapping is ours, writable and this long, and bytes of any kind may stand in
        // a `MaybeUninit`.
        let rest =
            unsafe { slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), self.bytes) };
        rest.zeroize();
        // SAFETY: nobody holds a reference into the mapping any more. Unmapping unlocks it; that
        // it could fail leaves nothing to do, the bytes are wiped.
        let _ = unsafe { munmap(start.cast(), self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The `VmFlags` of the mapping that holds `address`, as the kernel tells them.
    fn flags_of<T>(locked: &Locked<T>) -> String {
        let address = locked.value.as_ptr() as usize;
        let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in smaps.lines() {
            if let Some((start, end)) = range_of(line) {
                inside = (start..end).contains(&address);
            } else if inside && let Some(flags) = line.strip_prefix("VmFlags:") {
                return flags.to_owned();
            }
        }
        panic!("the mapping is not listed");
    }

    fn range_of(line: &str) -> Option<(usize, usize)> {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        Some((
            usize::from_str_radix(start, 16).ok()?,
            usize::from_str_radix(end, 16).ok()?,
        ))
    }

    #[test]
    fn a_locked_key_is_locked_and_left_out_of_dumps_and_children() {
        let key = LockedKey::new([7; 32]).unwrap();
        let flags = flags_of(&key);
        for flag in ["lo", "dd", "dc"] {
            assert!(
                flags.split(' ').any(|f| f == flag),
                "{flag} is not in {flags}"
            );
        }
        assert_eq!(*key, [7; 32]);
        assert_eq!(key.value.as_ptr() as usize % 4096, 0);
    }

    #[test]
    fn copying_wipes_the_original() {
        let mut bytes = [7; 32];
        let key = LockedKey::copy_from(&mut bytes).unwrap();
        assert_eq!(*key, [7; 32]);
        assert_eq!(bytes, [0; 32]);
    }

    #[test]
    fn the_value_inside_is_dropped_once() {
        struct Counted<'a>(&'a std::cell::Cell<u32>);
        impl Drop for Counted<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let drops = std::cell::Cell::new(0);
        let locked = Locked::new(Counted(&drops)).unwrap();
        assert_eq!(drops.get(), 0);
        drop(locked);
        assert_eq!(drops.get(), 1);
    }

    #[test]
    fn values_of_any_size_fit_and_locked_pages_are_given_back() {
        assert_eq!(Locked::new(()).map(|unit| *unit).unwrap(), ());
        for round in 0..10_000_u32 {
            let locked = Locked::new([round; 1_500]).unwrap();
            assert_eq!(locked[1_499], round);
        }
    }

    #[test]
    fn a_key_can_be_used_from_another_thread() {
        let key = LockedKey::new([7; 32]).unwrap();
        let sum = std::thread::spawn(move || key.iter().map(|b| u32::from(*b)).sum::<u32>());
        assert_eq!(sum.join().unwrap(), 224);
    }
}
