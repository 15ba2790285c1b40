//! How the signature of a program goes with the one that stood there before.
//!
//! It must never take a name for a signer: only keys show that two are the same, and no chain of certificates is judged.

use labward_authenticode::{Continuity, Fit, Signature};
use serde::Serialize;

use super::program::Program;

/// What became of a program's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Signing {
    /// It fits, and nothing that fits was there before.
    New,
    /// There was one, and now there is none.
    Lost,
    /// It fits and has other names.
    OtherSigner,
    /// It fits, and has the same names, but nothing shows that the same one signed.
    SameName,
    /// It fits, and keys show that the same one signed.
    SameSigner,
    /// It fits, and the baseline does not say who signed before.
    UnknownBefore,
    /// It could not be looked at.
    Unread,
    /// It does not fit the file.
    Wrong,
}

impl Signing {
    /// What became of it; none if there is none and was none.
    pub(super) fn of(was: Option<&Program>, is: &Program) -> Option<Self> {
        let bore = was.and_then(|was| was.signed) == Some(true);
        let before = was.and_then(|was| was.signature.as_ref());
        let Some(now) = &is.signature else {
            return (bore && is.signed == Some(false)).then_some(Self::Lost);
        };
        Some(match (now.fit, before) {
            (Fit::Misfits(_), _) => Self::Wrong,
            (Fit::Unread(_), _) => Self::Unread,
            (Fit::Fits, None) if bore => Self::UnknownBefore,
            (Fit::Fits, Some(before)) if before.fit == Fit::Fits => continued(before, now),
            (Fit::Fits, _) => Self::New,
        })
    }

    /// As the server is told.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Lost => "lost",
            Self::OtherSigner => "other-signer",
            Self::SameName => "same-name",
            Self::SameSigner => "same-signer",
            Self::UnknownBefore => "unknown-before",
            Self::Unread => "unread",
            Self::Wrong => "wrong",
        }
    }

    /// The alarm that it is, if it is one.
    pub(super) const fn alarm(self) -> Option<&'static str> {
        match self {
            Self::Lost => Some("signature-lost"),
            Self::OtherSigner => Some("signer-changed"),
            Self::SameName => Some("signer-unproven"),
            Self::Unread => Some("signature-unread"),
            Self::Wrong => Some("signature-wrong"),
            Self::New | Self::SameSigner | Self::UnknownBefore => None,
        }
    }

    /// As a person reads it.
    pub(super) fn sentence(self, was: Option<&Program>, is: &Program) -> String {
        let (before, now) = (signer(was), signer(Some(is)));
        let before = before.as_deref().unwrap_or("?");
        let name = now.as_deref().unwrap_or("?");
        let code = is.signature.as_ref().map_or("", |one| one.fit.code());
        match self {
            Self::New => format!("signed by {name}, hash matches, chain not judged"),
            Self::Lost => format!("no longer signed, before by {before}"),
            Self::OtherSigner => format!("signed by {name}, before by {before}, chain not judged"),
            Self::SameName => {
                format!("signed as {name} as before, but nothing shows that it is the same signer")
            }
            Self::SameSigner => format!("signed by the same signer as before, {name}"),
            Self::UnknownBefore => {
                format!("signed by {name}, the baseline does not say by whom before")
            }
            Self::Unread => format!("its signature cannot be read: {code}"),
            Self::Wrong => {
                format!("its signature does not fit the file and names {name}: {code}")
            }
        }
    }
}

fn continued(before: &Signature, now: &Signature) -> Signing {
    let (Some(before), Some(now)) = (&before.signer, &now.signer) else {
        return Signing::OtherSigner;
    };
    match now.continuity(before) {
        Continuity::Another => Signing::OtherSigner,
        Continuity::SameName => Signing::SameName,
        Continuity::SameCertificate | Continuity::SameSigner => Signing::SameSigner,
    }
}

/// The name of who signed, or is said to have.
pub(super) fn signer(program: Option<&Program>) -> Option<String> {
    let signature = program?.signature.as_ref()?;
    signature.signer.as_ref().map(|signer| signer.shown())
}
