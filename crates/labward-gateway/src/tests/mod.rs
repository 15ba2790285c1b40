//! The gateway as its peers meet it: real sockets, real TLS, a real store and ledger.

mod answers;
mod copies;
mod corpus;
mod decisions;
mod framing;
mod given_back;
mod inspecting;
mod limits;
mod protection;
mod reload;
mod watching;

/// A message with this control id and result.
fn oru(id: &str, result: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|APP|FAC|LIS|LAB|20270115080000||ORU^R01^ORU_R01|{id}|P|2.5.1\r\
         PID|1||4711^^^LAB^MR||Doe^Jane\rOBX|1|NM|GLU||{result}|mg/dl\r"
    )
    .into_bytes()
}
