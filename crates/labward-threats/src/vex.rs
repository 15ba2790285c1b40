//! What publishers say in VEX documents of the vulnerabilities of a device, and what of it decides.
//!
//! It must never let the word of somebody else than the device's maker decide, "not affected" without a reason, or any
//! word against what a person of the lab said.

use std::collections::HashMap;

use labward_advisory::cyclonedx::Bom;
use labward_advisory::openvex::OpenVex;
use labward_advisory::{Purl, Text};
use labward_matching::{
    Answer, Published, PublishedProduct, PublishedStatement, Verdict, VexStatus, VulnerabilityId,
    reason_in_csaf,
};
use labward_product::name::normal_form;
use labward_product::vendor::{Evidence, VendorBook, VendorMatch};

use crate::hit::{Judged, PublishedAnswer};
use crate::library::Library;
use crate::rematch::Subject;

/// What firms call those of their people who publish, at the end of their name.
const TEAMS: &[&str] = &[
    "cert",
    "cybersecurity",
    "global",
    "incident",
    "office",
    "product",
    "productcert",
    "psirt",
    "response",
    "security",
    "team",
];
/// Answers of publishers that are told of one hit at most.
const TOLD_MAX: usize = 20;

/// A document with statements of VEX, prepared.
#[derive(Clone, Debug)]
pub struct VexDocument {
    /// Who says it.
    pub publisher: String,
    /// What it is about, in words.
    pub title: String,
    /// What it says.
    pub published: Published,
    by_vulnerability: HashMap<VulnerabilityId, Vec<usize>>,
}

impl VexDocument {
    pub(crate) fn of_openvex(document: &OpenVex) -> Self {
        let title = document.id.to_string();
        Self::new(
            document.author.to_string(),
            title,
            Published::of_openvex(document),
        )
    }

    pub(crate) fn of_cyclonedx(bom: &Bom) -> Self {
        let subject = bom.subject.and_then(|place| bom.components.get(place));
        let publisher = subject.and_then(|one| one.supplier.as_deref());
        let title = subject.map(|one| match &one.version {
            Some(version) => format!("{} {version}", one.name),
            None => one.name.to_string(),
        });
        let published = Published::of_cyclonedx(bom);
        Self::new(
            publisher.unwrap_or_default().to_owned(),
            title.unwrap_or_default(),
            published,
        )
    }

    fn new(publisher: String, title: String, published: Published) -> Self {
        let mut by_vulnerability: HashMap<VulnerabilityId, Vec<usize>> = HashMap::new();
        for (place, one) in published.statements.iter().enumerate() {
            for id in &one.vulnerability {
                by_vulnerability.entry(id.clone()).or_default().push(place);
            }
        }
        Self {
            publisher,
            title,
            published,
            by_vulnerability,
        }
    }

    fn about<'d>(
        &'d self,
        ids: &'d [VulnerabilityId],
    ) -> impl Iterator<Item = &'d PublishedStatement> {
        let places = ids.iter().filter_map(|id| self.by_vulnerability.get(id));
        let mut places: Vec<usize> = places.flatten().copied().collect();
        places.sort_unstable();
        places.dedup();
        let all = &self.published.statements;
        places.into_iter().filter_map(|place| all.get(place))
    }
}

/// What the maker's own advisories and VEX documents in CSAF say of the device.
struct Own {
    vulnerability: VulnerabilityId,
    answer: PublishedAnswer,
}

/// Adds to each thing that was judged of a device what publishers say of it, and lets the maker's word decide.
pub(crate) fn answer(
    vendors: &VendorBook,
    library: &Library,
    subject: &Subject,
    answered: &[Answer],
    judged: &mut [Judged],
) {
    let own = own(vendors, library, subject, answered);
    if own.is_empty() && library.vex_documents().next().is_none() {
        return;
    }
    let is_maker = |publisher: &str| is_maker(vendors, publisher, &subject.device.manufacturer);
    for one in judged.iter_mut().filter(|one| !one.is_summed) {
        let ids = ids(one);
        let of_csaf = own.iter().filter(|said| ids.contains(&said.vulnerability));
        let of_csaf = of_csaf.filter(|said| said.answer.document != one.document);
        let mut told: Vec<PublishedAnswer> = of_csaf.map(|said| said.answer.clone()).collect();
        for (document, vex) in library.vex_documents() {
            let by_maker = is_maker(&vex.publisher);
            for statement in vex.about(&ids) {
                let places = applies(vendors, statement, subject, one).into_iter();
                told.extend(places.map(|component| PublishedAnswer {
                    document,
                    status: statement.status,
                    justification: statement.justification,
                    words: statement.words.clone(),
                    component,
                    said: statement.said,
                    is_by_maker: by_maker,
                    counts: false,
                }));
            }
        }
        told.sort_by_key(|one| std::cmp::Reverse((one.said, one.document)));
        told.truncate(TOLD_MAX);
        one.published = told;
        // What a person of the lab said stands before it.
        if one.is_stated {
            continue;
        }
        if let Some(status) = decide(&mut one.published, &one.components) {
            one.without.get_or_insert(one.verdict);
            one.weigh(status);
        }
    }
}

/// The ids under which publishers may speak of it.
fn ids(one: &Judged) -> Vec<VulnerabilityId> {
    let own = one.key.vulnerability.parse::<VulnerabilityId>().ok();
    let others = one.told.iter().flat_map(|told| &told.names).cloned();
    own.into_iter().chain(others).collect()
}

/// What counts of what was said, the newest first: what the maker says of the device or, where each component that decides
/// is spoken of, of all of them.
fn decide(told: &mut [PublishedAnswer], components: &[usize]) -> Option<VexStatus> {
    let counts = |one: &PublishedAnswer| {
        let has_reason = one.justification.is_some()
            || one
                .words
                .as_deref()
                .is_some_and(|text| !text.trim().is_empty());
        one.is_by_maker && (one.status != VexStatus::NotAffected || has_reason)
    };
    let is_of_device = |one: &&mut PublishedAnswer| one.component.is_none() && counts(one);
    if let Some(one) = told.iter_mut().find(is_of_device) {
        one.counts = true;
        return Some(one.status);
    }
    let mut found: Vec<usize> = Vec::new();
    for component in components {
        let of_it = |one: &PublishedAnswer| one.component == Some(*component) && counts(one);
        found.push(told.iter().position(of_it)?);
    }
    let mut statuses = Vec::new();
    for place in found {
        let one = told.get_mut(place)?;
        one.counts = true;
        statuses.push(one.status);
    }
    let severe = [
        VexStatus::Affected,
        VexStatus::UnderInvestigation,
        VexStatus::NotAffected,
        VexStatus::Fixed,
    ];
    severe.into_iter().find(|status| statuses.contains(status))
}

/// What a statement is about, of a device: `None` stands for the device, `Some` for a component that decides.
fn applies(
    vendors: &VendorBook,
    statement: &PublishedStatement,
    subject: &Subject,
    judged: &Judged,
) -> Vec<Option<usize>> {
    let device = &subject.device;
    let bill = subject.parts.as_ref().map(|parts| &parts.bill);
    let components = || {
        let all = bill
            .map(|bill| bill.components.as_slice())
            .unwrap_or_default();
        let places = judged.components.iter();
        places.filter_map(|place| Some((*place, all.get(*place)?)))
    };
    let whole = bill.and_then(|bill| bill.subject.as_ref());
    match &statement.product {
        PublishedProduct::Named {
            vendor,
            name,
            version,
        } => {
            let names = [&device.model, &device.product];
            let is_named = names
                .iter()
                .any(|own| !own.is_empty() && normal_form(own) == normal_form(name));
            let same = is_maker(vendors, vendor, &device.manufacturer)
                && is_named
                && version.trim().eq_ignore_ascii_case(device.version.trim());
            if same { vec![None] } else { Vec::new() }
        }
        PublishedProduct::Package(_) => {
            let is_about = |purl: Option<&Purl>| purl.is_some_and(|purl| statement.is_about(purl));
            if is_about(whole.and_then(|one| one.purl.as_ref())) {
                return vec![None];
            }
            let about = components().filter(|(_, one)| is_about(one.purl.as_ref()));
            about.map(|(place, _)| Some(place)).collect()
        }
        PublishedProduct::Linked { serial, reference } => {
            let is_this = bill
                .and_then(|bill| bill.serial.as_deref())
                .is_some_and(|own| own.eq_ignore_ascii_case(serial));
            let named = |of: Option<&Text>| is_this && of == Some(reference);
            if named(whole.and_then(|one| one.reference.as_ref())) {
                return vec![None];
            }
            let about = components().filter(|(_, one)| named(one.reference.as_ref()));
            about.map(|(place, _)| Some(place)).collect()
        }
    }
}

/// What the advisories of the device's maker say of it in so many words; that a range leaves its version out is none.
fn own(
    vendors: &VendorBook,
    library: &Library,
    subject: &Subject,
    answered: &[Answer],
) -> Vec<Own> {
    use labward_advisory::csaf::Status;
    let own = answered.iter().filter_map(|answer| {
        let advisory = library.advisories().get(answer.advisory)?;
        let by_maker = &*advisory.publisher.category == "vendor"
            && is_maker(
                vendors,
                &advisory.publisher.name,
                &subject.device.manufacturer,
            );
        if !by_maker || answer.stated.is_some() {
            return None;
        }
        let vulnerability = advisory.vulnerabilities.get(answer.vulnerability)?;
        let trail = answer.trails.first()?;
        let all = |wanted: &[Status]| {
            let mut trails = answer.trails.iter();
            trails.all(|trail| wanted.contains(&trail.status))
        };
        let status = match answer.verdict {
            Verdict::Affected => VexStatus::Affected,
            Verdict::NotAffected if all(&[Status::Fixed, Status::FirstFixed]) => VexStatus::Fixed,
            Verdict::NotAffected
                if all(&[Status::Fixed, Status::FirstFixed, Status::KnownNotAffected]) =>
            {
                VexStatus::NotAffected
            }
            Verdict::CannotTell
                if all(&[Status::UnderInvestigation])
                    && answer.reasons == [labward_matching::Reason::UnderInvestigation] =>
            {
                VexStatus::UnderInvestigation
            }
            Verdict::CannotTell | Verdict::NotAffected => return None,
        };
        let (justification, words) = reason_in_csaf(vulnerability, trail.product);
        Some(Own {
            vulnerability: VulnerabilityId::of(advisory, answer.vulnerability)?,
            answer: PublishedAnswer {
                document: library.document_at(answer.advisory)?.id,
                status,
                justification,
                words,
                component: None,
                said: advisory.tracking.current_release,
                is_by_maker: true,
                counts: false,
            },
        })
    });
    own.collect()
}

/// Whether who publishes makes the device.
fn is_maker(vendors: &VendorBook, publisher: &str, manufacturer: &str) -> bool {
    let mut words: Vec<&str> = publisher.split_whitespace().collect();
    let is_team = |word: &&str| {
        let word = word
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase();
        TEAMS.contains(&word.as_str())
    };
    while words.len() > 1 && words.last().is_some_and(is_team) {
        words.pop();
    }
    let firm = words.join(" ");
    if firm.is_empty() || manufacturer.trim().is_empty() {
        return false;
    }
    matches!(
        vendors.compare(manufacturer, &firm),
        VendorMatch::Same(Evidence::Name | Evidence::Acquired)
    )
}

#[cfg(test)]
mod tests {
    use labward_base::id::DocumentId;
    use labward_matching::Books;

    use super::*;

    #[test]
    fn the_people_of_a_firm_speak_for_it_and_others_do_not() {
        let books = Books::shipped().unwrap();
        for (publisher, manufacturer, expected) in [
            ("Example Company ProductCERT", "Example Company", true),
            ("Philips Product Security", "Philips", true),
            ("Siemens ProductCERT", "Siemens", true),
            (
                "BD Product Security Team",
                "Becton, Dickinson and Company",
                true,
            ),
            ("CISA", "Philips", false),
            ("Security Team", "Security", true),
            ("", "Philips", false),
            ("Philips", "", false),
            ("Example Company", "Another Company", false),
        ] {
            let found = is_maker(books.vendors(), publisher, manufacturer);
            assert_eq!(found, expected, "{publisher} of {manufacturer}");
        }
    }

    #[test]
    fn a_component_that_nobody_speaks_of_stays_as_it_is() {
        let said = |component, status, is_by_maker| PublishedAnswer {
            document: DocumentId::new(1),
            status,
            justification: None,
            words: Some("why".into()),
            component,
            said: None,
            is_by_maker,
            counts: false,
        };
        let of = |mut all: Vec<PublishedAnswer>| decide(&mut all, &[1, 2]);
        let clear = VexStatus::NotAffected;
        assert_eq!(of(vec![said(Some(1), clear, true)]), None);
        assert_eq!(
            of(vec![
                said(Some(1), clear, true),
                said(Some(2), clear, false)
            ]),
            None
        );
        assert_eq!(
            of(vec![said(Some(1), clear, true), said(Some(2), clear, true)]),
            Some(clear)
        );
        let other = said(Some(2), VexStatus::Affected, true);
        assert_eq!(
            of(vec![said(Some(1), clear, true), other]),
            Some(VexStatus::Affected)
        );
        assert_eq!(
            of(vec![said(None, VexStatus::Fixed, true)]),
            Some(VexStatus::Fixed)
        );
        let mut bare = said(None, clear, true);
        bare.words = None;
        assert_eq!(of(vec![bare]), None, "without a reason nothing is cleared");
    }
}
