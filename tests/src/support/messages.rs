//! Numbered messages: who sent which, about whom, in which order.

/// A message that says in itself which client sent it, about which of its patients, and its number
/// in the order of that patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Numbered {
    /// The client.
    pub(crate) client: u32,
    /// The client's patient.
    pub(crate) patient: u32,
    /// The number in the patient's order, from 1.
    pub(crate) number: u32,
}

impl Numbered {
    /// MSH-10.
    pub(crate) fn control_id(self) -> String {
        format!("K{}-{}-{}", self.client, self.patient, self.number)
    }

    /// Reads a control id back.
    pub(crate) fn from_control_id(id: &str) -> Option<Self> {
        let mut parts = id.strip_prefix('K')?.split('-').map(str::parse);
        let mut next = || parts.next()?.ok();
        Some(Self {
            client: next()?,
            patient: next()?,
            number: next()?,
        })
    }

    /// The message.
    pub(crate) fn message(self) -> Vec<u8> {
        let Self {
            client,
            patient,
            number,
        } = self;
        let id = self.control_id();
        format!(
            "MSH|^~\\&|XN550|HEMA|LIS|LAB|20260101120000||ORU^R01^ORU_R01|{id}|P|2.5.1\r\
             PID|1||C{client}P{patient}^^^LAB^MR||DOE^PAT {client} {patient}||19700101|F\r\
             OBR|1||A{id}|CBC^^L|||20260101115500\r\
             OBX|1|NM|6690-2^WBC^LN||{number}|10*3/uL|4-11|N|||F\r"
        )
        .into_bytes()
    }
}

#[test]
fn a_control_id_says_which_message_it_is() {
    let message = Numbered {
        client: 3,
        patient: 1,
        number: 42,
    };
    assert_eq!(
        Numbered::from_control_id(&message.control_id()),
        Some(message)
    );
    assert_eq!(Numbered::from_control_id("M1"), None);
}
