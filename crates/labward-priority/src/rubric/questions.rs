//! The questions of the rubric, each with its number, its code and the metric that it speaks of.

/// The base metrics of CVSS 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Attack vector.
    AttackVector,
    /// Attack complexity.
    AttackComplexity,
    /// Privileges required.
    PrivilegesRequired,
    /// User interaction.
    UserInteraction,
    /// Scope.
    Scope,
    /// Confidentiality.
    Confidentiality,
    /// Integrity.
    Integrity,
    /// Availability.
    Availability,
}

impl Metric {
    /// Every metric, in the order of the standard.
    pub const ALL: &[Self] = &[
        Self::AttackVector,
        Self::AttackComplexity,
        Self::PrivilegesRequired,
        Self::UserInteraction,
        Self::Scope,
        Self::Confidentiality,
        Self::Integrity,
        Self::Availability,
    ];

    /// Its short name, for example `AV`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AttackVector => "AV",
            Self::AttackComplexity => "AC",
            Self::PrivilegesRequired => "PR",
            Self::UserInteraction => "UI",
            Self::Scope => "S",
            Self::Confidentiality => "C",
            Self::Integrity => "I",
            Self::Availability => "A",
        }
    }

    /// The short name of its modified metric, for example `MAV`.
    pub const fn modified(self) -> &'static str {
        match self {
            Self::AttackVector => "MAV",
            Self::AttackComplexity => "MAC",
            Self::PrivilegesRequired => "MPR",
            Self::UserInteraction => "MUI",
            Self::Scope => "MS",
            Self::Confidentiality => "MC",
            Self::Integrity => "MI",
            Self::Availability => "MA",
        }
    }
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes, no or unknown.
    YesNo,
    /// How much: none, low, high or unknown.
    Level,
}

/// One question.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// Its code in the rubric, for example `XAVN`.
    pub code: &'static str,
    /// Its number in the rubric, for example `Q1.1.C`; each group counts from one.
    pub number: &'static str,
    /// The metric that it speaks of.
    pub metric: Metric,
    /// How it is answered.
    pub kind: Kind,
    /// The question in English.
    pub text: &'static str,
}

macro_rules! questions {
    ($($code:ident $number:literal $metric:ident $kind:ident $text:literal)+) => {
        /// Every question, in the order of the rubric.
        pub const QUESTIONS: &[Question] = &[$(Question {
            code: stringify!($code),
            number: $number,
            metric: Metric::$metric,
            kind: Kind::$kind,
            text: $text,
        }),+];
    };
}

questions! {
    XAVN "Q1" AttackVector YesNo "Is the vulnerability attacked over a network or another line of communication?"
    XAVT "Q2" AttackVector YesNo "Does that line carry IP, TCP or UDP, or another protocol of layer 3 or 4?"
    XAVW "Q3" AttackVector YesNo "Is that line wireless?"
    XAVR "Q4" AttackVector YesNo "Does the radio reach about 10 feet (3 m) at most?"
    XAVP "Q5" AttackVector YesNo "Must an attacker touch the device?"
    XAVPA "Q5.1" AttackVector YesNo "Does the attack go through the screen and keys that staff use?"
    XACL "Q1" AttackComplexity YesNo "Can the attack be tried at any time, without special settings or another flaw first?"
    XPRL "Q1" PrivilegesRequired YesNo "Does the device tell users or roles with different rights apart?"
    XPRZ "Q2" PrivilegesRequired YesNo "Must an attacker hold rights on the affected part before trying?"
    XPRS "Q3" PrivilegesRequired YesNo "Must these be rights of an administrator, of service staff or of the system?"
    XUI "Q1" UserInteraction YesNo "Does the attack succeed only if another person does something?"
    XS "Q1" Scope YesNo "Can the attack affect a part that other rights govern than those of the vulnerable one?"
    XCP "Q1.C" Confidentiality YesNo "Can data that identify patients be read?"
    XCPM "Q1.1.C" Confidentiality YesNo "Can that be data of many patients, such as the 500 from which a breach is told to the authority?"
    XCD "Q2.C" Confidentiality Level "How much of diagnosis or monitoring can be read?"
    XCT "Q3.C" Confidentiality Level "How much of the delivery of therapy can be read?"
    XCW "Q4.C" Confidentiality Level "How much of the clinical workflow can be read?"
    XCS "Q5.C" Confidentiality Level "How much of the system's own secrets (passwords, keys) can be read?"
    XCO "Q6.C" Confidentiality Level "How much of anything else that is critical or sensitive can be read?"
    XIP "Q1.I" Integrity Level "How far can data that identify patients be changed or deleted?"
    XID "Q2.I" Integrity Level "How far can diagnosis or monitoring be changed?"
    XIT "Q3.I" Integrity Level "How far can the delivery of therapy be changed?"
    XIW "Q4.I" Integrity Level "How far can the clinical workflow be changed?"
    XIS "Q5.I" Integrity Level "How far can the system's own secrets (passwords, keys) be changed?"
    XIO "Q6.I" Integrity Level "How far can anything else that is critical or sensitive be changed?"
    XAP "Q1.A" Availability Level "How far can data that identify patients be put out of reach?"
    XAD "Q2.A" Availability Level "How far can diagnosis or monitoring be put out of service?"
    XAT "Q3.A" Availability Level "How far can the delivery of therapy be put out of service?"
    XAW "Q4.A" Availability Level "How far can the clinical workflow be put out of service?"
    XAS "Q5.A" Availability Level "How far can the system's own secrets (passwords, keys) be put out of reach?"
    XAO "Q6.A" Availability Level "How far can anything else that is critical or sensitive be put out of service?"
}

impl Question {
    /// The question of a code.
    pub fn find(code: &str) -> Option<&'static Self> {
        QUESTIONS.iter().find(|question| question.code == code)
    }
}
