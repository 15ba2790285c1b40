//! A serial line on a link of its own: what the device says goes to the link, and back.
//!
//! The link listens on loopback and has one connection, which this is. It must never change a byte,
//! or give up: a cable that was pulled comes back.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use labward_base::problem;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::config::{LineConfig, Parity};

/// Bytes that are moved at once.
const PIECE_BYTES: usize = 4_096;

/// How long a line that failed rests.
const REST: Duration = Duration::from_secs(2);

/// One serial line.
pub(crate) struct SerialLine {
    /// The path of the line.
    pub(crate) path: PathBuf,
    /// How it is set.
    pub(crate) line: LineConfig,
    /// Where its link listens.
    pub(crate) link: SocketAddr,
}

impl SerialLine {
    /// Moves bytes until the edge stops.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut is_failing = false;
        loop {
            let ended = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                ended = self.pump(&mut is_failing) => ended,
            };
            if let Err(error) = ended
                && !is_failing
            {
                is_failing = true;
                tracing::error!(
                    code = problem::EDGE_SERIAL.code,
                    path = %self.path.display(),
                    error = %error,
                    "a serial line failed; it is tried again until it works"
                );
            }
            tokio::select! {
                () = sleep(REST) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn pump(&self, is_failing: &mut bool) -> io::Result<()> {
        let serial = open(&self.path, &self.line)?;
        // Two handles on one line, each watched by itself; the line is none of these pipes, but is
        // read and written like one.
        let mut to_device = pipe::Sender::from_file_unchecked(serial.try_clone()?)?;
        let mut from_device = pipe::Receiver::from_file_unchecked(serial)?;
        let mut link = TcpStream::connect(self.link).await?;
        link.set_nodelay(true)?;
        *is_failing = false;
        tracing::info!(path = %self.path.display(), "the serial line is open");
        let (mut said, mut answered) = ([0; PIECE_BYTES], [0; PIECE_BYTES]);
        loop {
            tokio::select! {
                read = from_device.read(&mut said) => {
                    match read? {
                        // The other end of the cable is gone.
                        0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                        count => link.write_all(said.get(..count).unwrap_or_default()).await?,
                    }
                }
                read = link.read(&mut answered) => {
                    match read? {
                        0 => return Err(io::ErrorKind::ConnectionReset.into()),
                        count => {
                            let bytes = answered.get(..count).unwrap_or_default();
                            to_device.write_all(bytes).await?;
                        }
                    }
                }
            }
        }
    }
}

/// Opens the line raw, without becoming its session's terminal.
fn open(path: &Path, line: &LineConfig) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let serial = rustix::fs::open(path, flags, Mode::empty())?;
    let mut settings = tcgetattr(&serial)?;
    set(&mut settings, line)?;
    tcsetattr(&serial, OptionalActions::Flush, &settings)?;
    Ok(serial.into())
}

fn set(settings: &mut Termios, line: &LineConfig) -> io::Result<()> {
    settings.make_raw();
    settings.set_speed(line.baud)?;
    let modes = &mut settings.control_modes;
    // Of a device without modem lines nothing is waited for.
    *modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    modes.remove(
        ControlModes::CSIZE
            | ControlModes::CSTOPB
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CRTSCTS,
    );
    *modes |= match line.data_bits {
        7 => ControlModes::CS7,
        _ => ControlModes::CS8,
    };
    if line.stop_bits == 2 {
        *modes |= ControlModes::CSTOPB;
    }
    match line.parity {
        Parity::None => {}
        Parity::Even => *modes |= ControlModes::PARENB,
        Parity::Odd => *modes |= ControlModes::PARENB | ControlModes::PARODD,
    }
    if line.rts_cts {
        *modes |= ControlModes::CRTSCTS;
    }
    if line.parity != Parity::None {
        // A byte of wrong parity is dropped; the checksum of its frame then does not fit.
        settings.input_modes |= InputModes::INPCK | InputModes::IGNPAR;
    }
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    Ok(())
}
