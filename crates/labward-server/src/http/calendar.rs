//! `hits/calendar`: what is due, for a calendar.
//!
//! It must never make an event of each vulnerability where one document names many, or hold anything of a
//! patient.

use std::collections::BTreeMap;
use std::io::Write;

use labward_base::id::DeviceId;
use labward_base::problem;
use labward_console::language::Texts as _;
use labward_console::said::spoken;
use labward_identity::Language;
use labward_priority::order::{Head, Work, calendar};

use super::call::{Answer, Call};
use super::failure::Failure;
use super::hit::{Seen, View, device_name, saying};

/// `GET hits/calendar`
pub(super) fn due_calendar(call: &Call) -> Result<Answer, Failure> {
    let core = &call.core;
    let view = View::of(core);
    let open = view.sorted(|hit| hit.closed.is_none());
    let work = works(&open);
    let language = call.person.language.unwrap_or(Language::En);
    let lab = core.config().site.name.clone();
    let head = Head {
        name: format!("{lab}: {}", language.text("hits-title")),
        site: lab,
        written: view.now,
    };
    let say = |one: &labward_base::Saying| {
        let here = spoken(language, &saying(one));
        here.unwrap_or_else(|| one.to_string())
    };
    let text = calendar(&head, &work, &view.clocks, say);
    let day: String = view.now.to_rfc3339().chars().take(10).collect();
    let write = move |out: &mut dyn Write| {
        let written = out.write_all(text.as_bytes());
        written.map_err(|source| Failure::new(&problem::SERVER_INTERNAL).with(source.to_string()))
    };
    Ok(Answer::File {
        writer: Box::new(write),
        kind: "text/calendar; charset=utf-8",
        name: format!("labward-due-{day}.ics"),
    })
}

/// One piece of work for each document in each device, whatever number of vulnerabilities it names: that
/// which is due first.
fn works(open: &[Seen<'_>]) -> Vec<Work> {
    let mut counted: BTreeMap<(DeviceId, &str, &str), (&Seen<'_>, usize)> = BTreeMap::new();
    for seen in open {
        let key = &seen.hit.key;
        let place = (seen.hit.device, &*key.publisher, &*key.advisory);
        counted.entry(place).or_insert((seen, 0)).1 += 1;
    }
    let all = counted.into_values().map(|(first, count)| {
        let mut work = work(first);
        if count > 1 {
            work.vulnerability.push_str(&format!(" +{}", count - 1));
        }
        work
    });
    all.collect()
}

fn work(seen: &Seen<'_>) -> Work {
    let name = seen.device.map(device_name);
    Work {
        // It stays the same when another vulnerability of the document is due first.
        hit: format!("{}-{}", seen.hit.device, seen.hit.key.advisory),
        device: name.unwrap_or_else(|| format!("#{}", seen.hit.device)),
        vulnerability: seen.hit.key.vulnerability.clone(),
        advisory: seen.hit.key.advisory.clone(),
        priority: seen.urgency.priority.clone(),
        due: seen.urgency.due,
        standing: seen.urgency.standing.clone(),
    }
}
