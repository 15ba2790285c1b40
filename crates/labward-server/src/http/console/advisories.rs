//! The pages of what publishers say.
//!
//! It must never decide anything: the API does, in the person's name.

use std::io::{Cursor, Write as _};

use axum::body::Bytes;
use labward_api::ProblemBody;
use labward_api::advisory::{
    Advisories, AdvisoryFilter, AdvisoryShown, ImportAdvisories, ImportedAdvisories,
};
use labward_base::problem;
use labward_console::frame::Place;
use labward_console::pages as html;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::form::File;
use super::pages::written;
use super::visit::{Page, Visit, shown_within};
use crate::http::endpoint::Verb;
use crate::http::failure::Failure;

/// `GET /advisories`
pub(super) fn advisories(visit: &Visit) -> Result<Page, Failure> {
    let filter = AdvisoryFilter {
        q: visit.query.some("q"),
        source: visit.query.some("source"),
        state: visit.query.some("state"),
        skip: visit.query.text("skip").parse().ok(),
        limit: Some(html::ADVISORIES_ON_PAGE),
    };
    let number = |number: Option<u32>| number.map(|one| one.to_string());
    let pairs = [
        ("q", filter.q.clone()),
        ("source", filter.source.clone()),
        ("state", filter.state.clone()),
        ("skip", number(filter.skip)),
        ("limit", number(filter.limit)),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, text) in pairs {
        if let Some(text) = text {
            query.append_pair(name, &text);
        }
    }
    let page: Advisories = visit.get(&format!("advisories?{}", query.finish()))?;
    let frame = visit.frame(Place::Hits);
    written(html::advisories(&frame, &filter, &page))
}

/// `GET /advisories/import`
pub(super) fn choose(visit: &Visit) -> Result<Page, Failure> {
    let asked = ImportAdvisories {
        source: "import".to_owned(),
        ..ImportAdvisories::default()
    };
    import_with(visit, &asked, None, None)
}

/// `POST /advisories/import`
pub(super) fn import(visit: &Visit) -> Result<Page, Failure> {
    let (file, bytes) = match visit.form.files() {
        [one] => (one.name.clone(), one.bytes.clone()),
        [] => (String::new(), Bytes::new()),
        several => ("upload.zip".to_owned(), packed(several)?),
    };
    let asked = ImportAdvisories {
        source: visit.form.text("source").trim().to_owned(),
        file,
        preview: !visit.form.text("preview").is_empty(),
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("source", &asked.source)
        .append_pair("file", &asked.file)
        .append_pair("preview", if asked.preview { "true" } else { "false" });
    let path = format!("advisories/import?{}", query.finish());
    match visit.ask::<ImportedAdvisories>(Verb::Post, &path, &[], bytes) {
        Ok(read) => import_with(visit, &asked, Some(&read), None),
        Err(failure) => import_with(visit, &asked, None, Some(&shown_within(failure)?)),
    }
}

fn import_with(
    visit: &Visit,
    asked: &ImportAdvisories,
    read: Option<&ImportedAdvisories>,
    fault: Option<&ProblemBody>,
) -> Result<Page, Failure> {
    let known: Advisories = visit.get("advisories?limit=1")?;
    let frame = visit.frame(Place::Hits);
    let page = html::advisories_import(&frame, asked, &known.sources, read, fault);
    written(page)
}

/// Several files as the API takes them: a document finds there what was chosen beside it.
fn packed(files: &[File]) -> Result<Bytes, Failure> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut pack = || {
        for file in files {
            zip.start_file(file.name.as_str(), options)?;
            zip.write_all(&file.bytes)?;
        }
        Ok::<(), zip::result::ZipError>(())
    };
    let refused = |_| Failure::new(&problem::ADVISORY_BAD_FILE);
    pack().map_err(refused)?;
    let packed = zip.finish().map_err(refused)?;
    Ok(Bytes::from(packed.into_inner()))
}

/// `GET /advisories/{id}`
pub(super) fn advisory(visit: &Visit) -> Result<Page, Failure> {
    let params = [("id", visit.text("id"))];
    let one: AdvisoryShown = visit.ask(Verb::Get, "advisories/{id}", &params, Vec::new())?;
    written(html::advisory(&visit.frame(Place::Hits), &one))
}
