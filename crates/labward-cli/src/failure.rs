//! What a person sees when a command fails: code, what happened, what to do; and the exit code.

use std::io::Write as _;
use std::process::ExitCode;

use labward_api::ProblemBody;
use labward_base::{ErrorKind, Problem};

/// A command that did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    body: Box<ProblemBody>,
    exit_code: u8,
}

impl Failure {
    /// The failure that the table names, with what varies beside it.
    pub fn new(problem: &Problem, detail: impl Into<Option<String>>) -> Self {
        Self {
            body: Box::new(ProblemBody {
                remark: None,
                code: problem.code.to_owned(),
                what: problem.what.to_owned(),
                todo: problem.todo.to_owned(),
                detail: detail.into(),
                reference: None,
            }),
            exit_code: problem.kind.exit_code(),
        }
    }

    /// What the server answered.
    pub(crate) fn answered(body: ProblemBody) -> Self {
        let kind = Problem::by_code(&body.code).map_or(ErrorKind::Internal, |p| p.kind);
        Self {
            body: Box::new(body),
            exit_code: kind.exit_code(),
        }
    }

    /// Its stable code.
    pub(crate) fn code(&self) -> &str {
        &self.body.code
    }

    /// Prints it to standard error and gives the exit code.
    pub fn report(&self, json: bool) -> ExitCode {
        let mut err = std::io::stderr().lock();
        // Nobody can be told that standard error is gone.
        let _ = if json {
            serde_json::to_writer(&mut err, &self.body)
                .map_err(std::io::Error::from)
                .and_then(|()| writeln!(err))
        } else {
            self.write(&mut err)
        };
        ExitCode::from(self.exit_code)
    }

    fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        writeln!(out, "labward: {} [{}]", self.body.what, self.body.code)?;
        if let Some(detail) = &self.body.detail {
            writeln!(out, "         {detail}")?;
        }
        if let Some(reference) = &self.body.reference {
            writeln!(out, "         reference {reference}")?;
        }
        writeln!(out, "what to do: {}", self.body.todo)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.body.what, self.body.code)?;
        self.body
            .detail
            .as_ref()
            .map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl std::error::Error for Failure {}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_base::problem;

    #[test]
    fn a_failure_says_what_happened_and_what_to_do() {
        let failure = Failure::new(&problem::KEYS_LAST_SLOT, "slot 1".to_owned());
        let mut text = Vec::new();
        failure.write(&mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "labward: this is the last slot, and without it nothing could ever be read again [keys.last-slot]\n\
             \x20        slot 1\n\
             what to do: add another slot and test it before removing this one\n"
        );
        assert_eq!(failure.exit_code, 73);
    }
}
