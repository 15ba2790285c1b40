//! The links of the documents: each leads to something that is there, and every picture is shown somewhere.
//!
//! It must never look outside the repository: what a link to elsewhere leads to is not ours to say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::run::root;

/// Where the guides' pictures stand.
const PICTURES: &str = "docs/guide/pictures";
/// What a picture may have, in bytes, and all of them together.
const PICTURE_MAX_BYTES: u64 = 80 << 10;
const PICTURES_MAX_BYTES: u64 = 1_500_000;

/// Every link that leads nowhere, and every picture that no document shows or that is too large.
pub(crate) fn faults() -> Result<Vec<String>> {
    let (mut faults, mut shown) = (Vec::new(), BTreeSet::new());
    for page in pages()? {
        let text = fs::read_to_string(&page).with_context(|| format!("read {}", page.display()))?;
        let name = relative(&page);
        for link in links(&text) {
            let Some(target) = target(&page, link) else {
                continue;
            };
            match target.exists() {
                true => drop(shown.insert(target)),
                false => faults.push(format!("{name} leads to {link}, which is not there")),
            }
        }
    }
    let mut all = 0;
    for picture in files(&root().join(PICTURES), "png")? {
        let name = relative(&picture);
        let size = fs::metadata(&picture)?.len();
        all += size;
        if size > PICTURE_MAX_BYTES {
            faults.push(format!(
                "{name} has {size} bytes (at most {PICTURE_MAX_BYTES})"
            ));
        }
        if !shown.contains(&picture) {
            faults.push(format!("{name} is shown nowhere"));
        }
    }
    if all > PICTURES_MAX_BYTES {
        faults.push(format!(
            "{PICTURES} has {all} bytes (at most {PICTURES_MAX_BYTES})"
        ));
    }
    Ok(faults)
}

/// Every document: those of the root, and all below `docs`.
fn pages() -> Result<Vec<PathBuf>> {
    let mut pages = files(&root().join("docs"), "md")?;
    for entry in fs::read_dir(root())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(pages)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(found);
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|one| one == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// What stands between `](` and `)` outside code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        // Between backticks it is code, too.
        for prose in line.split('`').step_by(2) {
            let behind = prose.split("](").skip(1);
            found.extend(
                behind
                    .filter_map(|rest| rest.split_once(')'))
                    .map(|(link, _)| link),
            );
        }
    }
    found
}

/// The file that a link of a page leads to; none for one that leads elsewhere or within the page.
fn target(page: &Path, link: &str) -> Option<PathBuf> {
    let path = link.split('#').next().unwrap_or_default();
    if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
        return None;
    }
    let mut target = page.parent()?.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(target.pop()),
            Component::Normal(name) => target.push(name),
            _ => {}
        }
    }
    Some(target)
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_the_documents_leads_somewhere_and_every_picture_is_shown() {
        assert_eq!(faults().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_link_is_found_where_it_is_one_and_leads_from_its_page() {
        let text = "[a](b.md) ![c](../d/e.png)\n```\n[no](code.md)\n```\n`[no](c)` [g](h.md#i)";
        assert_eq!(links(text), ["b.md", "../d/e.png", "h.md#i"]);
        let page = Path::new("/docs/guide/es/one.md");
        let leads = |link| target(page, link);
        assert_eq!(leads("../d/e.png"), Some("/docs/guide/d/e.png".into()));
        assert_eq!(leads("two.md#part"), Some("/docs/guide/es/two.md".into()));
        assert_eq!(leads("#part"), None);
        assert_eq!(leads("https://example.org/x.md"), None);
    }
}
