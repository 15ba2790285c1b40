//! What Labward's tests share.
//!
//! It must never be a dependency of anything that ships, read the system's clock, or need the machine's network.
//!
//! | Module | Holds |
//! |---|---|
//! | [`authenticator`] | [`Authenticator`]: a passkey device in software |
//! | [`carrier`] | what labs move, around a payload: messages, documents, mails |
//! | [`clock`] | [`FakeClock`]: stands still until told to move |
//! | [`folder`] | [`TempDir`] and [`test_data`] |
//! | [`network`] | [`RoutedNetwork`]: a device, a router and servers in namespaces of their own |
//! | [`postfix`] | [`Postfix`]: mail servers of a test's own |
//! | [`program`] | programs of Windows, and who signs them |
//! | [`random`] | [`Random`]: the same numbers for the same seed |
//! | [`vfs`] | [`vfs::FaultVfs`]: a file layer for the store whose power can be cut |

pub mod authenticator;
pub mod carrier;
pub mod clock;
pub mod folder;
pub mod network;
pub mod postfix;
pub mod program;
pub mod random;
pub mod vfs;

pub use authenticator::Authenticator;
pub use clock::FakeClock;
pub use folder::{TempDir, sample_hl7, test_data};
pub use network::RoutedNetwork;
pub use postfix::Postfix;
pub use program::Publisher;
pub use random::Random;
