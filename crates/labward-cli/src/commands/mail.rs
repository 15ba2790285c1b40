//! `mail`: who is reminded by e-mail.

use labward_api::mail::{MailStatus, TestedMail};
use labward_base::problem;

use super::Context;
use crate::args::MailCommand;
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// `labward mail …`
pub(super) fn run(context: &Context, command: &MailCommand) -> Result<(), Failure> {
    match command {
        MailCommand::List => list(context),
        MailCommand::Test { recipient } => test(context, recipient),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let all: Vec<MailStatus> = context.client.get("mail", &[])?;
    let head = [
        "recipient",
        "state",
        "last taken",
        "next attempt",
        "last error",
    ];
    let row = |one: &MailStatus| {
        vec![
            one.name.clone(),
            one.state.clone(),
            or_dash(one.sent.as_deref()),
            or_dash(one.next_attempt.as_deref()),
            or_dash(one.last_error.as_deref()),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    show(context.json, &all, |out| table(out, &head, &rows))
}

fn test(context: &Context, recipient: &str) -> Result<(), Failure> {
    let path = format!("mail/{recipient}/test");
    let tested: TestedMail = context.client.post(&path, &())?;
    show(context.json, &tested, |out| match &tested.error {
        None => writeln!(
            out,
            "the mail server took the test mail to {recipient} in {} ms",
            tested.duration_ms
        ),
        Some(why) => writeln!(out, "no test mail was sent to {recipient}: {why}"),
    })?;
    match tested.taken {
        true => Ok(()),
        false => Err(Failure::new(
            &problem::MAIL_NOT_SENT,
            format!("recipient {recipient}"),
        )),
    }
}
