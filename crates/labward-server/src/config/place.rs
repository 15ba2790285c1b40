//! On which line of the file a place begins that a rule names.
//!
//! It must never fail: a line that is not found is left out, and the place says enough.

use toml::de::{DeTable, DeValue};

use super::error::line_of;

/// The line, counted from 1, of a place such as `link xn550`, `destination ehr`, `route 2` or
/// `retention`.
pub(super) fn line_of_place(text: &str, place: &str) -> Option<usize> {
    let file = DeTable::parse(text).ok()?;
    let file = file.get_ref();
    let (table, which) = place.split_once(' ').unwrap_or((place, ""));
    let (name, value) = file
        .iter()
        .find(|(name, _)| AsRef::<str>::as_ref(name.get_ref()) == table)?;
    let Some(all) = value.get_ref().as_array() else {
        return Some(line_of(text, name.span().start));
    };
    let all: Vec<_> = (1..).zip(all.iter()).collect();
    // The last one: if a name stands twice, that is where it does again.
    for (number, one) in all.into_iter().rev() {
        let table = one.get_ref().as_table()?;
        let name = table.get("name");
        let is_meant = match name.map(|name| name.get_ref()) {
            Some(DeValue::String(name)) => name.as_ref() as &str == which,
            _ => which.parse() == Ok(number),
        };
        if is_meant {
            let first = table.iter().map(|(key, _)| key.span().start).min();
            return Some(line_of(text, name.map_or(first?, |name| name.span().start)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version = 1\n\n[retention]\nresults_years = 9\n\n\
                        [[link]]\nlisten = \"127.0.0.1:1\"\nname = \"a\"\n\n\
                        [[link]]\nname = \"b\"\n[link.limits]\nframe_seconds = 3\n\n\
                        [[route]]\ntypes = []\nto = []\n[[route]]\nto = []\ntypes = []\n";

    #[test]
    fn a_place_is_found_by_its_name_or_its_number() {
        for (place, line) in [
            ("retention", Some(3)),
            ("link a", Some(8)),
            ("link b", Some(11)),
            ("link c", None),
            ("route 2", Some(19)),
            ("route 3", None),
            ("destination ehr", None),
        ] {
            assert_eq!(line_of_place(FILE, place), line, "{place}");
        }
        assert_eq!(line_of_place("[", "link a"), None);
    }
}
