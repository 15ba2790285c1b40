//! The console: how long the server takes for each page when a lab has kept much.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::load::Load;
use super::message::{Messages, mrn, name, registrations};
use super::process::{Used, used};
use super::report::Findings;
use super::row::{Figure, Goal, Row};
use super::{Bench, Context};
use crate::guard::{Guarded, Workplace, free_ports, loopback};
use crate::installation::{self, Installation, Link};

pub(super) const BENCH: Bench = Bench {
    name: "console",
    title: "The console",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
The release program with 1,000,000 registered patients of different names, then so many results of them through
a link (`--stored`; 1,000,000 if not said) over mutual TLS, then a restart. A person who holds every role asks
for one page after the other over TLS, one request a connection; the time is from the request's first byte to
the answer's last, without the handshake, and what the page holds is checked. Figures are of all requests for
one page, each about another patient, record or entry where the page is about one; nothing else runs, and
everything else that the lab keeps lies in the system's memory as far as it fits.

*Search* is what a person types into the console's search page: with a reason, answered masked, and each with a
synced ledger entry of its own before it is answered.
";

/// How much is kept, and how often each page is asked for.
#[derive(Clone, Copy)]
struct Size {
    patients: u64,
    requests: u32,
}

const FULL: Size = Size {
    patients: 1_000_000,
    requests: 50,
};

const QUICK: Size = Size {
    patients: 2_000,
    requests: 3,
};

/// Registrations in one file.
const PER_FILE: u64 = 10_000;

/// Beside a lab that is kept: the port of its console.
const PORT: &str = "port";

/// Connections that fill the lab.
const FILLERS: usize = 256;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(1_200);

/// The password of the person who looks.
const PASSWORD: &str = "velvet tractor mango plinth 7";

/// Every role of the lab itself: a page shows most to somebody who may see all of it.
const ROLES: [&str; 5] = [
    "administrator",
    "security-officer",
    "lab-manager",
    "clinical-staff",
    "it",
];

const MEDIAN: Figure = Figure::less("ms p50");
const P95: Figure = Figure::less("ms p95");

/// First paint of any page, issue of the console: 100 ms of server time.
const PAGE: Goal = Goal::AtMost(100.0);
/// A search while somebody types: 50 ms.
const SEARCH: Goal = Goal::AtMost(50.0);

fn run(context: &Context<'_>) -> Result<Findings> {
    let size = context.size(FULL, QUICK);
    let program = installation::build()?;
    let kept = match &context.options.kept {
        Some(folder) => Some(Workplace::kept(folder.clone())?),
        None => None,
    };
    let place = kept.as_ref().unwrap_or(context.place);
    let (lab, console) = match Installation::made(&program, place, "lab") {
        Some(lab) => (lab, port_of(place)?),
        None => fill(&program, place, context, size)?,
    };

    let begin = Instant::now();
    let server = lab.serve()?;
    let open = begin.elapsed().as_secs_f64();
    let entries = status_entries(&lab)?;
    let code = person(&lab, entries)?;
    let mut visitor = Visitor::new(&lab, console)?;
    visitor.join(&login_of(entries), &code)?;
    let named = until_named(&mut visitor, size, begin)?;
    let mut rows = vec![
        Row::alone("start until it is open", Figure::less("s"), &[open]),
        Row::alone("start until names are found", Figure::less("s"), &[named]),
    ];
    for asked in PAGES {
        let times = asked.measure(&mut visitor, size)?;
        eprintln!("bench console: {}: {:.1} ms p95", asked.name, times.p95);
        rows.push(Row::alone(asked.name, MEDIAN, &[times.p50]));
        rows.push(Row::alone(asked.name, P95, &[times.p95]).goal(Some(asked.goal)));
    }
    rows.push(memory(context, &server)?);
    server.stop()?;
    Ok(Findings {
        how: format!(
            "{} patients, {entries} entries; {} requests for each page.",
            size.patients, size.requests
        ),
        rows,
    })
}

/// Makes the lab and fills it; gives it with the port of its console. `port` is written last: a folder
/// without it holds a lab that is not whole.
fn fill(
    program: &Path,
    place: &Workplace,
    context: &Context<'_>,
    size: Size,
) -> Result<(Installation, u16)> {
    let stored = context.options.stored;
    let [fill, console] = free_ports()?;
    let link = Link::mutual_tls("fill", fill, "");
    let lab = Installation::create(program, place, "lab", &[link])?;
    lab.open_console(console)?;
    let server = lab.serve()?;
    let begin = Instant::now();
    register(&lab, place, size.patients)?;
    eprintln!(
        "bench console: {} patients in {:.0} s",
        size.patients,
        begin.elapsed().as_secs_f64()
    );
    let begin = Instant::now();
    let load = Load {
        address: loopback(fill),
        bundle: &lab.add_peer("fill", place)?,
        connections: FILLERS,
        warm_up: Duration::ZERO,
        window: Duration::ZERO,
        processes: &[],
        tick_us: context.tick_us,
    };
    load.fill(&Messages::of_registered(size.patients), stored)
        .context("store messages")?;
    eprintln!(
        "bench console: {stored} messages in {:.0} s",
        begin.elapsed().as_secs_f64()
    );
    server.stop()?;
    std::fs::write(place.join(PORT), console.to_string()).context("keep the port")?;
    Ok((lab, console))
}

/// The port of the console of a lab that is kept.
fn port_of(place: &Workplace) -> Result<u16> {
    let text = std::fs::read_to_string(place.join(PORT));
    let port = text.ok().and_then(|text| text.parse().ok());
    port.context("the kept lab is not whole; remove its folder")
}

fn memory(context: &Context<'_>, server: &Guarded) -> Result<Row> {
    let used: Used = used(server.id(), context.tick_us)?;
    Ok(Row::alone(
        "afterwards",
        Figure::less("RSS MB"),
        &[used.rss_mb()],
    ))
}

/// Somebody new who may see everything; gives the code of their invitation.
fn person(lab: &Installation, entries: u64) -> Result<String> {
    let name = login_of(entries);
    let mut words = vec!["person", "add", &name];
    for role in ROLES {
        words.extend(["--role", role]);
    }
    lab.labward(&words)?;
    let invited = lab.json(&["person", "invite", &name])?;
    let code = invited.get("code").and_then(serde_json::Value::as_str);
    Ok(code.context("an invitation has a code")?.to_owned())
}

/// The login of that person: another one each time the lab is measured.
fn login_of(entries: u64) -> String {
    format!("reader{entries}")
}

/// Brings the patients.
fn register(lab: &Installation, place: &Workplace, patients: u64) -> Result<()> {
    let file = place.join("registrations.hl7");
    let path = file.to_string_lossy().into_owned();
    let mut done = 0;
    while done < patients {
        let end = (done + PER_FILE).min(patients);
        std::fs::write(&file, registrations(done..end))?;
        lab.labward(&["record", "import", &path, "--why", "a measurement"])?;
        done = end;
    }
    std::fs::remove_file(&file)?;
    Ok(())
}

/// Entries of the ledger.
fn status_entries(lab: &Installation) -> Result<u64> {
    let page = lab.json(&["ledger", "list", "--limit", "1"])?;
    let size = page.get("size").and_then(serde_json::Value::as_u64);
    size.context("a page says how long the ledger is")
}

/// Waits until a name is found, and says when that was.
fn until_named(visitor: &mut Visitor, size: Size, begin: Instant) -> Result<f64> {
    loop {
        let (family, _) = name(size.patients - 1);
        let answered = visitor.search(&[("name", &family)])?;
        if !answered.contains("<div class=\"alert alert-warning\">") {
            return Ok(begin.elapsed().as_secs_f64());
        }
        ensure!(begin.elapsed() < PATIENCE, "names are never found");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A page that is measured.
struct Asked {
    /// What stands in the table.
    name: &'static str,
    goal: Goal,
    /// Makes ready for one request, which is not measured.
    prepare: fn(&mut Visitor, u64) -> Result<Request>,
    /// What stands in every answer.
    holds: &'static str,
}

/// One request.
struct Request {
    verb: &'static str,
    path: String,
    form: String,
}

/// Of the requests for one page, in ms.
struct Times {
    p50: f64,
    p95: f64,
}

macro_rules! page {
    ($path:literal, $holds:literal) => {
        Asked {
            name: concat!("page ", $path),
            goal: PAGE,
            prepare: |_, _| Ok(Request::get($path)),
            holds: $holds,
        }
    };
}

const PAGES: &[Asked] = &[
    page!("/", "<h1"),
    page!("/flow", "fill"),
    page!("/messages", "/messages/"),
    Asked {
        name: "page of one message",
        goal: PAGE,
        prepare: |visitor, turn| {
            let (_, record) = visitor.hit(turn)?;
            Ok(Request::get(format!("/messages/{record}")))
        },
        holds: "<h1",
    },
    page!("/records", "<form"),
    Asked {
        name: "search by MRN",
        goal: SEARCH,
        prepare: |visitor, turn| Ok(visitor.searching(&[("mrn", &mrn(visitor.patient(turn)))])),
        holds: "patients/view",
    },
    Asked {
        name: "search by family name",
        goal: SEARCH,
        prepare: |visitor, turn| {
            let (family, _) = name(visitor.patient(turn));
            Ok(visitor.searching(&[("name", &family)]))
        },
        holds: "patients/view",
    },
    Asked {
        name: "search by the beginning of a name",
        goal: SEARCH,
        prepare: |visitor, turn| {
            let (family, _) = name(visitor.patient(turn));
            let begin = family.get(..6).unwrap_or_default().to_owned();
            Ok(visitor.searching(&[("name", &begin)]))
        },
        holds: "patients/view",
    },
    Asked {
        name: "search by a name with a typing error",
        goal: SEARCH,
        prepare: |visitor, turn| {
            let (family, given) = name(visitor.patient(turn));
            let mut letters: Vec<char> = family.chars().collect();
            letters.swap(0, 1);
            let wrong: String = letters.into_iter().collect();
            Ok(visitor.searching(&[("name", &format!("{wrong} {given}"))]))
        },
        holds: "patients/view",
    },
    Asked {
        name: "one report",
        goal: PAGE,
        prepare: |visitor, turn| {
            let (_, record) = visitor.hit(turn)?;
            Ok(visitor.form("/records/view", &[("record", &record)]))
        },
        holds: "<h1",
    },
    Asked {
        name: "all results of a patient",
        goal: PAGE,
        prepare: |visitor, turn| {
            let (patient, _) = visitor.hit(turn)?;
            Ok(visitor.form("/patients/view", &[("patient", &patient)]))
        },
        holds: "<h1",
    },
    Asked {
        name: "who looked at a patient",
        goal: PAGE,
        prepare: |visitor, turn| {
            let (patient, _) = visitor.hit(turn)?;
            Ok(visitor.form("/patients/accesses", &[("patient", &patient)]))
        },
        holds: "<h1",
    },
    page!("/ledger", "/ledger/entries/"),
    page!("/ledger?action=record.searched", "/ledger/entries/"),
    page!("/ledger?actor=person:", "/ledger/entries/"),
    // Nothing of the newest entries: as many are looked at as one page may.
    page!("/ledger?actor=person:2", "<tbody>"),
    page!("/ledger/entries/1000", "<h1"),
    page!("/ledger/entries/1000/proof", "c2sp.org"),
    page!("/safeguards", "164.312"),
    page!("/people", "reader"),
    page!("/people/import", "<textarea"),
    page!("/break-glass", "<form"),
    page!("/break-glass/reviews", "<h1"),
    page!("/first-analyzer", "<form"),
    page!("/reference", "/api/v1/"),
    page!("/settings", "<h1"),
    page!("/me", "<h1"),
];

impl Request {
    fn get(path: impl Into<String>) -> Self {
        Self {
            verb: "GET",
            path: path.into(),
            form: String::new(),
        }
    }
}

impl Asked {
    fn measure(&self, visitor: &mut Visitor, size: Size) -> Result<Times> {
        visitor.patients = size.patients;
        let mut times = Vec::new();
        for turn in 0..size.requests {
            let request = (self.prepare)(visitor, turn.into())
                .with_context(|| format!("prepare {}", self.name))?;
            let (answer, took) = visitor.ask(&request)?;
            ensure!(
                answer.status == 200 && answer.text.contains(self.holds),
                "{}: {} is answered with {}: {}",
                self.name,
                request.path,
                answer.status,
                answer.text
            );
            times.push(took.as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        let at = |part: usize| {
            let index = (times.len() * part).div_ceil(100).saturating_sub(1);
            times.get(index).copied().unwrap_or(f64::NAN)
        };
        Ok(Times {
            p50: at(50),
            p95: at(95),
        })
    }
}

/// An answer.
struct Answer {
    status: u16,
    text: String,
}

/// Somebody with a session.
struct Visitor {
    port: u16,
    config: Arc<ClientConfig>,
    cookie: String,
    csrf: String,
    patients: u64,
}

impl Visitor {
    fn new(lab: &Installation, port: u16) -> Result<Self> {
        let authority = lab.data().join("tls/authority.pem");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            port,
            config: Arc::new(config),
            cookie: String::new(),
            csrf: String::new(),
            patients: 1,
        })
    }

    /// Takes an invitation.
    fn join(&mut self, login: &str, code: &str) -> Result<()> {
        let fields = [
            ("code", code),
            ("login", login),
            ("password", PASSWORD),
            ("again", PASSWORD),
        ];
        let (answer, _) = self.ask(&self.form("/join", &fields))?;
        ensure!(answer.status == 303, "no session: {}", answer.text);
        let (answer, _) = self.ask(&Request::get("/me"))?;
        self.csrf = hidden(&answer.text, "csrf").context("a page has its token")?;
        Ok(())
    }

    /// A patient that differs from turn to turn.
    fn patient(&self, turn: u64) -> u64 {
        (turn + 1).wrapping_mul(7_907_693) % self.patients
    }

    fn searching(&self, criteria: &[(&str, &str)]) -> Request {
        self.form("/records", criteria)
    }

    fn search(&mut self, criteria: &[(&str, &str)]) -> Result<String> {
        let (answer, _) = self.ask(&self.searching(criteria))?;
        ensure!(answer.status == 200, "no search: {}", answer.text);
        Ok(answer.text)
    }

    /// The numbers of a patient and of the newest record of it.
    fn hit(&mut self, turn: u64) -> Result<(String, String)> {
        let found = self.search(&[("mrn", &mrn(self.patient(turn)))])?;
        let both = hidden(&found, "patient").zip(hidden(&found, "record"));
        both.with_context(|| format!("a hit has its numbers: {found}"))
    }

    /// A form with a reason.
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        let encoded = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte.is_ascii_alphanumeric() {
                    true => char::from(byte).to_string(),
                    false => format!("%{byte:02X}"),
                })
                .collect()
        };
        let with = [("csrf", self.csrf.as_str()), ("why", "a measurement")];
        let pairs: Vec<String> = fields
            .iter()
            .chain(&with)
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        Request {
            verb: "POST",
            path: path.to_owned(),
            form: pairs.join("&"),
        }
    }

    /// Asks on a connection of its own, and says how long the answer took.
    fn ask(&mut self, request: &Request) -> Result<(Answer, Duration)> {
        let stream = TcpStream::connect(loopback(self.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from("localhost")?;
        let connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let text = format!(
            "{} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nuser-agent: bench\r\n\
             sec-fetch-site: same-origin\r\naccept-language: en\r\ncookie: __Host-labward={}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{}",
            request.verb,
            request.path,
            self.cookie,
            request.form.len(),
            request.form
        );
        let begin = Instant::now();
        stream.write_all(text.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let took = begin.elapsed();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        if let Some((_, set)) = text.split_once("set-cookie: __Host-labward=") {
            self.cookie = set.split(';').next().unwrap_or_default().to_owned();
        }
        let status = status.context("an answer has a status")?;
        Ok((Answer { status, text }, took))
    }
}

/// The value of the first hidden field of this name.
fn hidden(page: &str, name: &str) -> Option<String> {
    let (_, behind) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    behind.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_field_is_found_by_its_name() {
        let page =
            "<input type=\"hidden\" name=\"csrf\" value=\"abc\"><input name=\"x\" value=\"\">";
        assert_eq!(hidden(page, "csrf").as_deref(), Some("abc"));
        assert_eq!(hidden(page, "record"), None);
    }
}
