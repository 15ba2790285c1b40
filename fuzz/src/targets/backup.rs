//! Any bytes are a manifest, an index, the mark of a backup folder or a sealed run, or are refused:
//! a manifest is written as it was read, an index means the same when it is written again and names
//! no place outside its folder, and nothing opens that was not sealed.

use labward_backup::reading;
use labward_base::id::{PatientId, RecordId, SiteId};
use labward_seal::{Context, SealKey, epoch_of, open};

pub fn run(data: &[u8]) {
    let context = Context {
        site: SiteId::new(1),
        patient: PatientId::new(1),
        kind: 1,
        record: RecordId::new(1),
        version: 1,
    };
    assert!(open(&SealKey::from_bytes([9; 32]), &context, data).is_err());
    let _ = epoch_of(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(again) = reading::manifest(text) {
        assert_eq!(again, text);
    }
    if let Some(again) = reading::marker(text) {
        assert_eq!(again, text);
    }
    if let Some((again, places)) = reading::index(text) {
        assert_eq!(reading::index(&again), Some((again.clone(), places.clone())));
        for place in places {
            assert!(!place.starts_with('/') && !place.split('/').any(|part| part == ".."));
        }
    }
}
