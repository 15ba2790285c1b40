//! `docs/ref/sbom.cdx.json`: what the program is made of, as CycloneDX 1.6.
//!
//! The same lock file gives the same bytes: it holds no time, no random number and no path.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use serde_json::{Value, json};

use crate::run::root;

/// The program, and what it is built for.
const PROGRAM: &str = "labward";
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The whole document.
pub(crate) fn sbom() -> Result<String> {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .other_options([
            "--filter-platform".to_owned(),
            TARGET.to_owned(),
            "--locked".to_owned(),
        ])
        .exec()
        .context("read cargo metadata")?;
    let uses = uses(&metadata)?;
    let packages: BTreeMap<&PackageId, &Package> =
        metadata.packages.iter().map(|one| (&one.id, one)).collect();
    let program = metadata
        .packages
        .iter()
        .find(|one| one.name.as_str() == PROGRAM);
    let program = program.context("the program is not in the workspace")?;
    // Crates of our own are one component, the program.
    let is_own = |id: &PackageId| metadata.workspace_members.contains(id);
    let reached = reached(&program.id, &uses);
    let mut components: Vec<(String, Value)> = Vec::new();
    let mut depends: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for id in &reached {
        let package = packages
            .get(id)
            .context("a package without a description")?;
        let from = if is_own(id) {
            PROGRAM.to_owned()
        } else {
            purl(package)
        };
        let below = uses.get(id).into_iter().flatten();
        let below = below
            .filter(|to| !is_own(to))
            .filter_map(|to| packages.get(to));
        depends
            .entry(from.clone())
            .or_default()
            .extend(below.map(|one| purl(one)));
        if !is_own(id) {
            components.push((from, component(package)));
        }
    }
    components.sort_by(|one, two| one.0.cmp(&two.0));
    let components: Vec<Value> = components.into_iter().map(|(_, value)| value).collect();
    let depends: Vec<Value> = depends
        .into_iter()
        .map(|(from, to)| json!({"dependsOn": to, "ref": from}))
        .collect();
    // Keys stand in the order of the alphabet: so they are written with every feature of the JSON library.
    let document = json!({
        "bomFormat": "CycloneDX",
        "components": components,
        "dependencies": depends,
        "metadata": {"component": {
            "bom-ref": PROGRAM,
            "licenses": [{"expression": licence(program)}],
            "name": PROGRAM,
            "type": "application",
            "version": program.version.to_string(),
        }},
        "specVersion": "1.6",
        "version": 1,
    });
    Ok(format!("{document:#}\n"))
}

/// What each package is built from: its normal and its build dependencies, not those of its tests.
fn uses(metadata: &Metadata) -> Result<BTreeMap<PackageId, Vec<PackageId>>> {
    let resolve = metadata.resolve.as_ref().context("nothing was resolved")?;
    let counts = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    let nodes = resolve.nodes.iter().map(|node| {
        let needed = node.deps.iter();
        let needed = needed.filter(|one| one.dep_kinds.iter().any(|it| counts(it.kind)));
        (node.id.clone(), needed.map(|one| one.pkg.clone()).collect())
    });
    Ok(nodes.collect())
}

fn reached(from: &PackageId, uses: &BTreeMap<PackageId, Vec<PackageId>>) -> BTreeSet<PackageId> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(id) = open.pop() {
        if reached.insert(id.clone()) {
            open.extend(uses.get(&id).into_iter().flatten().cloned());
        }
    }
    reached
}

fn purl(package: &Package) -> String {
    // Build metadata (`0.3.3+1.2`) may not stand bare in a purl.
    let version = package.version.to_string().replace('+', "%2B");
    format!("pkg:cargo/{}@{version}", package.name)
}

fn component(package: &Package) -> Value {
    json!({
        "bom-ref": purl(package),
        "licenses": [{"expression": licence(package)}],
        "name": package.name.to_string(),
        "purl": purl(package),
        "type": "library",
        "version": package.version.to_string(),
    })
}

/// The licence as SPDX writes it; older crates write `MIT/Apache-2.0`.
fn licence(package: &Package) -> String {
    let text = package.license.as_deref().unwrap_or("NOASSERTION");
    text.split('/')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" OR ")
}
