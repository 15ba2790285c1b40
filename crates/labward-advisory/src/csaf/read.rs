//! From the values of a CSAF file to an [`Advisory`]: lenient, and it tells what it left out.

use super::model::{
    Advisory, Flag, Note, ProductIndex, ProductScore, Publisher, Reference, Remediation,
    RemediationKind, Revision, Status, StatusEntry, Threat, Tlp, Tracking, Vulnerability,
};
use super::tree;
use crate::flaw::quote;
use crate::json::Value;
use crate::lenient::{Ground, Lenient};
use crate::score::{Score, Scored};
use crate::{Limits, Map, Text};

/// How many references to products a document may make, for each entry that it may hold.
const REFERENCES_PER_ENTRY: usize = 8;

/// The state of reading one document.
pub(super) struct Reader<'t> {
    ground: Ground<'t>,
    pub(super) products: Map<&'t str, ProductIndex>,
    pub(super) groups: Map<&'t str, Vec<ProductIndex>>,
    references_left: usize,
}

/// Reads a document whose root is known to be CSAF.
pub(super) fn read(root: Value<'_>, limits: &Limits) -> Advisory {
    let mut reader = Reader {
        ground: Ground::new(limits),
        products: Map::default(),
        groups: Map::default(),
        references_left: limits.max_entries.saturating_mul(REFERENCES_PER_ENTRY),
    };
    reader.repeated_keys(root);
    let products = tree::read(&mut reader, root);
    let vulnerabilities = reader
        .objects(root, "vulnerabilities")
        .into_iter()
        .map(|value| reader.vulnerability(value))
        .collect();
    let document = reader.object(root, "document").unwrap_or(root);
    let title = reader.needed(document, "title");
    let tracking = reader.object(document, "tracking").unwrap_or(document);
    Advisory {
        id: reader.needed(tracking, "id"),
        category: reader.needed(document, "category"),
        csaf_version: reader.version_of_format(document),
        lang: reader.text(document, "lang"),
        publisher: reader.publisher(document),
        tracking: reader.tracking(tracking, &title),
        tlp: reader.tlp(document),
        notes: reader.notes(document),
        references: reader.references(document),
        title,
        products,
        vulnerabilities,
        flaws: reader.ground.flaws,
    }
}

impl<'t> Lenient<'t> for Reader<'t> {
    fn ground(&mut self) -> &mut Ground<'t> {
        &mut self.ground
    }
}

impl<'t> Reader<'t> {
    fn version_of_format(&mut self, document: Value<'t>) -> Text {
        let version = self.needed(document, "csaf_version");
        if !version.is_empty() && &*version != "2.0" {
            let what = format!("CSAF {} read as 2.0", quote(&version));
            self.flaw("read", document, what);
        }
        version
    }

    fn publisher(&mut self, document: Value<'t>) -> Publisher {
        let Some(publisher) = self.object(document, "publisher") else {
            return Publisher::default();
        };
        Publisher {
            name: self.needed(publisher, "name"),
            category: self.text(publisher, "category").unwrap_or_default(),
            namespace: self.text(publisher, "namespace").unwrap_or_default(),
        }
    }

    fn tlp(&mut self, document: Value<'t>) -> Option<Tlp> {
        let distribution = self.object(document, "distribution")?;
        let tlp = self.object(distribution, "tlp")?;
        let label = self.text(tlp, "label")?;
        Some(match &*label {
            "WHITE" => Tlp::White,
            "GREEN" => Tlp::Green,
            "AMBER" => Tlp::Amber,
            "RED" => Tlp::Red,
            _ => Tlp::Other(label),
        })
    }

    fn tracking(&mut self, value: Value<'t>, title: &str) -> Tracking {
        let version = self.needed(value, "version");
        let revisions: Vec<Revision> = self
            .objects(value, "revision_history")
            .into_iter()
            .map(|revision| Revision {
                number: self.text(revision, "number").unwrap_or_default(),
                date: self.time(revision, "date"),
                legacy_version: self.text(revision, "legacy_version"),
                summary: self.text(revision, "summary").unwrap_or_default(),
            })
            .collect();
        let newest = revisions
            .iter()
            .find(|revision| revision.number == version)
            .or(revisions.last());
        Tracking {
            status: self.text(value, "status").unwrap_or_default(),
            initial_release: self.time(value, "initial_release_date"),
            current_release: self.time(value, "current_release_date"),
            legacy_version: newest
                .and_then(|revision| revision.legacy_version.clone())
                .or_else(|| update_letter(title).map(Text::from)),
            aliases: self.texts(value, "aliases"),
            version,
            revisions,
        }
    }

    fn notes(&mut self, parent: Value<'t>) -> Vec<Note> {
        let notes = self.objects(parent, "notes").into_iter();
        notes
            .map(|note| Note {
                category: self.text(note, "category").unwrap_or_default(),
                title: self.text(note, "title"),
                audience: self.text(note, "audience"),
                text: self.needed(note, "text"),
            })
            .collect()
    }

    fn references(&mut self, parent: Value<'t>) -> Vec<Reference> {
        let references = self.objects(parent, "references").into_iter();
        references
            .map(|reference| Reference {
                category: self
                    .text(reference, "category")
                    .unwrap_or_else(|| self.keep("external")),
                summary: self.text(reference, "summary").unwrap_or_default(),
                url: self.needed(reference, "url"),
            })
            .collect()
    }

    fn vulnerability(&mut self, value: Value<'t>) -> Vulnerability {
        Vulnerability {
            cve: self.text(value, "cve"),
            cwe: self.object(value, "cwe").map(|cwe| {
                let name = self.text(cwe, "name").unwrap_or_default();
                (self.needed(cwe, "id"), name)
            }),
            title: self.text(value, "title"),
            ids: self
                .objects(value, "ids")
                .into_iter()
                .map(|id| {
                    let system = self.text(id, "system_name").unwrap_or_default();
                    (system, self.needed(id, "text"))
                })
                .collect(),
            discovered: self.time(value, "discovery_date"),
            released: self.time(value, "release_date"),
            notes: self.notes(value),
            references: self.references(value),
            statuses: self.statuses(value),
            scores: self.scores(value),
            remediations: self.remediations(value),
            flags: self.flags(value),
            threats: self.threats(value),
        }
    }

    fn statuses(&mut self, vulnerability: Value<'t>) -> Vec<StatusEntry> {
        let mut entries = Vec::new();
        let Some(value) = self.object(vulnerability, "product_status") else {
            return entries;
        };
        for status in Status::ALL {
            let products = self.products(value, status.as_str()).into_iter();
            entries.extend(products.map(|product| StatusEntry { status, product }));
        }
        for (key, list) in value.members() {
            if !Status::ALL.iter().any(|status| status.as_str() == key) {
                let what = format!("the product status {} is not known", quote(key));
                self.flaw("read", list, what);
            }
        }
        entries
    }

    fn scores(&mut self, vulnerability: Value<'t>) -> Vec<ProductScore> {
        let mut scores = Vec::new();
        for value in self.objects(vulnerability, "scores") {
            let products = self.products(value, "products");
            // CSAF 2.0 knows v2 and v3; v4 came with 2.1 and some publishers give it already.
            for key in ["cvss_v2", "cvss_v3", "cvss_v4"] {
                let Some(cvss) = self.object(value, key) else {
                    continue;
                };
                let vector = self.needed(cvss, "vectorString");
                let scored = Scored::parse(&vector);
                self.compare_score(cvss, scored.as_ref());
                scores.push(ProductScore {
                    score: Score::from_scored(vector, scored.as_ref()),
                    products: products.clone(),
                });
            }
        }
        scores
    }

    /// The file's own score is told when it is not the vector's, and never used.
    fn compare_score(&mut self, cvss: Value<'t>, scored: Option<&Scored>) {
        let Some(scored) = scored else {
            // That it is missing is told already.
            if let Some(at) = cvss.get("vectorString") {
                self.flaw("6.1.8", at, "no CVSS vector; it gives no score");
            }
            return;
        };
        let Some(stated) = cvss.get("baseScore") else {
            return;
        };
        let computed = f64::from(scored.base_tenths()) / 10.0;
        if stated
            .number()
            .is_none_or(|stated| (stated - computed).abs() > 0.01)
        {
            let what = format!("the vector gives a base score of {computed:.1}");
            self.flaw("6.1.9", stated, what);
        }
    }

    fn remediations(&mut self, vulnerability: Value<'t>) -> Vec<Remediation> {
        let values = self.objects(vulnerability, "remediations").into_iter();
        values
            .map(|value| {
                let category = self.needed(value, "category");
                let restart = self.object(value, "restart_required");
                Remediation {
                    kind: match &*category {
                        "mitigation" => RemediationKind::Mitigation,
                        "no_fix_planned" => RemediationKind::NoFixPlanned,
                        "none_available" => RemediationKind::NoneAvailable,
                        "vendor_fix" => RemediationKind::VendorFix,
                        "workaround" => RemediationKind::Workaround,
                        _ => RemediationKind::Other(category),
                    },
                    details: self.needed(value, "details"),
                    url: self.text(value, "url"),
                    date: self.time(value, "date"),
                    entitlements: self.texts(value, "entitlements"),
                    restart_required: restart.and_then(|one| self.text(one, "category")),
                    products: self.scope(value),
                }
            })
            .collect()
    }

    fn flags(&mut self, vulnerability: Value<'t>) -> Vec<Flag> {
        let values = self.objects(vulnerability, "flags").into_iter();
        values
            .map(|value| Flag {
                label: self.needed(value, "label"),
                date: self.time(value, "date"),
                products: self.scope(value),
            })
            .collect()
    }

    fn threats(&mut self, vulnerability: Value<'t>) -> Vec<Threat> {
        let values = self.objects(vulnerability, "threats").into_iter();
        values
            .map(|value| Threat {
                category: self.needed(value, "category"),
                details: self.needed(value, "details"),
                date: self.time(value, "date"),
                products: self.scope(value),
            })
            .collect()
    }

    /// The products of `product_ids` and those of `group_ids`, each once.
    fn scope(&mut self, value: Value<'t>) -> Vec<ProductIndex> {
        let mut products = self.products(value, "product_ids");
        let direct = products.len();
        for item in self.items(value, "group_ids") {
            let Some(id) = item.text() else {
                self.wrong(item, "text");
                continue;
            };
            let Some(members) = self.groups.get(id) else {
                let what = format!("the product group {} is not defined", quote(id));
                self.flaw("6.1.4", item, what);
                continue;
            };
            if members.len() > self.references_left {
                self.too_many_references(item);
                break;
            }
            self.references_left -= members.len();
            products.extend_from_slice(members);
        }
        if products.len() > direct {
            products.sort_unstable();
            products.dedup();
        }
        products
    }

    fn too_many_references(&mut self, at: Value<'t>) {
        let what = "more references to products than the limit; the rest was left out";
        self.flaw("read", at, what);
    }

    /// The products of a list of ids; an id that is not defined is a flaw.
    pub(super) fn products(&mut self, parent: Value<'t>, key: &str) -> Vec<ProductIndex> {
        let items = self.items(parent, key);
        // Ids are one node each, so that the list fits.
        let many = items.size_hint().1.unwrap_or(0);
        let mut products = Vec::with_capacity(many.min(self.references_left));
        for item in items {
            if self.references_left == 0 {
                self.too_many_references(item);
                break;
            }
            self.references_left -= 1;
            products.extend(self.product(item));
        }
        products
    }

    /// The product of one id; an id that is not defined is a flaw.
    pub(super) fn product(&mut self, item: Value<'t>) -> Option<ProductIndex> {
        let Some(id) = item.text() else {
            self.wrong(item, "text");
            return None;
        };
        let product = self.products.get(id).copied();
        if product.is_none() {
            let what = format!("the product {} is not defined", quote(id));
            self.flaw("6.1.1", item, what);
        }
        product
    }
}

/// The letter of `(Update A)` at the end of a title.
fn update_letter(title: &str) -> Option<&str> {
    let letter = title
        .trim_end()
        .strip_suffix(')')?
        .rsplit_once("(Update ")?
        .1;
    (1..=2).contains(&letter.len()).then_some(letter)
}
