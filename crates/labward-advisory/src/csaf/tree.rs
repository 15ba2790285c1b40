//! The product tree: branches, full product names, relationships and groups become a flat list of
//! products in which every reference is resolved.
//!
//! A circle of relationships must end, and an id that is defined twice must not hide a product.

use super::model::{
    Branch, FileHash, Helper, Product, ProductIndex, Relation, RelationKind, VersionKind,
    VersionText,
};
use super::read::Reader;
use crate::flaw::quote;
use crate::json::{Kind, Value};
use crate::lenient::Lenient as _;

/// Reads the product tree; the reader knows every id and group afterwards.
pub(super) fn read<'t>(reader: &mut Reader<'t>, root: Value<'t>) -> Vec<Product> {
    let Some(tree) = reader.object(root, "product_tree") else {
        return Vec::new();
    };
    let mut products = Vec::new();
    branches(reader, tree, &mut Vec::new(), &mut products);
    for value in reader.objects(tree, "full_product_names") {
        define(reader, value, &[], &mut products);
    }
    relationships(reader, tree, &mut products);
    groups(reader, tree);
    products
}

/// The nesting is bounded by that of the document.
fn branches<'t>(
    reader: &mut Reader<'t>,
    parent: Value<'t>,
    way: &mut Vec<(&'t str, &'t str)>,
    products: &mut Vec<Product>,
) {
    for value in reader.objects(parent, "branches") {
        let (category, name) = (value.text_of("category"), value.text_of("name"));
        if category.is_none() || name.is_none() {
            let what = "a branch without category or name; what hangs on it was read without";
            reader.flaw("read", value, what);
        }
        way.push((category.unwrap_or_default(), name.unwrap_or_default()));
        if let Some(product) = value.get("product") {
            define(reader, product, way, products);
        }
        branches(reader, value, way, products);
        way.pop();
    }
}

/// Takes in one full product name and gives its index.
fn define<'t>(
    reader: &mut Reader<'t>,
    value: Value<'t>,
    way: &[(&'t str, &'t str)],
    products: &mut Vec<Product>,
) -> Option<ProductIndex> {
    if value.kind() != Kind::Object {
        reader.flaw("read", value, "a product that is no object was left out");
        return None;
    }
    if products.len() >= reader.ground().limits.max_entries {
        let what = "more products than the limit; this one was left out";
        reader.flaw("read", value, what);
        return None;
    }
    let mut product = Product {
        id: reader.needed(value, "product_id"),
        full_name: reader.needed(value, "name"),
        ..Product::default()
    };
    for (category, name) in way {
        place(reader, &mut product, category, name);
    }
    if let Some(helper) = reader.object(value, "product_identification_helper") {
        product.helper = Some(Box::new(read_helper(reader, helper)));
    }
    let index = ProductIndex(u32::try_from(products.len()).ok()?);
    products.push(product);
    if let Some(id) = value.text_of("product_id") {
        if reader.products.contains_key(id) {
            // Both stay in the list; the id keeps its first meaning.
            let what = format!(
                "the product {} is defined twice; ids mean the first",
                quote(id)
            );
            reader.flaw("6.1.2", value.get("product_id").unwrap_or(value), what);
        } else {
            reader.products.insert(id, index);
        }
    }
    Some(index)
}

/// Puts the name of one branch where it belongs; an outer one of the same category makes room.
fn place<'t>(reader: &mut Reader<'t>, product: &mut Product, category: &'t str, name: &'t str) {
    let text = reader.keep(name);
    let outer = match category {
        "vendor" => product.vendor.replace(text),
        "product_family" => product.family.replace(text),
        "product_name" => product.name.replace(text),
        "product_version" | "product_version_range" => {
            let kind = match category {
                "product_version" => VersionKind::Version,
                _ => VersionKind::Range,
            };
            product
                .version
                .replace(VersionText { text, kind })
                .map(|version| version.text)
        }
        _ => Some(text),
    };
    if let Some(name) = outer {
        let category = reader.keep(category);
        product.other_branches.push(Branch { category, name });
    }
}

fn read_helper<'t>(reader: &mut Reader<'t>, value: Value<'t>) -> Helper {
    let mut hashes = Vec::new();
    for file in reader.objects(value, "hashes") {
        let filename = reader.text(file, "filename").unwrap_or_default();
        for hash in reader.objects(file, "file_hashes") {
            hashes.push(FileHash {
                filename: filename.clone(),
                algorithm: reader.text(hash, "algorithm").unwrap_or_default(),
                value: reader.needed(hash, "value"),
            });
        }
    }
    let uris = reader.objects(value, "x_generic_uris").into_iter();
    Helper {
        generic_uris: uris
            .map(|uri| {
                let namespace = reader.text(uri, "namespace").unwrap_or_default();
                (namespace, reader.needed(uri, "uri"))
            })
            .collect(),
        cpe: reader.text(value, "cpe"),
        purl: reader.text(value, "purl"),
        model_numbers: reader.texts(value, "model_numbers"),
        serial_numbers: reader.texts(value, "serial_numbers"),
        skus: reader.texts(value, "skus"),
        sbom_urls: reader.texts(value, "sbom_urls"),
        hashes,
    }
}

fn relationships<'t>(reader: &mut Reader<'t>, tree: Value<'t>, products: &mut Vec<Product>) {
    // First every id, because a relationship may name a product that a later one defines.
    let mut defined = Vec::new();
    for value in reader.objects(tree, "relationships") {
        match value.get("full_product_name") {
            Some(name) => {
                let index = define(reader, name, &[], products);
                defined.extend(index.map(|index| (index, value)));
            }
            None => reader.flaw("read", value, "a relationship that defines no product"),
        }
    }
    for (index, value) in &defined {
        let category = reader.needed(*value, "category");
        let relation = Relation {
            kind: match &*category {
                "default_component_of" => RelationKind::DefaultComponentOf,
                "external_component_of" => RelationKind::ExternalComponentOf,
                "installed_on" => RelationKind::InstalledOn,
                "installed_with" => RelationKind::InstalledWith,
                "optional_component_of" => RelationKind::OptionalComponentOf,
                _ => RelationKind::Other(category),
            },
            component: end_of(reader, *value, "product_reference"),
            platform: end_of(reader, *value, "relates_to_product_reference"),
        };
        if let Some(product) = products.get_mut(index.to_usize()) {
            product.relation = Some(relation);
        }
    }
    inherit(reader, &defined, products);
}

fn end_of<'t>(reader: &mut Reader<'t>, value: Value<'t>, key: &str) -> Option<ProductIndex> {
    match value.get(key) {
        Some(id) => reader.product(id),
        None => {
            reader.flaw("read", value, format!("`{key}` is missing"));
            None
        }
    }
}

/// Gives every related product vendor, family, name and version of its component, through any
/// number of relationships.
fn inherit<'t>(
    reader: &mut Reader<'t>,
    defined: &[(ProductIndex, Value<'t>)],
    products: &mut [Product],
) {
    // Of each product: 0 not yet seen, else the number of the walk that saw it.
    let mut seen = vec![0_usize; products.len()];
    for (walk, (start, value)) in defined.iter().enumerate() {
        let walk = walk + 1;
        let mut trail = Vec::new();
        let mut here = Some(*start);
        let mut source = None;
        while let Some(index) = here {
            let at = index.to_usize();
            let (Some(product), Some(mark)) = (products.get(at), seen.get_mut(at)) else {
                break;
            };
            match (&product.relation, *mark) {
                (Some(_), mark) if mark == walk => {
                    let what = "the relationship leads back to its own product";
                    reader.flaw("6.1.3", *value, what);
                    break;
                }
                // An earlier walk came through: what it found is there already.
                (Some(_), 1..) | (None, _) => {
                    source = Some(at);
                    break;
                }
                (Some(relation), 0) => {
                    *mark = walk;
                    trail.push(at);
                    here = relation.component;
                }
            }
        }
        let Some(origin) = source.and_then(|at| products.get(at)).cloned() else {
            continue;
        };
        for at in trail {
            if let Some(product) = products.get_mut(at) {
                product.vendor.clone_from(&origin.vendor);
                product.family.clone_from(&origin.family);
                product.name.clone_from(&origin.name);
                product.version.clone_from(&origin.version);
            }
        }
    }
}

fn groups<'t>(reader: &mut Reader<'t>, tree: Value<'t>) {
    for value in reader.objects(tree, "product_groups") {
        let products = reader.products(value, "product_ids");
        let Some(id) = value.text_of("group_id") else {
            reader.flaw("read", value, "a product group without id was left out");
            continue;
        };
        if reader.groups.contains_key(id) {
            let what = format!(
                "the product group {} is defined twice; both were joined",
                quote(id)
            );
            reader.flaw("6.1.5", value.get("group_id").unwrap_or(value), what);
        }
        reader.groups.entry(id).or_default().extend(products);
    }
}
