//! Plain texts that a spreadsheet opens: DDE formulas in separated values, macros in SYLK.

use memchr::memmem;

use crate::seen::{Part, Sign};
use crate::walk::Walker;

use super::bytes::up_to;
use super::xml::is_dde_formula;

/// Longer lines of a table are not looked at beyond this.
const LONGEST_LINE: usize = 1 << 16;

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    if part.bytes.starts_with(b"ID;") {
        open_sylk(walker, part.bytes);
    }
    // A formula of this kind has a bar and an exclamation mark; most texts have not.
    if memchr::memchr2(b'|', b'!', part.bytes).is_none() {
        return;
    }
    let found = part
        .bytes
        .split(|c| matches!(c, b'\r' | b'\n'))
        .any(|line| {
            up_to(line, 0, LONGEST_LINE)
                .split(|c| matches!(c, b',' | b';' | b'\t'))
                .map(|cell| cell.trim_ascii())
                .map(|cell| cell.strip_prefix(b"\"").unwrap_or(cell))
                .any(|cell| matches!(cell, [b'=' | b'+' | b'-' | b'@', ..]) && is_dde_formula(cell))
        });
    if found {
        walker.sign(Sign::Dde);
    }
}

/// A name of SYLK with `E` is a macro; `Auto_open` runs by itself.
fn open_sylk(walker: &mut Walker<'_>, bytes: &[u8]) {
    let mut lines = bytes.split(|c| matches!(c, b'\r' | b'\n'));
    if lines.any(|line| line.starts_with(b"O;") && memmem::find(line, b";E").is_some()) {
        walker.sign(Sign::Xlm);
    }
    if memmem::find(&bytes.to_ascii_lowercase(), b";nauto_open").is_some() {
        walker.sign(Sign::MacroAutoRun);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::seen;

    #[test]
    fn macros_in_a_table_are_told() {
        let table = b"ID;P\nO;E\nNN;NAuto_open;ER101C1\nC;X1;Y101;EEXEC(\"cmd\")\nE\n";
        assert_eq!(seen(table), [" = text", " ! xlm", " ! macro-auto-run"]);
        assert_eq!(seen(b"ID;P\nC;X1;Y1;K5.1\nE\n"), [" = text"]);
    }

    #[test]
    fn formulas_that_start_programs_are_told_and_laboratory_values_are_not() {
        assert!(seen(b"a,b\n1,=cmd|'/c calc'!A0\n").contains(&" ! dde".to_owned()));
        assert_eq!(seen(b"-5|6 normal!\n+|+\nA | B = C!\n").len(), 1);
    }
}
