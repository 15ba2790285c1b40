//! Frames of a network interface as they pass: a packet socket (packet(7)) that only reads.
//!
//! It must never send, never hold more than one frame, and never show what a frame holds.

use std::fmt;
use std::fs;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use labward_base::{Clock as _, Problem, Timestamp, problem};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::clock::SystemClock;
use crate::error::OsError;

/// No more of a frame is kept than this, in bytes; also what is kept where nobody asks for less.
pub const SNAP_BYTES_MAX: usize = 256 << 10;
/// Frames that wait to be read may take so many bytes of the kernel's memory, if it allows.
const QUEUE_BYTES: usize = 16 << 20;
/// A tag of a virtual network (IEEE 802.1Q), which the kernel takes off.
const TAG_BYTES: usize = 4;
/// The two addresses before the tag.
const ADDRESSES_BYTES: usize = 12;
/// The type of a tag, if the kernel does not say it.
const TAG_TYPE: u16 = 0x8100;
/// Room for what the kernel says beside a frame: a time and the tag.
const CONTROL_WORDS: usize = 32;

/// What the first byte of a frame begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// The header of Ethernet.
    Ethernet,
    /// The header of IP, as of a tunnel.
    Ip,
}

/// How an interface is listened on.
#[derive(Clone, Copy, Debug)]
pub struct ListenOptions {
    /// The card takes what is meant for others, too.
    pub promiscuous: bool,
    /// So many bytes of each frame are kept, at most [`SNAP_BYTES_MAX`].
    pub snap_bytes: usize,
}

/// Why an interface cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// This account may not.
    #[error("listen on {interface}")]
    Denied {
        /// The interface.
        interface: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The interface is down, or went away.
    #[error("interface {0} is down or was removed")]
    Down(String),
    /// Its frames are of a kind that is not read.
    #[error("interface {interface} is of hardware type {hardware}, which is not read")]
    Hardware {
        /// The interface.
        interface: String,
        /// Its type (ARPHRD of Linux).
        hardware: u16,
    },
    /// There is none of this name.
    #[error("no interface is called {interface}; there are: {}", .there.join(", "))]
    NoInterface {
        /// What was asked for.
        interface: String,
        /// Those that are there.
        there: Vec<String>,
    },
    /// The system refused otherwise.
    #[error(transparent)]
    Os(#[from] OsError),
}

/// One frame.
#[derive(Clone, Copy)]
pub struct WireFrame<'a> {
    /// When the kernel took it.
    pub at: Timestamp,
    /// What was kept of it.
    pub bytes: &'a [u8],
    /// How long it was, in bytes.
    pub length: usize,
}

/// Listens on one interface until it is dropped.
pub struct PacketSocket {
    interface: String,
    socket: OwnedFd,
    kind: FrameKind,
    /// Room for a tag, then the frame.
    buffer: Vec<u8>,
    dropped: u64,
}

/// Where the frame that was read lies in the buffer.
struct Received {
    at: Option<Timestamp>,
    start: usize,
    end: usize,
    length: usize,
}

/// What the kernel said beside a frame.
#[derive(Default)]
struct Beside {
    at: Option<Timestamp>,
    tag: Option<(u16, u16)>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            promiscuous: true,
            snap_bytes: SNAP_BYTES_MAX,
        }
    }
}

impl ListenError {
    /// The problem as a person sees it.
    pub fn problem(&self) -> &'static Problem {
        match self {
            Self::Denied { .. } => &problem::LISTEN_DENIED,
            Self::Down(_) | Self::Hardware { .. } | Self::NoInterface { .. } => {
                &problem::LISTEN_INTERFACE
            }
            Self::Os(error) => error.problem(),
        }
    }
}

impl fmt::Debug for WireFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireFrame")
            .field("at", &self.at)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PacketSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketSocket")
            .field("interface", &self.interface)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl PacketSocket {
    /// Begins to listen on the interface of this name.
    ///
    /// # Errors
    /// [`ListenError`] if this account may not (`CAP_NET_RAW`), there is no such interface, or its
    /// frames are not read.
    pub fn open(interface: &str, options: ListenOptions) -> Result<Self, ListenError> {
        let refused = |what, source: Errno| ListenError::Os(OsError::new(what, interface, source));
        // No protocol yet: otherwise it would hear every interface until it is bound to one.
        let socket = socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(|source| match source {
            Errno::PERM | Errno::ACCESS => ListenError::Denied {
                interface: interface.to_owned(),
                source: source.into(),
            },
            other => refused("open a packet socket for", other),
        })?;
        let index = name_to_index(&socket, interface).map_err(|_| ListenError::NoInterface {
            interface: interface.to_owned(),
            there: interfaces(),
        })?;
        let index = i32::try_from(index).map_err(|_| refused("bind to", Errno::RANGE))?;
        bind(&socket, index, 0).map_err(|source| refused("bind to", source))?;
        let hardware = hardware(&socket).map_err(|source| refused("ask for", source))?;
        let kind = kind_of(hardware).ok_or_else(|| ListenError::Hardware {
            interface: interface.to_owned(),
            hardware,
        })?;
        prepare(&socket, index, hardware, options)
            .map_err(|source| refused("set the packet socket up for", source))?;
        let every = u16::try_from(libc::ETH_P_ALL).unwrap_or_default();
        bind(&socket, index, every).map_err(|source| refused("bind to", source))?;
        let snap_bytes = options.snap_bytes.clamp(1, SNAP_BYTES_MAX);
        Ok(Self {
            interface: interface.to_owned(),
            socket,
            kind,
            buffer: vec![0; TAG_BYTES + snap_bytes],
            dropped: 0,
        })
    }

    /// What the first byte of its frames begins.
    pub const fn kind(&self) -> FrameKind {
        self.kind
    }

    /// The next frame; none if within `wait` there is none, or a signal came.
    ///
    /// # Errors
    /// [`ListenError::Down`] if the interface went down, otherwise what the system refused.
    pub fn read(&mut self, wait: Duration) -> Result<Option<WireFrame<'_>>, ListenError> {
        let mut received = self.receive()?;
        if received.is_none() && self.has_frame(wait)? {
            received = self.receive()?;
        }
        Ok(received.map(|one| WireFrame {
            at: one.at.unwrap_or_else(|| SystemClock.now()),
            bytes: self.buffer.get(one.start..one.end).unwrap_or_default(),
            length: one.length,
        }))
    }

    /// How many frames the kernel dropped so far because they were not read soon enough.
    ///
    /// # Errors
    /// [`OsError`] if the kernel does not answer.
    pub fn dropped(&mut self) -> Result<u64, OsError> {
        let mut statistics = MaybeUninit::<libc::tpacket_stats>::zeroed();
        let mut length = length_of::<libc::tpacket_stats>();
        // SAFETY: the kernel writes at most `length` bytes, which is the size of what it is given.
        let answer = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                statistics.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        checked(answer)
            .map_err(|source| OsError::new("count dropped frames of", &*self.interface, source))?;
        // SAFETY: both fields are numbers, and were zero before the kernel wrote them.
        let statistics = unsafe { statistics.assume_init() };
        // The kernel begins to count anew with each answer.
        self.dropped = self.dropped.saturating_add(statistics.tp_drops.into());
        Ok(self.dropped)
    }

    fn has_frame(&self, wait: Duration) -> Result<bool, OsError> {
        let wait = Timespec::try_from(wait).unwrap_or(Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        });
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        match poll(&mut fds, Some(&wait)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(source) => Err(OsError::new("wait for", &*self.interface, source)),
        }
    }

    fn receive(&mut self) -> Result<Option<Received>, ListenError> {
        let room = self.buffer.get_mut(TAG_BYTES..).unwrap_or_default();
        let snap_bytes = room.len();
        let mut piece = libc::iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: snap_bytes,
        };
        let mut control = [0_u64; CONTROL_WORDS];
        // SAFETY: every field of `msghdr` is a number or a pointer, for which zero is a value.
        let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
        header.msg_iov = &raw mut piece;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&control);
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: header, piece, control and the buffer live until it returns, and are as long as
        // they say.
        let length = unsafe { libc::recvmsg(self.socket.as_raw_fd(), &raw mut header, flags) };
        let Ok(length) = usize::try_from(length) else {
            return match io::Error::last_os_error() {
                error if is_passing(&error) => Ok(None),
                error if error.raw_os_error() == Some(libc::ENETDOWN) => {
                    Err(ListenError::Down(self.interface.clone()))
                }
                error => Err(OsError::new("read from", &*self.interface, error).into()),
            };
        };
        let beside = beside(&header);
        let kept = length.min(snap_bytes);
        let tag = beside.tag.filter(|_| self.kind == FrameKind::Ethernet);
        let tag_bytes = match tag {
            Some(tag) if restore_tag(&mut self.buffer, kept, tag) => TAG_BYTES,
            _ => 0,
        };
        Ok(Some(Received {
            at: beside.at,
            start: TAG_BYTES - tag_bytes,
            end: TAG_BYTES + kept,
            length: length + tag_bytes,
        }))
    }
}

/// The names of the interfaces that this process sees.
pub fn interfaces() -> Vec<String> {
    let table = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let names = table.lines().filter_map(|line| line.split_once(':'));
    names.map(|(name, _)| name.trim().to_owned()).collect()
}

const fn kind_of(hardware: u16) -> Option<FrameKind> {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(FrameKind::Ethernet),
        libc::ARPHRD_NONE => Some(FrameKind::Ip),
        _ => None,
    }
}

/// Whether there is simply nothing to read now.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, WouldBlock};
    matches!(error.kind(), Interrupted | WouldBlock)
}

fn bind(socket: &OwnedFd, index: i32, protocol: u16) -> Result<(), Errno> {
    // SAFETY: every field of `sockaddr_ll` is a number, for which zero is a value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = index;
    let length = length_of::<libc::sockaddr_ll>();
    // SAFETY: the kernel reads `length` bytes, which is the size of the address.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })
}

/// The hardware type of the interface that the socket is bound to.
fn hardware(socket: &OwnedFd) -> Result<u16, Errno> {
    // SAFETY: every field of `sockaddr_ll` is a number, for which zero is a value.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut length = length_of::<libc::sockaddr_ll>();
    let place = (&raw mut address).cast();
    // SAFETY: the kernel writes at most `length` bytes, which is the size of the address.
    checked(unsafe { libc::getsockname(socket.as_raw_fd(), place, &raw mut length) })?;
    Ok(address.sll_hatype)
}

fn prepare(
    socket: &OwnedFd,
    index: i32,
    hardware: u16,
    options: ListenOptions,
) -> Result<(), Errno> {
    let on: libc::c_int = 1;
    set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &on)?;
    set(socket, libc::SOL_PACKET, libc::PACKET_AUXDATA, &on)?;
    if hardware == libc::ARPHRD_LOOPBACK {
        // What goes out there comes in again.
        set(socket, libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &on)?;
    }
    // More than the limit takes CAP_NET_ADMIN; with less, more frames are dropped, and counted.
    if set_socket_recv_buffer_size_force(socket, QUEUE_BYTES).is_err() {
        set_socket_recv_buffer_size(socket, QUEUE_BYTES)?;
    }
    if options.promiscuous {
        let request = libc::packet_mreq {
            mr_ifindex: index,
            mr_type: u16::try_from(libc::PACKET_MR_PROMISC).unwrap_or_default(),
            mr_alen: 0,
            mr_address: [0; 8],
        };
        set(
            socket,
            libc::SOL_PACKET,
            libc::PACKET_ADD_MEMBERSHIP,
            &request,
        )?;
    }
    Ok(())
}

fn set<T: Copy>(
    socket: &OwnedFd,
    level: libc::c_int,
    name: libc::c_int,
    value: &T,
) -> Result<(), Errno> {
    let length = length_of::<T>();
    let value = std::ptr::from_ref(value).cast();
    // SAFETY: the kernel reads `length` bytes, which is the size of the value.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, length) })
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or_default()
}

fn checked(answer: libc::c_int) -> Result<(), Errno> {
    match answer {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

/// Reads what the kernel wrote into the control buffer of `header`.
fn beside(header: &libc::msghdr) -> Beside {
    let mut beside = Beside::default();
    // SAFETY: `header` names a control buffer that lives and that the kernel filled.
    let mut place = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: it is null or leads to a whole header within the control buffer, aligned for it.
    while let Some(one) = unsafe { place.as_ref() } {
        // SAFETY: behind each header within the buffer lie the data that it names.
        let data = unsafe { libc::CMSG_DATA(one) };
        match (one.cmsg_level, one.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                // SAFETY: the data of this kind are a `timespec`, which may lie at any place.
                let at = unsafe { data.cast::<libc::timespec>().read_unaligned() };
                beside.at = Some(timestamp(at.tv_sec, at.tv_nsec));
            }
            (libc::SOL_PACKET, libc::PACKET_AUXDATA) => {
                // SAFETY: the data of this kind are a `tpacket_auxdata`, which may lie at any place.
                let auxiliary = unsafe { data.cast::<libc::tpacket_auxdata>().read_unaligned() };
                beside.tag = tag(&auxiliary);
            }
            _ => {}
        }
        // SAFETY: `header` and `place` are those of above.
        place = unsafe { libc::CMSG_NXTHDR(header, place) };
    }
    beside
}

fn timestamp(seconds: i64, nanos: i64) -> Timestamp {
    let seconds = Timestamp::from_seconds(seconds).as_micros();
    Timestamp::from_micros(seconds.saturating_add(nanos / 1_000))
}

/// Type and content of the tag that the kernel took off, if it did.
fn tag(auxiliary: &libc::tpacket_auxdata) -> Option<(u16, u16)> {
    let has = |flag| auxiliary.tp_status & flag != 0;
    let kind = match has(libc::TP_STATUS_VLAN_TPID_VALID) {
        true => auxiliary.tp_vlan_tpid,
        false => TAG_TYPE,
    };
    has(libc::TP_STATUS_VLAN_VALID).then_some((kind, auxiliary.tp_vlan_tci))
}

/// Puts a tag back behind the addresses of the frame that begins at [`TAG_BYTES`]: it then begins at 0.
fn restore_tag(buffer: &mut [u8], kept: usize, (kind, content): (u16, u16)) -> bool {
    if kept < ADDRESSES_BYTES || buffer.len() < TAG_BYTES + ADDRESSES_BYTES {
        return false;
    }
    buffer.copy_within(TAG_BYTES..TAG_BYTES + ADDRESSES_BYTES, 0);
    let [[a, b], [c, d]] = [kind, content].map(u16::to_be_bytes);
    if let Some(place) = buffer.get_mut(ADDRESSES_BYTES..ADDRESSES_BYTES + TAG_BYTES) {
        place.copy_from_slice(&[a, b, c, d]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_behind_the_addresses_again() {
        let mut buffer = b"....TTTTTTSSSSSS\x08\x00payload".to_vec();
        let kept = buffer.len() - TAG_BYTES;
        assert!(restore_tag(&mut buffer, kept, (0x8100, 0x2007)));
        assert_eq!(buffer, b"TTTTTTSSSSSS\x81\x00\x20\x07\x08\x00payload");
        assert!(!restore_tag(&mut [0; 20], 11, (0x8100, 7)));
        assert!(!restore_tag(&mut [0; 9], 14, (0x8100, 7)));
    }

    #[test]
    fn only_what_the_kernel_marks_as_a_tag_is_one() {
        // SAFETY: every field of it is a number.
        let mut auxiliary: libc::tpacket_auxdata = unsafe { std::mem::zeroed() };
        auxiliary.tp_vlan_tci = 7;
        auxiliary.tp_vlan_tpid = 0x88a8;
        assert_eq!(tag(&auxiliary), None);
        auxiliary.tp_status = libc::TP_STATUS_VLAN_VALID;
        assert_eq!(tag(&auxiliary), Some((0x8100, 7)));
        auxiliary.tp_status |= libc::TP_STATUS_VLAN_TPID_VALID;
        assert_eq!(tag(&auxiliary), Some((0x88a8, 7)));
    }

    #[test]
    fn an_interface_that_is_not_there_is_named_beside_those_that_are() {
        match PacketSocket::open("labward-none", ListenOptions::default()) {
            Err(ListenError::NoInterface { there, .. }) => {
                assert!(there.contains(&"lo".to_owned()), "{there:?}");
            }
            Err(error @ ListenError::Denied { .. }) => {
                assert_eq!(error.problem().code, "listen.denied");
                eprintln!("labward-skip: an_interface_that_is_not_there: no CAP_NET_RAW");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_passes_is_heard_once_with_its_time_and_cut_as_asked() {
        let options = ListenOptions {
            promiscuous: false,
            snap_bytes: 60,
        };
        let Ok(mut socket) = PacketSocket::open("lo", options) else {
            eprintln!("labward-skip: what_passes_is_heard: no CAP_NET_RAW");
            return;
        };
        assert_eq!(socket.kind(), FrameKind::Ethernet);
        let before = SystemClock.now();
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = sender.local_addr().unwrap().port().to_be_bytes();
        sender.send_to(&[0x5a; 100], "127.0.0.1:9").unwrap();
        let mut heard = 0;
        // What else passes on this machine is not ours; the end is when nothing comes any more.
        while let Some(frame) = socket.read(Duration::from_millis(300)).unwrap() {
            if frame.bytes.get(34..36) == Some(&port) {
                heard += 1;
                assert_eq!((frame.bytes.len(), frame.length), (60, 142));
                assert!(frame.at >= before && frame.at <= SystemClock.now());
                assert!(!format!("{frame:?}").contains("90, 90"));
            }
            if SystemClock.now().since(before) > Duration::from_secs(5) {
                break;
            }
        }
        assert_eq!(heard, 1);
        assert_eq!(socket.dropped().unwrap(), 0);
    }

    #[test]
    fn a_frame_of_a_virtual_network_is_heard_with_its_tags() {
        let Ok(mut socket) = PacketSocket::open("lo", ListenOptions::default()) else {
            eprintln!("labward-skip: a_frame_of_a_virtual_network: no CAP_NET_RAW");
            return;
        };
        let sender = socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        );
        let sender = sender.unwrap();
        let index = name_to_index(&sender, "lo").unwrap();
        bind(&sender, index.try_into().unwrap(), 0).unwrap();
        // The last type is one for experiments of one's own (IEEE 802, 9.2.3).
        for tags in [
            &b"\x81\x00\x20\x07"[..],
            b"\x88\xa8\x00\x09\x81\x00\x20\x07",
        ] {
            let payload = format!("labward {}", std::process::id());
            let frame = [&[0; 12], tags, b"\x88\xb5", payload.as_bytes()].concat();
            rustix::net::send(&sender, &frame, rustix::net::SendFlags::empty()).unwrap();
            let heard = std::iter::from_fn(|| {
                let frame = socket.read(Duration::from_secs(5)).unwrap()?;
                Some((frame.bytes.to_vec(), frame.length))
            });
            let mut ours = heard.filter(|(bytes, _)| bytes.ends_with(payload.as_bytes()));
            assert_eq!(ours.next(), Some((frame.clone(), frame.len())));
        }
    }

    #[test]
    fn frames_that_nobody_reads_are_counted_as_dropped() {
        let Ok(mut socket) = PacketSocket::open("lo", ListenOptions::default()) else {
            eprintln!("labward-skip: frames_that_nobody_reads: no CAP_NET_RAW");
            return;
        };
        let sender = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..2_000 {
            sender.send_to(&[0; 60_000], "127.0.0.1:9").unwrap();
        }
        let first = socket.dropped().unwrap();
        assert!(first > 0);
        assert!(socket.dropped().unwrap() >= first);
    }
}
