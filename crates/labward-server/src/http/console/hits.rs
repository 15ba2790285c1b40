//! The pages of published vulnerabilities that concern devices.
//!
//! It must never decide anything: the API does, in the person's name.

use labward_api::ProblemBody;
use labward_api::advisory::Advisories;
use labward_api::device::DeviceShown;
use labward_api::hit::{
    AcceptHits, HitFilter, HitShown, HitStatement, HitStatements, Hits, StateProducts,
    StateVulnerability, TreatHits, TreatedHits,
};
use labward_base::{problem, remark};
use labward_console::frame::Place;
use labward_console::pages as html;
use labward_console::pages::{DecidingHits, DueList, HITS_READ_MAX, Stating};

use super::form::Form;
use super::pages::{why, written};
use super::visit::{Page, Visit, shown_within};
use crate::http::call::Answer;
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// Hits that the API gives at once.
const AT_ONCE: &str = "1000";
/// Hits that a work order is about at most.
const ORDER_MAX: usize = 60;
/// What the addresses and the forms of the list narrow it by.
const NARROWING: &[&str] = &["state", "verdict", "q", "device", "advisory", "skip"];

/// `GET /hits`
pub(super) fn hits(visit: &Visit) -> Result<Page, Failure> {
    list_with(visit, &visit.query, &DecidingHits::default(), None)
}

fn list_with(
    visit: &Visit,
    narrowed: &Form,
    asked: &DecidingHits,
    fault: Option<&ProblemBody>,
) -> Result<Page, Failure> {
    let filter = filter_of(narrowed);
    let page = gathered(visit, &filter)?;
    let advisories: Advisories = visit.get("advisories?limit=1")?;
    let closed: Hits = visit.get("hits?state=closed&limit=1")?;
    let due = DueList {
        filter: &filter,
        page: &page,
        sources: &advisories.sources,
        closed: closed.total,
    };
    let frame = visit.frame(Place::Hits);
    written(html::due_list(&frame, &due, asked, fault))
}

fn filter_of(form: &Form) -> HitFilter {
    HitFilter {
        q: form.some("q"),
        device: form.text("device").parse().ok(),
        advisory: form.text("advisory").parse().ok(),
        state: form.some("state"),
        verdict: form.some("verdict"),
        skip: form.text("skip").parse().ok(),
        limit: None,
    }
}

/// Every hit that the filter fits, up to the number that a page is made from.
fn gathered(visit: &Visit, filter: &HitFilter) -> Result<Hits, Failure> {
    let mut all: Option<Hits> = None;
    let mut skip = 0;
    loop {
        let page = asked_for(visit, filter, skip)?;
        let next = page.next;
        let all = match &mut all {
            None => all.insert(page),
            Some(all) => {
                all.hits.extend(page.hits);
                all.next = next;
                all
            }
        };
        match next.filter(|_| all.hits.len() < HITS_READ_MAX) {
            Some(next) => skip = next,
            None => return Ok(std::mem::take(all)),
        }
    }
}

fn asked_for(visit: &Visit, filter: &HitFilter, skip: u32) -> Result<Hits, Failure> {
    let number = |number: Option<u64>| number.map(|one| one.to_string());
    let pairs = [
        ("q", filter.q.clone()),
        ("device", number(filter.device)),
        ("advisory", number(filter.advisory)),
        ("state", filter.state.clone()),
        ("verdict", filter.verdict.clone()),
        ("skip", number(Some(u64::from(skip)))),
        ("limit", Some(AT_ONCE.to_owned())),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, text) in pairs {
        if let Some(text) = text {
            query.append_pair(name, &text);
        }
    }
    visit.get(&format!("hits?{}", query.finish()))
}

/// The open hits of a device.
pub(super) fn of_device(visit: &Visit, device: &str, state: &str) -> Result<Hits, Failure> {
    let filter = HitFilter {
        device: Some(number(device)?),
        state: Some(state.to_owned()),
        ..HitFilter::default()
    };
    gathered(visit, &filter)
}

/// `POST /hits/decide`: about what is ticked in the list, or about the one hit of a page.
pub(super) fn decide(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let asked = asked(form);
    let hit = form.some("hit");
    match decided(visit, &asked) {
        Ok(_) => Ok(Page::To(match hit {
            Some(hit) => format!("/hits/{}?done=hits-decided", number(&hit)?),
            None => format!("{}&done=hits-decided", list_address(form)),
        })),
        Err(failure) => {
            let fault = shown_within(failure)?;
            match hit {
                Some(hit) => hit_with(visit, &hit, &asked, &Stating::default(), Some(&fault)),
                None => list_with(visit, form, &asked, Some(&fault)),
            }
        }
    }
}

fn asked(form: &Form) -> DecidingHits {
    let ids = form.all("hits").flat_map(|ids| ids.split(','));
    DecidingHits {
        hits: ids.filter_map(|id| id.parse().ok()).collect(),
        kind: form.text("kind").to_owned(),
        approved: form.text("approved").to_owned(),
        until: form.text("until").to_owned(),
        why: form.text("why").to_owned(),
    }
}

fn decided(visit: &Visit, asked: &DecidingHits) -> Result<TreatedHits, Failure> {
    let hits = asked.hits.iter().copied().collect();
    let (kind, why) = (asked.kind.clone(), asked.why.clone());
    if matches!(asked.kind.as_str(), "accept" | "replace") {
        let until = asked.until.clone();
        let body = AcceptHits {
            hits,
            kind,
            until,
            why,
        };
        return visit.post("hits/accept", &[], &body);
    }
    let approved = match (asked.kind.as_str(), asked.approved.as_str()) {
        ("patch", "yes") => Some(true),
        ("patch", "no") => Some(false),
        _ => None,
    };
    let body = TreatHits {
        hits,
        kind,
        approved,
        why,
    };
    visit.post("hits/treat", &[], &body)
}

/// The address of the list as the form has it narrowed.
fn list_address(form: &Form) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in NARROWING {
        if let Some(text) = form.some(name) {
            query.append_pair(name, &text);
        }
    }
    format!("/hits?{}", query.finish())
}

/// `GET /hits/calendar`
pub(super) fn calendar(visit: &Visit) -> Result<Page, Failure> {
    match visit.call(Verb::Get, "hits/calendar", &[], Vec::new())? {
        Answer::File { writer, kind, name } => Ok(Page::File { writer, name, kind }),
        Answer::Json(_) | Answer::Stream(_) => Err(Failure::new(&problem::SERVER_INTERNAL)),
    }
}

/// `GET /hits/matrix`
pub(super) fn matrix(visit: &Visit) -> Result<Page, Failure> {
    let page = gathered(visit, &HitFilter::default())?;
    written(html::hits_matrix(&visit.frame(Place::Hits), &page))
}

/// `GET /hits/{id}`
pub(super) fn hit(visit: &Visit) -> Result<Page, Failure> {
    let id = visit.text("id");
    let nothing = (DecidingHits::default(), Stating::default());
    hit_with(visit, id, &nothing.0, &nothing.1, None)
}

fn hit_with(
    visit: &Visit,
    id: &str,
    deciding: &DecidingHits,
    stating: &Stating,
    fault: Option<&ProblemBody>,
) -> Result<Page, Failure> {
    let one = one(visit, id)?;
    let frame = visit.frame(Place::Hits);
    written(html::hit(&frame, &one, deciding, stating, fault))
}

fn one(visit: &Visit, id: &str) -> Result<HitShown, Failure> {
    visit.ask(Verb::Get, "hits/{id}", &[("id", id)], Vec::new())
}

/// `POST /hits/{id}/products`
pub(super) fn products(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let text = |name| form.text(name).to_owned();
    let asked = StateProducts {
        manufacturer: text("manufacturer"),
        model: text("model"),
        vendor: text("vendor"),
        product: text("product"),
        same: form.text("same") == "yes",
        why: text("why"),
    };
    let stated = visit.post::<HitStatement>("hits/products", &[], &asked);
    after_stating(visit, stated, &Stating::default())
}

/// `POST /hits/{id}/vulnerability`
pub(super) fn vulnerability(visit: &Visit) -> Result<Page, Failure> {
    let form = &visit.form;
    let stating = Stating {
        status: form.text("status").to_owned(),
        this_version: !form.text("this-version").is_empty(),
        why: form.text("why").to_owned(),
    };
    let asked = StateVulnerability {
        hit: number(visit.text("id"))?,
        status: stating.status.clone(),
        this_version: stating.this_version,
        why: stating.why.clone(),
    };
    let stated = visit.post::<HitStatement>("hits/vulnerability", &[], &asked);
    after_stating(visit, stated, &stating)
}

fn after_stating(
    visit: &Visit,
    stated: Result<HitStatement, Failure>,
    stating: &Stating,
) -> Result<Page, Failure> {
    let id = visit.text("id");
    match stated {
        Ok(_) => Ok(Page::To(format!("/hits/{}?done=hit-stated", number(id)?))),
        Err(failure) => {
            let fault = shown_within(failure)?;
            hit_with(visit, id, &DecidingHits::default(), stating, Some(&fault))
        }
    }
}

/// `GET /hits/statements`
pub(super) fn statements(visit: &Visit) -> Result<Page, Failure> {
    statements_with(visit, None)
}

fn statements_with(visit: &Visit, fault: Option<&ProblemBody>) -> Result<Page, Failure> {
    let all: HitStatements = visit.get("hits/statements")?;
    let frame = visit.frame(Place::Hits);
    written(html::hit_statements(&frame, &all.statements, fault))
}

/// `POST /hits/statements/{id}/withdraw`, from the page of a hit or from the list.
pub(super) fn withdraw(visit: &Visit) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    let done = visit.post::<HitStatement>("hits/statements/{id}/withdraw", &params, &why(visit));
    let hit = visit.form.some("hit");
    match (done, hit) {
        (Ok(_), Some(hit)) => {
            let id = number(&hit)?;
            Ok(Page::To(format!("/hits/{id}?done=hit-withdrawn")))
        }
        (Ok(_), None) => Ok(Page::To("/hits/statements?done=hit-withdrawn".to_owned())),
        (Err(failure), Some(hit)) => {
            let fault = shown_within(failure)?;
            let nothing = (DecidingHits::default(), Stating::default());
            hit_with(visit, &hit, &nothing.0, &nothing.1, Some(&fault))
        }
        (Err(failure), None) => statements_with(visit, Some(&shown_within(failure)?)),
    }
}

/// `GET /hits/{id}/order`
pub(super) fn order(visit: &Visit) -> Result<Page, Failure> {
    let one = one(visit, visit.text("id"))?;
    let (id, device) = (one.hit.id, one.hit.device.id.to_string());
    order_of(visit, &device, &[one], 0, &format!("/hits/{id}"))
}

/// `GET /devices/{id}/order`
pub(super) fn device_order(visit: &Visit) -> Result<Page, Failure> {
    let device = visit.text("id");
    let open = of_device(visit, device, "untreated")?;
    let ids = open.hits.iter().take(ORDER_MAX);
    let shown = ids.map(|hit| one(visit, &hit.id.to_string()));
    let shown: Vec<HitShown> = shown.collect::<Result<_, _>>()?;
    let count = u64::try_from(shown.len()).unwrap_or(u64::MAX);
    let left_out = open.total.saturating_sub(count);
    order_of(
        visit,
        device,
        &shown,
        left_out,
        &format!("/devices/{device}"),
    )
}

fn order_of(
    visit: &Visit,
    device: &str,
    hits: &[HitShown],
    left_out: u64,
    back: &str,
) -> Result<Page, Failure> {
    let params = [("id", device)];
    let device: DeviceShown = visit.ask(Verb::Get, "devices/{id}", &params, Vec::new())?;
    let frame = visit.frame(Place::Hits);
    written(html::hit_order(
        &frame,
        &device.device,
        hits,
        left_out,
        back,
    ))
}

/// A number of a path or a form.
fn number(text: &str) -> Result<u64, Failure> {
    text.parse()
        .map_err(|_| Failure::misunderstood(remark::query_form()))
}
