//! The schema of the whole installation: the steps of every room, in the order of their levels.
//!
//! A step once published is never changed or moved: the number of a step is its place in this list,
//! so a room's next step is added at the very end, after every other room's.

use labward_store::Migration;

/// Every step of every room.
pub fn migrations() -> Vec<Migration> {
    [
        labward_ledger::MIGRATIONS,
        labward_keys::MIGRATIONS,
        labward_identity::MIGRATIONS,
        labward_records::MIGRATIONS,
        labward_gateway::MIGRATIONS,
    ]
    .concat()
}
