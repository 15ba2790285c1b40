//! Any bytes as OpenVEX: statements within bounds, or an error.

use labward_advisory::Limits;
use labward_advisory::openvex::OpenVex;

pub fn run(data: &[u8]) {
    let limits = Limits {
        max_entries: 20,
        max_flaws: 20,
        ..Limits::default()
    };
    let Ok(vex) = OpenVex::parse(data, &limits) else { return };
    assert!(vex.statements.len() <= 20);
}
