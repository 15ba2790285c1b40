//! What the tests ask a document again and again, gathered once.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use super::version::Version;
use labward_base::Timestamp;

use crate::Limits;
use crate::json::Value;

/// How many members of groups are looked up for each entry that a document may hold.
const MEMBERS_PER_ENTRY: usize = 32;

/// A full product name.
pub(super) struct Definition<'t> {
    pub(super) id: &'t str,
    /// The value of `product_id`.
    pub(super) at: Value<'t>,
    pub(super) value: Value<'t>,
    /// The categories of the branches above it, outermost first; `None` outside of branches.
    pub(super) way: Option<Vec<&'t str>>,
}

/// One item of the revision history that has a date and a version.
pub(super) struct Revised<'t> {
    pub(super) date: Timestamp,
    pub(super) version: Version<'t>,
    pub(super) at: Value<'t>,
}

pub(super) struct Facts<'t> {
    pub(super) root: Value<'t>,
    pub(super) document: Value<'t>,
    pub(super) tracking: Value<'t>,
    pub(super) category: &'t str,
    pub(super) definitions: Vec<Definition<'t>>,
    pub(super) defined: HashSet<&'t str>,
    pub(super) branches: Vec<Value<'t>>,
    pub(super) relationships: Vec<Value<'t>>,
    pub(super) groups: HashMap<&'t str, Vec<&'t str>>,
    pub(super) group_values: Vec<Value<'t>>,
    pub(super) vulnerabilities: Vec<Value<'t>>,
    /// How many members of groups may still be looked up; a small file can name a large group often.
    members_left: Cell<usize>,
    /// Sorted by date; of one date by version.
    pub(super) revisions: Vec<Revised<'t>>,
}

impl<'t> Facts<'t> {
    pub(super) fn gather(root: Value<'t>, limits: &Limits) -> Self {
        let document = root.get("document").unwrap_or(root);
        let tracking = document.get("tracking").unwrap_or(document);
        let tree = root.get("product_tree").unwrap_or(document);
        let mut facts = Self {
            root,
            document,
            tracking,
            category: document.text_of("category").unwrap_or_default(),
            definitions: Vec::new(),
            defined: HashSet::new(),
            branches: Vec::new(),
            relationships: tree.list("relationships").collect(),
            groups: HashMap::new(),
            group_values: tree.list("product_groups").collect(),
            vulnerabilities: root.list("vulnerabilities").collect(),
            members_left: Cell::new(limits.max_entries.saturating_mul(MEMBERS_PER_ENTRY)),
            revisions: revisions(tracking),
        };
        facts.walk(tree, &mut Vec::new());
        for value in tree.list("full_product_names") {
            facts.define(value, None);
        }
        for relationship in tree.list("relationships") {
            if let Some(value) = relationship.get("full_product_name") {
                facts.define(value, None);
            }
        }
        for group in tree.list("product_groups") {
            if let Some(id) = group.text_of("group_id") {
                let products = group.list("product_ids").filter_map(Value::text);
                facts.groups.entry(id).or_default().extend(products);
            }
        }
        facts
    }

    fn walk(&mut self, parent: Value<'t>, way: &mut Vec<&'t str>) {
        for branch in parent.list("branches") {
            self.branches.push(branch);
            way.push(branch.text_of("category").unwrap_or_default());
            if let Some(product) = branch.get("product") {
                self.define(product, Some(way.clone()));
            }
            self.walk(branch, way);
            way.pop();
        }
    }

    fn define(&mut self, value: Value<'t>, way: Option<Vec<&'t str>>) {
        if let Some(at) = value.get("product_id")
            && let Some(id) = at.text()
        {
            self.defined.insert(id);
            self.definitions.push(Definition { id, at, value, way });
        }
    }

    /// Every value that names a product without defining it.
    pub(super) fn references(&self) -> Vec<Value<'t>> {
        let mut all = Vec::new();
        for group in &self.group_values {
            all.extend(group.list("product_ids"));
        }
        for relationship in &self.relationships {
            all.extend(relationship.get("product_reference"));
            all.extend(relationship.get("relates_to_product_reference"));
        }
        for vulnerability in &self.vulnerabilities {
            if let Some(status) = vulnerability.get("product_status") {
                for (_, list) in status.members() {
                    all.extend(list.items());
                }
            }
            for score in vulnerability.list("scores") {
                all.extend(score.list("products"));
            }
            for key in SCOPED {
                for item in vulnerability.list(key) {
                    all.extend(item.list("product_ids"));
                }
            }
        }
        all
    }

    /// The products of `product_ids` and of `group_ids` of every item of a list.
    pub(super) fn covered(
        &self,
        items: impl Iterator<Item = Value<'t>>,
        covered: &mut HashSet<&'t str>,
    ) {
        let mut groups = HashSet::new();
        for item in items {
            covered.extend(item.list("product_ids").filter_map(Value::text));
            for group in item.list("group_ids").filter_map(Value::text) {
                let Some(members) = self.groups.get(group) else {
                    continue;
                };
                if groups.insert(group) {
                    let left = self.members_left.get();
                    self.members_left.set(left.saturating_sub(members.len()));
                    covered.extend(members.iter().take(left).copied());
                }
            }
        }
    }

    /// Whether so many groups were looked up that the tests may have missed some of their members.
    pub(super) fn is_exhausted(&self) -> bool {
        self.members_left.get() == 0
    }

    /// The products that a vulnerability lists under any of some statuses.
    pub(super) fn with_status(
        vulnerability: Value<'t>,
        statuses: &'static [&'static str],
    ) -> impl Iterator<Item = Value<'t>> {
        let status = vulnerability.get("product_status");
        statuses
            .iter()
            .filter_map(move |key| status?.get(key))
            .flat_map(Value::items)
    }
}

/// The lists of a vulnerability whose items have `product_ids` and `group_ids`.
pub(super) const SCOPED: [&str; 3] = ["flags", "remediations", "threats"];

fn revisions(tracking: Value<'_>) -> Vec<Revised<'_>> {
    let mut revisions: Vec<_> = tracking
        .list("revision_history")
        .filter_map(|at| {
            Some(Revised {
                date: Timestamp::parse_rfc3339(at.text_of("date")?)?,
                version: Version::parse(at.text_of("number")?)?,
                at,
            })
        })
        .collect();
    revisions.sort_by(|one, two| {
        let by_date = one.date.cmp(&two.date);
        by_date.then_with(|| one.version.compare(&two.version))
    });
    revisions
}
