//! Devices and documents with open hits, each with each.
//!
//! It must never say by colour alone what a cell holds, or end without saying so.

use std::collections::BTreeMap;

use askama::Template;
use labward_api::hit::Hits;

use super::hits::groups;
use crate::RenderError;
use crate::frame::{Frame, Place};
use crate::language::Texts as _;

/// Devices and documents of the matrix at most.
const MATRIX_MAX: usize = 200;

#[derive(Template)]
#[template(path = "hits_matrix.html")]
struct MatrixPage<'a> {
    f: &'a Frame,
    devices: Vec<(u64, &'a str)>,
    documents: Vec<(u64, &'a str, &'a str)>,
    cells: BTreeMap<(u64, u64), Cell>,
    cut: bool,
}

/// A device and a document.
struct Cell {
    is_affected: bool,
    count: u64,
}

impl<'a> MatrixPage<'a> {
    fn of(f: &'a Frame, page: &'a Hits) -> Self {
        let mut devices: Vec<(u64, &str)> = Vec::new();
        let mut documents: Vec<(u64, &str, &str)> = Vec::new();
        let mut cells = BTreeMap::new();
        let mut cut = page.next.is_some();
        for group in groups(&page.hits) {
            let Some(document) = group.worst.document else {
                continue;
            };
            let device = &group.worst.device;
            let new_device = !devices.iter().any(|(id, _)| *id == device.id);
            let new_document = !documents.iter().any(|(id, ..)| *id == document);
            if (new_device && devices.len() == MATRIX_MAX)
                || (new_document && documents.len() == MATRIX_MAX)
            {
                cut = true;
                continue;
            }
            if new_device {
                devices.push((device.id, &device.name));
            }
            if new_document {
                documents.push((document, &group.worst.advisory, &group.worst.title));
            }
            let cell = Cell {
                is_affected: group.is_affected(),
                count: group.size(),
            };
            cells.insert((device.id, document), cell);
        }
        Self {
            f,
            devices,
            documents,
            cells,
            cut,
        }
    }

    fn cell(&self, device: &u64, document: &u64) -> Option<&Cell> {
        self.cells.get(&(*device, *document))
    }

    /// A cell in words.
    fn says(&self, cell: &Cell, device: &str, document: &str) -> String {
        let verdict = match cell.is_affected {
            true => self.f.of("hit-verdict", "affected"),
            false => self.f.of("hit-verdict", "cannot-tell"),
        };
        let count = self.f.n("hits-vulnerabilities", cell.count);
        format!("{device}, {document}: {verdict}, {count}")
    }
}

/// Devices and documents with open hits, each with each.
///
/// # Errors
///
/// [`RenderError`].
pub fn hits_matrix(f: &Frame, page: &Hits) -> Result<String, RenderError> {
    MatrixPage::of(f, page).render()
}

#[cfg(test)]
mod tests {
    use labward_api::hit::Hit;
    use labward_identity::{Language, Role};

    use super::super::hits::tests::{frame, one, page_of};
    use super::*;

    #[test]
    fn the_matrix_says_each_cell_in_words_and_where_it_ends() {
        let mut hits: Vec<Hit> = Vec::new();
        for device in 0..=200 {
            hits.push(one(device, device, "CVE-2023-1", "high"));
        }
        hits[1].verdict = "cannot-tell".to_owned();
        let page = page_of(hits);
        let html = hits_matrix(&frame(Role::It, Language::En), &page).unwrap();
        assert!(html.contains("aria-label=\"analyzer 0, ICSMA-23-1: Affected, 1 vulnerability\""));
        assert!(html.contains("analyzer 1, ICSMA-23-1: Cannot tell"));
        assert!(html.contains("ends at 200") && !html.contains("analyzer 200<"));
    }
}
