//! What must hold besides the version: an operating system, another part, an option, a vulnerability.

/// Something that must hold besides the version, or is only remarked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What kind of thing it speaks of.
    pub kind: ConditionKind,
    /// The text as it was given.
    pub text: String,
}

/// What a condition speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionKind {
    /// Only these vulnerabilities (CVE numbers stand in the text).
    Cve,
    /// A model.
    Model,
    /// An operating system or a server beneath.
    OperatingSystem,
    /// An option, a setting or a way of use.
    Option,
    /// A part with its own version, or another thing that must be there.
    OtherPart,
    /// Nothing that must hold: the end of life, a former name.
    Remark,
    /// When it was shipped or distributed.
    Shipped,
}

impl Condition {
    pub(super) fn new(kind: ConditionKind, text: &str) -> Self {
        Self {
            kind,
            text: text.trim().to_owned(),
        }
    }

    /// The kind of a folded text in brackets or behind a version.
    pub(super) fn kind_of(plain: &str) -> ConditionKind {
        let has = |words: &[&str]| words.iter().any(|word| plain.contains(word));
        if has(&["cve-"]) {
            ConditionKind::Cve
        } else if has(&["shipped", "distributed", "manufactured", "production date"]) {
            ConditionKind::Shipped
        } else if has(&[
            "end-of-life",
            "end of life",
            "eol ",
            "formerly",
            "former ",
            "also known as",
            "aka ",
            "deprecated",
        ]) || matches!(plain, "global" | "u.s." | "eol" | "including")
        {
            ConditionKind::Remark
        } else if has(&["windows", "linux", "android", "operating system"]) {
            ConditionKind::OperatingSystem
        } else if plain.starts_with("model") {
            ConditionKind::Model
        } else if has(&["option", "setting", "enabled", "only if", "when "]) {
            ConditionKind::Option
        } else {
            ConditionKind::OtherPart
        }
    }

    /// Whether it must hold, so that without it nothing is claimed.
    #[must_use]
    pub fn must_hold(&self) -> bool {
        self.kind != ConditionKind::Remark
    }

    /// Whether it speaks of this vulnerability (`CVE-2019-18340`, in any case).
    #[must_use]
    pub fn names_cve(&self, cve: &str) -> bool {
        self.kind == ConditionKind::Cve
            && self
                .text
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                .any(|word| word.eq_ignore_ascii_case(cve))
    }
}
