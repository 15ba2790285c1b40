//! What is answered when, to new and old mail servers, and what has no place.

use super::*;

fn session() -> Session {
    Session::new(&Memory::of(1 << 20), 1 << 20)
}

fn offer(version: u32, steps: u32) -> Command {
    Command::Negotiate(Options {
        version,
        actions: Actions(0x3f),
        steps: Steps(steps),
    })
}

fn words(text: &str) -> Vec<Vec<u8>> {
    vec![text.as_bytes().to_vec()]
}

fn mail() -> Vec<Command> {
    vec![
        Command::Helo(b"lab.example".to_vec()),
        Command::Mail(words("<a@lab.example>")),
        Command::Rcpt(words("<b@lab.example>")),
        Command::Header(b"Subject".to_vec(), b"one".to_vec()),
        Command::EndOfHeaders,
        Command::Body(b"Dear\r\n".to_vec()),
    ]
}

#[test]
fn a_new_mail_server_is_answered_at_the_end_alone_and_an_old_one_each_time() {
    for (version, steps, answers) in [(6, 0x1f_ffff, false), (2, 0x7f, true)] {
        let mut session = session();
        let agreed = session.take(offer(version, steps)).unwrap();
        assert!(matches!(agreed, Step::Say(Reply::Negotiate(agreed)) if agreed.version == version));
        assert_eq!(session.has_leading_space(), !answers);
        for command in mail() {
            let step = session.take(command.clone()).unwrap();
            let is_answered = matches!(step, Step::Say(Reply::Continue));
            assert_eq!(is_answered, answers, "{command:?}");
        }
        let whole = session
            .take(Command::EndOfMessage(b"end".to_vec()))
            .unwrap();
        let Step::Judge(mail) = whole else {
            panic!("no mail: {whole:?}");
        };
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut mail.reader(), &mut bytes).unwrap();
        let space = if answers { " " } else { "" };
        let expect = format!("Subject:{space}one\r\n\r\nDear\r\nend");
        assert_eq!(String::from_utf8(bytes).unwrap(), expect);
        assert!(!session.is_within_mail());
    }
}

#[test]
fn what_has_no_place_ends_the_line() {
    let kind = |refused: Result<Step, SessionError>| match refused {
        Err(SessionError::OutOfPlace(kind)) => kind,
        other => panic!("taken: {other:?}"),
    };
    assert_eq!(kind(session().take(Command::Mail(words("<>")))), b'M');
    let mut agreed = session();
    agreed.take(offer(6, 0)).unwrap();
    for command in [
        Command::Rcpt(words("<>")),
        Command::EndOfHeaders,
        Command::Body(Vec::new()),
        Command::EndOfMessage(Vec::new()),
    ] {
        let expect = command.kind();
        assert_eq!(kind(agreed.take(command)), expect);
    }
    let cannot = Command::Negotiate(Options {
        version: 6,
        actions: Actions::ADD_HEADERS,
        steps: Steps(0),
    });
    assert!(matches!(
        session().take(cannot),
        Err(SessionError::Milter(MilterError::Incapable))
    ));
}

#[test]
fn a_mail_that_is_given_up_is_gone_and_the_next_one_begins_empty() {
    let memory = Memory::of(1 << 20);
    let mut session = Session::new(&memory, 1 << 20);
    session.take(offer(6, 0x1f_ffff)).unwrap();
    for end in [Command::Abort, Command::QuitForNext] {
        for command in mail() {
            session.take(command).unwrap();
        }
        assert!(session.is_within_content() && memory.used() > 0);
        session.take(end).unwrap();
        assert!(!session.is_within_mail());
        assert_eq!(memory.used(), 0);
    }
    // Whoever begins a mail within a mail has given the first one up.
    for command in mail().into_iter().chain(mail()) {
        session.take(command).unwrap();
    }
    let Ok(Step::Judge(mail)) = session.take(Command::EndOfMessage(Vec::new())) else {
        panic!("no mail");
    };
    assert_eq!(mail.recipients.len(), 1);
}
