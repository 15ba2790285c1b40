//! The calls between the engine and the platform's own file layer.
//!
//! The only `unsafe` of the testkit: the engine defines the interface in C. Every call goes on to
//! the platform's layer; writes, truncations, syncs and deletions are also told to the model.
//!
//! It must never unwind into the engine or hold the model's lock while calling the platform's layer
//! for a lock.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex};

use libsqlite3_sys as ffi;

use super::{Fault, State, lock};

/// What the platform's layer is, and the model beside it; lives as long as the process.
struct Layer {
    platform: *mut ffi::sqlite3_vfs,
    state: Arc<Mutex<State>>,
}

/// An open file: the engine allocates it with the platform's own file right behind it.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    tracked: *mut Tracked,
}

/// The model's side of an open file.
struct Tracked {
    path: PathBuf,
    syncs_folder: bool,
    state: Arc<Mutex<State>>,
}

/// Forwards a method of a file to the platform's file behind it.
macro_rules! forward {
    ($($name:ident => $method:ident($($arg:ident: $type:ty),*) -> $answer:ty, else $missing:expr;)+) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($arg: $type),*) -> $answer {
            // SAFETY: the engine calls with a file that `open` made.
            let behind = unsafe { platform_file(file) };
            // SAFETY: the platform's open succeeded, so its file has its methods.
            let methods = unsafe { &*(*behind).pMethods };
            match methods.$method {
                // SAFETY: the arguments are the engine's own for this very method.
                Some(method) => unsafe { method(behind, $($arg),*) },
                None => $missing,
            }
        }
    )+};
}

forward! {
    read => xRead(to: *mut c_void, size: c_int, offset: i64) -> c_int, else ffi::SQLITE_IOERR;
    platform_write => xWrite(from: *const c_void, size: c_int, offset: i64) -> c_int, else ffi::SQLITE_IOERR;
    platform_truncate => xTruncate(size: i64) -> c_int, else ffi::SQLITE_IOERR;
    platform_close => xClose() -> c_int, else ffi::SQLITE_OK;
    file_size => xFileSize(size: *mut i64) -> c_int, else ffi::SQLITE_IOERR;
    take_lock => xLock(level: c_int) -> c_int, else ffi::SQLITE_OK;
    unlock => xUnlock(level: c_int) -> c_int, else ffi::SQLITE_OK;
    check_reserved => xCheckReservedLock(out: *mut c_int) -> c_int, else ffi::SQLITE_IOERR;
    file_control => xFileControl(op: c_int, arg: *mut c_void) -> c_int, else ffi::SQLITE_NOTFOUND;
    sector_size => xSectorSize() -> c_int, else 512;
    characteristics => xDeviceCharacteristics() -> c_int, else 0;
    shm_map => xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void) -> c_int, else ffi::SQLITE_IOERR;
    shm_lock => xShmLock(offset: c_int, n: c_int, flags: c_int) -> c_int, else ffi::SQLITE_IOERR;
    shm_barrier => xShmBarrier() -> (), else ();
    shm_unmap => xShmUnmap(delete: c_int) -> c_int, else ffi::SQLITE_OK;
}

/// Version 2: no `xFetch`, so that every read is a call and none a mapped page.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(take_lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Registers a layer over the platform's default one.
pub(super) fn register(name: &str, state: Arc<Mutex<State>>) {
    let name = CString::new(name).expect("a name without NUL");
    // SAFETY: the engine initialises itself; a null name asks for the default layer.
    let platform = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
    assert!(!platform.is_null(), "the engine has no default file layer");
    // SAFETY: the default layer is registered for as long as the process lives.
    let mut vfs = unsafe { *platform };
    let own = c_int::try_from(size_of::<File>()).expect("a small struct");
    // Version 2: without the system-call table, which only the platform's layer has.
    vfs.iVersion = 2;
    vfs.szOsFile += own;
    vfs.pNext = ptr::null_mut();
    vfs.zName = name.into_raw();
    vfs.pAppData = Box::into_raw(Box::new(Layer { platform, state })).cast();
    vfs.xOpen = Some(open);
    vfs.xDelete = Some(delete);
    vfs.xAccess = Some(access);
    vfs.xFullPathname = Some(full_pathname);
    // SAFETY: the struct, its name and its layer are leaked on purpose and so outlive every use.
    let code = unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) };
    assert_eq!(code, ffi::SQLITE_OK, "the engine refused the file layer");
}

/// The platform's file behind ours.
///
/// # Safety
///
/// `file` must point at memory of `szOsFile` bytes that the engine allocated for this layer.
unsafe fn platform_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `szOsFile` counts our struct first and the platform's behind it.
    unsafe { file.byte_add(size_of::<File>()) }
}

/// The layer of a registered `vfs`.
///
/// # Safety
///
/// `vfs` must be one that [`register`] registered.
unsafe fn layer<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Layer {
    // SAFETY: the caller's promise; `register` set the pointer to a leaked layer.
    let data = unsafe { (*vfs).pAppData };
    // SAFETY: as above, and nothing ever changes the layer.
    unsafe { &*data.cast::<Layer>() }
}

/// The model's side of an open file, if it is one that the model follows.
///
/// # Safety
///
/// `file` must be one that [`open`] opened and [`close`] has not closed.
unsafe fn tracked<'a>(file: *mut ffi::sqlite3_file) -> Option<&'a Tracked> {
    // SAFETY: the caller's promise.
    let tracked = unsafe { (*file.cast::<File>()).tracked };
    // SAFETY: `open` set it to null or to a box that `close` frees.
    unsafe { tracked.as_ref() }
}

/// The path that the engine passed.
///
/// # Safety
///
/// `name` must be null or a NUL-terminated string that lives as long as the answer.
unsafe fn path_of<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller's promise, and it is not null.
    let name = unsafe { CStr::from_ptr(name) };
    Some(Path::new(OsStr::from_bytes(name.to_bytes())))
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: the engine calls with the layer that we registered.
    let layer = unsafe { layer(vfs) };
    // SAFETY: the engine's name lives until the file is closed.
    let path = unsafe { path_of(name) };
    let existed = path.is_some_and(Path::exists);
    // SAFETY: the engine allocated `szOsFile` bytes.
    let behind = unsafe { platform_file(file) };
    // SAFETY: the default layer is never unregistered.
    let platform = unsafe { &*layer.platform };
    let Some(platform_open) = platform.xOpen else {
        return ffi::SQLITE_CANTOPEN;
    };
    // SAFETY: the engine's own arguments, with the platform's layer and its part of the memory.
    let code = unsafe { platform_open(layer.platform, name, behind, flags, out_flags) };
    let opened = code == ffi::SQLITE_OK;
    let log = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
    let follow = log || flags & ffi::SQLITE_OPEN_MAIN_DB != 0;
    let path = path.filter(|_| opened && follow);
    if let Some(path) = path {
        let mut state = lock(&layer.state);
        if !state.disk.knows(path) {
            let content = std::fs::read(path).unwrap_or_default();
            state.disk.open(path, content, existed);
        }
    }
    let tracked = path.map_or(ptr::null_mut(), |path| {
        Box::into_raw(Box::new(Tracked {
            path: path.to_owned(),
            syncs_folder: log,
            state: Arc::clone(&layer.state),
        }))
    });
    let own = File {
        base: ffi::sqlite3_file {
            // Without methods the engine does not close a file that did not open.
            pMethods: if opened {
                &raw const METHODS
            } else {
                ptr::null()
            },
        },
        tracked,
    };
    // SAFETY: the engine's memory is large enough and aligned to 8 bytes, as pointers are.
    unsafe { file.cast::<File>().write(own) };
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the engine closes a file that `open` opened, once.
    let code = unsafe { platform_close(file) };
    // SAFETY: as above.
    let tracked = unsafe { (*file.cast::<File>()).tracked };
    if !tracked.is_null() {
        // SAFETY: `open` made it from a box, and the engine never uses the file again.
        drop(unsafe { Box::from_raw(tracked) });
    }
    code
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    size: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: the engine calls with an open file.
    let tracked = unsafe { tracked(file) };
    let Some(tracked) = tracked else {
        // SAFETY: the engine's own arguments.
        return unsafe { platform_write(file, from, size, offset) };
    };
    let (Ok(len), Ok(start)) = (usize::try_from(size), usize::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    let mut state = lock(&tracked.state);
    state.count_operation();
    match state.write_fault(len as u64) {
        Some(Fault::Io) => return ffi::SQLITE_IOERR_WRITE,
        Some(Fault::NoSpace) => return ffi::SQLITE_FULL,
        None => {}
    }
    // SAFETY: the engine's own arguments.
    let code = unsafe { platform_write(file, from, size, offset) };
    if code == ffi::SQLITE_OK {
        // SAFETY: the engine passes `size` readable bytes.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), len) };
        state.disk.write(&tracked.path, start, bytes);
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: the engine calls with an open file.
    let tracked = unsafe { tracked(file) };
    let mut state = tracked.map(|tracked| lock(&tracked.state));
    if let Some(state) = &mut state {
        state.count_operation();
    }
    // SAFETY: the engine's own arguments.
    let code = unsafe { platform_truncate(file, size) };
    if let (Some(tracked), Some(state)) = (tracked, &mut state)
        && code == ffi::SQLITE_OK
        && let Ok(len) = usize::try_from(size)
    {
        state.disk.truncate(&tracked.path, len);
    }
    code
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the engine calls with an open file.
    let Some(tracked) = (unsafe { tracked(file) }) else {
        return ffi::SQLITE_OK;
    };
    let mut state = lock(&tracked.state);
    state.count_operation();
    if state.fault == Some(Fault::Io) && state.room_bytes == 0 {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    // As the platform's layer does: the first sync of a new log also syncs its folder.
    state.disk.sync(&tracked.path, tracked.syncs_folder);
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    sync_folder: c_int,
) -> c_int {
    // SAFETY: the engine calls with the layer that we registered.
    let layer = unsafe { layer(vfs) };
    // SAFETY: the default layer is never unregistered.
    let Some(platform_delete) = (unsafe { (*layer.platform).xDelete }) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let mut state = lock(&layer.state);
    state.count_operation();
    // SAFETY: the engine's own arguments, without the sync, which is the model's.
    let code = unsafe { platform_delete(layer.platform, name, 0) };
    // SAFETY: the engine's name outlives this call.
    let path = unsafe { path_of(name) };
    if let Some(path) = path
        && code == ffi::SQLITE_OK
    {
        state.disk.delete(path, sync_folder != 0);
    }
    code
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the engine calls with the layer that we registered.
    let layer = unsafe { layer(vfs) };
    // SAFETY: the default layer is never unregistered.
    match unsafe { (*layer.platform).xAccess } {
        // SAFETY: the engine's own arguments.
        Some(access) => unsafe { access(layer.platform, name, flags, out) },
        None => ffi::SQLITE_IOERR_ACCESS,
    }
}

unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: the engine calls with the layer that we registered.
    let layer = unsafe { layer(vfs) };
    // SAFETY: the default layer is never unregistered.
    match unsafe { (*layer.platform).xFullPathname } {
        // SAFETY: the engine's own arguments.
        Some(full) => unsafe { full(layer.platform, name, size, out) },
        None => ffi::SQLITE_CANTOPEN,
    }
}
