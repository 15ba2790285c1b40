//! What one link takes at most; the defaults of all limits stand here and nowhere else.
//!
//! A limit never loses a message: past a rate or a number of connections the gateway stops reading
//! or refuses the connection, past a size it refuses the message, and says so.

use std::time::Duration;

use serde::Deserialize;

/// Limits of one link; every key is optional.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at the same time on this link. Default 1024.
    pub max_connections: usize,
    /// Connections open at the same time from one source address. Default 256.
    pub max_connections_per_address: usize,
    /// Seconds from a connection's begin to the end of its TLS handshake. Default 10.
    pub handshake_seconds: u64,
    /// Seconds from the first byte of a frame to its last. Default 30.
    pub frame_seconds: u64,
    /// Bytes of one message. Default 16777216 (16 MiB).
    pub max_message_bytes: usize,
    /// Messages a second on the whole link; 0 means no limit. Past it the gateway reads more
    /// slowly and loses nothing. Default 0.
    pub messages_per_second: u32,
    /// Messages that may come at once before `messages_per_second` slows them. Default 100.
    pub burst_messages: u32,
    /// Seconds that an unframed, silent or half-open exchange on a plain link may last before it
    /// is refused. Default 10.
    pub noise_seconds: u64,
    /// Messages of the duplicate window in memory. Default 1000000.
    pub window_messages: usize,
    /// Days of the duplicate window. Default 7.
    pub window_days: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_connections_per_address: 256,
            handshake_seconds: 10,
            frame_seconds: 30,
            max_message_bytes: 16 * 1024 * 1024,
            messages_per_second: 0,
            burst_messages: 100,
            noise_seconds: 10,
            window_messages: 1_000_000,
            window_days: 7,
        }
    }
}

impl Limits {
    /// The time from a connection's begin to the end of its handshake.
    pub const fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }

    /// The time from the first byte of a frame to its last.
    pub const fn frame(&self) -> Duration {
        Duration::from_secs(self.frame_seconds)
    }

    /// The time that unframed bytes may wait for a frame.
    pub const fn noise(&self) -> Duration {
        Duration::from_secs(self.noise_seconds)
    }

    /// How long the duplicate window reaches back.
    pub const fn window(&self) -> Duration {
        Duration::from_secs(self.window_days.saturating_mul(86_400))
    }
}
