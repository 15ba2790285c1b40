//! Tables for people, JSON for machines.

use std::io::{self, Write};

use labward_base::problem;
use serde::Serialize;

use crate::failure::Failure;

/// Prints `value` as JSON if a machine reads, otherwise as `text` makes it.
pub(crate) fn show<T: Serialize>(
    json: bool,
    value: &T,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = if json {
        serde_json::to_writer_pretty(&mut out, value)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
    } else {
        text(&mut out)
    };
    match written {
        // `labward … | head` is no fault.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            &problem::SERVER_INTERNAL,
            format!("write the answer: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}

/// A table whose columns are as wide as what stands in them.
pub(crate) fn table(out: &mut dyn Write, head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    writeln!(out, "{}", line(&mut head.iter().copied()))?;
    for row in rows {
        writeln!(out, "{}", line(&mut row.iter().map(String::as_str)))?;
    }
    Ok(())
}

/// `value`, or a dash where there is none.
pub(crate) fn or_dash(value: Option<&str>) -> String {
    value.unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let mut out = Vec::new();
        let rows = [
            vec!["1".to_owned(), "a".to_owned()],
            vec!["200".to_owned(), "b".to_owned()],
        ];
        table(&mut out, &["id", "name"], &rows).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "id   name\n1    a\n200  b\n"
        );
    }
}
