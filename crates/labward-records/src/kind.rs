//! What kinds of records there are; their numbers are stored and bound by every seal.

/// What the bytes of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum RecordKind {
    /// One HL7 v2 message, or what came in its place.
    Hl7V2 = 1,
    /// The records of one ASTM E1394 / LIS02 message.
    Astm = 2,
    /// One FHIR R4 resource, or a bundle that came as one message.
    FhirResource = 3,
    /// Any other bytes.
    Document = 4,
}

impl RecordKind {
    /// The number under which the kind is stored.
    pub const fn code(self) -> u16 {
        match self {
            Self::Hl7V2 => 1,
            Self::Astm => 2,
            Self::FhirResource => 3,
            Self::Document => 4,
        }
    }

    /// The kind stored as `code`.
    pub const fn from_code(code: u16) -> Option<Self> {
        match code {
            1 => Some(Self::Hl7V2),
            2 => Some(Self::Astm),
            3 => Some(Self::FhirResource),
            4 => Some(Self::Document),
            _ => None,
        }
    }

    /// The name in JSON and documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hl7V2 => "hl7-v2",
            Self::Astm => "astm",
            Self::FhirResource => "fhir-resource",
            Self::Document => "document",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_back_from_its_code() {
        for code in 0..6 {
            let kind = RecordKind::from_code(code);
            assert_eq!(kind.is_some(), (1..=4).contains(&code), "{code}");
            assert_eq!(kind.map_or(code, RecordKind::code), code);
        }
    }
}
