//! What the mail server says.
//!
//! It must never change a byte of a header or a body.

use crate::fields::{first, pair, put, string, strings};
use crate::{MilterError, Options, Packet, packet};

/// A command of the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The mail is given up; the connection goes on.
    Abort,
    /// A piece of the body, lines ended by CR LF.
    Body(Vec<u8>),
    /// Somebody connected to the mail server.
    Connect(Origin),
    /// The data begins.
    Data,
    /// No header follows.
    EndOfHeaders,
    /// The mail is whole; a last piece of the body may stand in it.
    EndOfMessage(Vec<u8>),
    /// A header: its name without the colon, its value with the lines of a folded one.
    Header(Vec<u8>, Vec<u8>),
    /// How the other machine greets.
    Helo(Vec<u8>),
    /// Who sends, and what stands behind it.
    Mail(Vec<Vec<u8>>),
    /// What the mail server knows, by name, for the command whose kind stands first.
    Macros(u8, Vec<Vec<u8>>),
    /// What can be agreed on.
    Negotiate(Options),
    /// The connection ends.
    Quit,
    /// The connection ends, and the line is used for another.
    QuitForNext,
    /// Who receives, and what stands behind it.
    Rcpt(Vec<Vec<u8>>),
    /// A command that the mail server does not know.
    Unknown(Vec<u8>),
}

/// By what a machine is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
    /// A socket of the machine.
    Local,
    /// Not known.
    Unknown,
}

/// Who connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name of the machine.
    pub host: Vec<u8>,
    /// By what it is connected.
    pub family: Family,
    /// The port; 0 if there is none.
    pub port: u16,
    /// The address; empty if it is not known.
    pub address: Vec<u8>,
}

impl Command {
    /// The command that a packet is.
    ///
    /// # Errors
    /// [`MilterError::Kind`] and [`MilterError::Malformed`].
    pub fn decode(packet: Packet) -> Result<Self, MilterError> {
        let Packet { kind, data } = packet;
        let words = |data: &[u8]| strings(data).filter(|words| !words.is_empty());
        let command = match kind {
            b'A' => Some(Self::Abort),
            b'B' => Some(Self::Body(data)),
            b'C' => Origin::read(&data).map(Self::Connect),
            b'D' => macros(&data),
            b'E' => Some(Self::EndOfMessage(data)),
            b'H' => Some(Self::Helo(string(&data))),
            b'K' => Some(Self::QuitForNext),
            b'L' => pair(&data).map(|(name, value)| Self::Header(name, value)),
            b'M' => words(&data).map(Self::Mail),
            b'N' => Some(Self::EndOfHeaders),
            b'O' => Options::read(&data).map(Self::Negotiate),
            b'Q' => Some(Self::Quit),
            b'R' => words(&data).map(Self::Rcpt),
            b'T' => Some(Self::Data),
            b'U' => Some(Self::Unknown(string(&data))),
            other => return Err(MilterError::Kind(other)),
        };
        command.ok_or(MilterError::Malformed(kind))
    }

    /// Writes it as a packet.
    pub fn encode(&self, out: &mut Vec<u8>) {
        packet::put(out, self.kind(), |out| match self {
            Self::Body(bytes) | Self::EndOfMessage(bytes) => out.extend_from_slice(bytes),
            Self::Connect(origin) => origin.put(out),
            Self::Header(name, value) => {
                put(out, name);
                put(out, value);
            }
            Self::Helo(word) | Self::Unknown(word) => put(out, word),
            Self::Macros(of, words) => {
                out.push(*of);
                words.iter().for_each(|word| put(out, word));
            }
            Self::Mail(words) | Self::Rcpt(words) => words.iter().for_each(|word| put(out, word)),
            Self::Negotiate(options) => options.put(out),
            Self::Abort | Self::Data | Self::EndOfHeaders | Self::Quit | Self::QuitForNext => {}
        });
    }

    /// What stands in a packet for it.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Abort => b'A',
            Self::Body(_) => b'B',
            Self::Connect(_) => b'C',
            Self::Data => b'T',
            Self::EndOfHeaders => b'N',
            Self::EndOfMessage(_) => b'E',
            Self::Header(..) => b'L',
            Self::Helo(_) => b'H',
            Self::Mail(_) => b'M',
            Self::Macros(..) => b'D',
            Self::Negotiate(_) => b'O',
            Self::Quit => b'Q',
            Self::QuitForNext => b'K',
            Self::Rcpt(_) => b'R',
            Self::Unknown(_) => b'U',
        }
    }

    /// The value of a macro, if this is a command of macros and it is in it.
    pub fn value_of(&self, name: &[u8]) -> Option<&[u8]> {
        let Self::Macros(_, words) = self else {
            return None;
        };
        words.chunks(2).find_map(|pair| match pair {
            [of, value] if of == name => Some(value.as_slice()),
            _ => None,
        })
    }
}

fn macros(data: &[u8]) -> Option<Command> {
    let (of, rest) = data.split_first()?;
    Some(Command::Macros(*of, strings(rest)?))
}

impl Origin {
    fn read(data: &[u8]) -> Option<Self> {
        let (host, rest) = first(data);
        let (family, rest) = rest?.split_first()?;
        let family = match family {
            b'4' => Family::Inet,
            b'6' => Family::Inet6,
            b'L' => Family::Local,
            b'U' => Family::Unknown,
            _ => return None,
        };
        let mut origin = Self {
            host: host.to_vec(),
            family,
            port: 0,
            address: Vec::new(),
        };
        if family != Family::Unknown {
            let (port, address) = rest.split_first_chunk()?;
            origin.port = u16::from_be_bytes(*port);
            origin.address = string(address);
        }
        Some(origin)
    }

    fn put(&self, out: &mut Vec<u8>) {
        put(out, &self.host);
        let family = match self.family {
            Family::Inet => b'4',
            Family::Inet6 => b'6',
            Family::Local => b'L',
            Family::Unknown => b'U',
        };
        out.push(family);
        if self.family != Family::Unknown {
            out.extend_from_slice(&self.port.to_be_bytes());
            put(out, &self.address);
        }
    }
}

#[cfg(test)]
mod tests;
