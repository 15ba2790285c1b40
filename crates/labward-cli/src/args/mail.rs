//! The commands about reminders by e-mail.

use clap::Subcommand;

/// `labward mail …`
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List the recipients and whether their reminders go out.
    List,
    /// Send a test mail now and say what failed.
    Test {
        /// The recipient's name.
        recipient: String,
    },
}
