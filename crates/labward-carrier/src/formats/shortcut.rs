//! Windows shortcuts (MS-SHLLINK): what they start, as a text.

use memchr::memmem;

use crate::path::Step;
use crate::seen::{Declared, Part, Sign};
use crate::walk::Walker;

use super::bytes::{c_string, le32, len16, len32, text, up_to, utf16le};
use super::trailing;

/// Programs that do what their arguments say.
const COMMANDS: &[&str] = &[
    "cmd",
    "powershell",
    "pwsh",
    "mshta",
    "wscript",
    "cscript",
    "rundll32",
    "regsvr32",
    "msiexec",
    "certutil",
    "bitsadmin",
    "curl",
    "conhost",
    "forfiles",
    "wmic",
    "installutil",
    "msbuild",
    "schtasks",
    "explorer.exe \\\\",
    "%comspec%",
    "bash",
    "ssh",
    "pcalua",
    "hh.exe",
    "ftp",
];

pub(crate) fn open(walker: &mut Walker<'_>, part: &Part<'_>) {
    let shortcut = Shortcut::read(part.bytes);
    let lines = shortcut.lines.join("\n");
    let step = Step::Place("command".to_owned());
    walker.enter([step], &Declared::typed("text/plain"), lines.as_bytes());
    if starts_command(&lines) {
        walker.sign(Sign::ShortcutCommand);
    }
    trailing::tell(walker, part.bytes, shortcut.end);
}

/// Whether one of the commands stands in it as a word.
fn starts_command(lines: &str) -> bool {
    let lines = lines.to_ascii_lowercase();
    COMMANDS.iter().any(|command| {
        memmem::find_iter(lines.as_bytes(), command).any(|at| {
            let around = [at.checked_sub(1), Some(at + command.len())];
            around.into_iter().flatten().all(|at| {
                lines
                    .as_bytes()
                    .get(at)
                    .is_none_or(|c| !c.is_ascii_alphanumeric())
            })
        })
    })
}

#[derive(Default)]
struct Shortcut {
    lines: Vec<String>,
    end: Option<usize>,
}

impl Shortcut {
    fn read(bytes: &[u8]) -> Self {
        let mut shortcut = Self::default();
        shortcut.end = shortcut.read_all(bytes);
        shortcut
    }

    fn add(&mut self, what: &str, value: &str) {
        if !value.is_empty() {
            self.lines.push(format!("{what}: {value}"));
        }
    }

    /// Header, list of items, place, texts, further blocks (2.1 to 2.5); gives where they end.
    fn read_all(&mut self, bytes: &[u8]) -> Option<usize> {
        const TEXTS: &[(u32, &str)] = &[
            (0x04, "name"),
            (0x08, "target"),
            (0x10, "folder"),
            (0x20, "arguments"),
            (0x40, "icon"),
        ];
        let flags = le32(bytes, 20)?;
        let mut at = 76;
        if flags & 1 != 0 {
            let len = len16(bytes, at)?;
            self.add_items(up_to(bytes, at + 2, len));
            at += 2 + len;
        }
        if flags & 2 != 0 {
            let len = len32(bytes, at)?;
            self.add_place(up_to(bytes, at, len));
            at = at.checked_add(len)?;
        }
        let wide = flags & 0x80 != 0;
        for (flag, what) in TEXTS {
            if flags & flag == 0 {
                continue;
            }
            let len = len16(bytes, at)? * if wide { 2 } else { 1 };
            let value = up_to(bytes, at + 2, len);
            self.add(what, &if wide { utf16le(value) } else { text(value) });
            at += 2 + len;
        }
        while let Some(len) = len32(bytes, at).filter(|len| *len >= 4) {
            let block = up_to(bytes, at, len);
            // The target by way of the environment, and the icon's (2.5.4, 2.5.5).
            if matches!(le32(block, 4), Some(0xa000_0001 | 0xa000_0007)) {
                self.add("target", &utf16le(up_to(block, 8 + 260, 520)));
            }
            at = at.checked_add(len)?;
        }
        Some(at + 4)
    }

    /// The target's names in the list of items, as texts of either width.
    fn add_items(&mut self, items: &[u8]) {
        let mut found = Vec::new();
        for run in items.split(|c| !(0x20..0x7f).contains(c)) {
            if run.len() > 3 {
                found.push(text(run));
            }
        }
        let narrow: Vec<u8> = items
            .chunks(2)
            .flat_map(|pair| pair.first().copied())
            .collect();
        let shifted = items.get(1..).unwrap_or_default();
        let other: Vec<u8> = shifted
            .chunks(2)
            .flat_map(|pair| pair.first().copied())
            .collect();
        for wide in [narrow, other] {
            for run in wide.split(|c| !(0x20..0x7f).contains(c)) {
                if run.len() > 5 {
                    found.push(text(run));
                }
            }
        }
        self.add("target", &found.join("\\"));
    }

    /// The path on a volume, and the share (2.3).
    fn add_place(&mut self, place: &[u8]) {
        let flags = le32(place, 8).unwrap_or(0);
        if flags & 1 != 0
            && let Some((path, _)) = len32(place, 16).and_then(|at| c_string(place, at))
        {
            self.add("target", &text(path));
        }
        if flags & 2 != 0
            && let Some((share, _)) = len32(place, 20)
                .and_then(|at| Some(at + len32(place, at + 8)?))
                .and_then(|at| c_string(place, at))
        {
            self.add("share", &text(share));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{part, seen};

    #[test]
    fn the_command_is_shown_and_told() {
        let mut link = b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46".to_vec();
        link.extend(0x28_u32.to_le_bytes());
        link.resize(76, 0);
        for text in ["..\\System32\\CMD.exe", "/c start report.pdf"] {
            link.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
            link.extend(text.as_bytes());
        }
        link.extend([0; 4]);
        let seen = seen(&link);
        assert_eq!(
            seen,
            [" = shortcut", "command = text", " ! shortcut-command"]
        );
        assert_eq!(
            part(&link, "command"),
            b"target: ..\\System32\\CMD.exe\narguments: /c start report.pdf"
        );
        link.extend(b"MZ and more");
        let seen = crate::testing::seen(&link);
        assert!(
            seen.contains(&"behind the end = dos".to_owned()),
            "{seen:?}"
        );
    }
}
