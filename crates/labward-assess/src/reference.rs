//! `docs/ref/safeguards.md`: every requirement and the facts that decide it.

use std::fmt::Write as _;

use crate::fact::FactKind;
use crate::requirement::{Profile, Reach, Requirement};

/// `docs/ref/safeguards.md`, generated from the tables.
pub fn reference() -> String {
    let mut page = String::from(
        "# Safeguards\n\nThe requirements of the HIPAA Security Rule and the facts that decide each. A requirement whose facts show\n\
         only a part of it is never met by them; a bad one makes it not met. One without facts is not measured until a\n\
         person decides about it. [How to read it](../guide/safeguards.md). This page is generated from the program.\n",
    );
    for profile in Profile::ALL {
        page.push_str(match profile {
            Profile::Law => "\n## The rule in force: 45 CFR 164.308 to 164.316\n\n",
            Profile::Proposed2025 => {
                "\n## Proposed in 2025, not law: 90 FR 898\n\nOnly what a machine could measure beyond the rule in force. Citations are those of the \
                 proposal.\n\n"
            }
        });
        page.push_str("| Citation | Requirement | Kind | Facts |\n|---|---|---|---|\n");
        for one in profile.requirements() {
            let (citation, title, kind) = (one.citation, one.title, one.kind.name());
            // Writing to a String cannot fail.
            let _ = writeln!(page, "| {citation} | {title} | {kind} | {} |", facts(one));
        }
    }
    page.push_str("\n## The facts\n\n| Fact | Good if |\n|---|---|\n");
    for fact in FactKind::ALL {
        let _ = writeln!(page, "| `{}` | {} |", fact.key(), fact.title());
    }
    page
}

fn facts(requirement: &Requirement) -> String {
    let names = requirement
        .facts
        .iter()
        .map(|fact| format!("`{}`", fact.key()));
    let names = names.collect::<Vec<_>>().join(", ");
    match (names.is_empty(), requirement.reach) {
        (true, _) if requirement.is_standard() => "–".to_owned(),
        (true, _) => "not measured".to_owned(),
        (false, Reach::Part) => format!("in part: {names}"),
        (false, Reach::Whole) => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_requirement_and_says_what_is_not_law() {
        let page = reference();
        for profile in Profile::ALL {
            for one in profile.requirements() {
                assert!(page.contains(&format!("| {} | {} |", one.citation, one.title)));
            }
        }
        assert!(page.contains("not law"));
    }
}
