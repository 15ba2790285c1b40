//! The SQL of devices, and the entries that go with each change.
//!
//! **Invariant:** no change without an entry: rows and entry are written in one unit. Nothing that was
//! said of a device stands in an entry, only of what: a ledger cannot forget.

use labward_base::Timestamp;
use labward_base::id::{DeviceId, EntryIndex, PeerId, PersonId, SiteId};
use labward_ledger::{NewEntry, append};
use labward_store::{Migration, Query, Row, StoreError, Tx};

use crate::DevicesError;
use crate::device::Device;
use crate::observation::{Confidence, Observation, Source, Voice};

/// The step that leads to the schema.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "devices",
    sql: include_str!("../schema.sql"),
}];

/// What one change writes.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) entry: NewEntry,
    /// The devices as they are afterwards.
    pub(crate) devices: Vec<Device>,
    /// What was said now.
    pub(crate) said: Vec<(DeviceId, Observation)>,
    /// What went because its voice had said too many.
    pub(crate) gone: Vec<(DeviceId, Observation)>,
    /// Peers that are bound to another device than before, or to none.
    pub(crate) bound: Vec<(PeerId, Option<DeviceId>)>,
}

/// Every device.
pub(crate) fn read(query: &mut impl Query, site: SiteId) -> Result<Vec<Device>, StoreError> {
    let mut devices = query.query_all(
        "SELECT id, added_us, removed_us, merged_into, revision, entry FROM device \
         WHERE site = $1 ORDER BY id",
        &[site.as_sql().into()],
        |row| {
            Ok(Device {
                id: DeviceId::new(number(row, 0)?),
                added: Timestamp::from_micros(row.int(1)?),
                removed: row.opt_int(2)?.map(Timestamp::from_micros),
                merged_into: row.opt_int(3)?.and_then(DeviceId::from_sql),
                revision: number(row, 4)?,
                entry: EntryIndex::new(number(row, 5)?),
                peers: Vec::new(),
                observations: Vec::new(),
            })
        },
    )?;
    let said = query.query_all(
        "SELECT device, attribute, voice, value, confidence, origin, sha256, person, first_us, \
         since_us, last_us, entry FROM device_observation WHERE site = $1 \
         ORDER BY device, attribute, voice, value",
        &[site.as_sql().into()],
        |row| Ok((DeviceId::new(number(row, 0)?), observation(row)?)),
    )?;
    let bound = query.query_all(
        "SELECT peer, device FROM device_peer WHERE site = $1 ORDER BY peer",
        &[site.as_sql().into()],
        |row| Ok((PeerId::new(number(row, 0)?), DeviceId::new(number(row, 1)?))),
    )?;
    for (device, observation) in said {
        find(&mut devices, device)?.observations.push(observation);
    }
    for (peer, device) in bound {
        find(&mut devices, device)?.peers.push(peer);
    }
    Ok(devices)
}

/// Writes a change and its entry.
pub(crate) fn write(
    tx: &mut Tx<'_>,
    site: SiteId,
    change: &Change,
) -> Result<EntryIndex, DevicesError> {
    let entry = append(tx, &change.entry)?;
    for device in &change.devices {
        put_device(tx, site, device, entry)?;
    }
    for (device, observation) in &change.gone {
        let voice = observation.voice().to_string();
        tx.execute(
            "DELETE FROM device_observation WHERE site = $1 AND device = $2 AND attribute = $3 \
             AND voice = $4 AND value = $5",
            &[
                site.as_sql().into(),
                device.as_sql().into(),
                observation.attribute.name().into(),
                voice.as_str().into(),
                observation.value.as_str().into(),
            ],
        )?;
    }
    for (device, observation) in &change.said {
        put_observation(tx, site, *device, observation, entry)?;
    }
    for (peer, device) in &change.bound {
        bind(tx, site, *peer, *device, entry)?;
    }
    Ok(entry)
}

fn put_device(
    tx: &mut Tx<'_>,
    site: SiteId,
    device: &Device,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO device (site, id, added_us, removed_us, merged_into, revision, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (site, id) DO UPDATE SET \
         removed_us = excluded.removed_us, merged_into = excluded.merged_into, \
         revision = excluded.revision, entry = excluded.entry",
        &[
            site.as_sql().into(),
            device.id.as_sql().into(),
            device.added.as_micros().into(),
            device.removed.map(Timestamp::as_micros).into(),
            device.merged_into.map(DeviceId::as_sql).into(),
            i64::try_from(device.revision).unwrap_or(i64::MAX).into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(())
}

fn put_observation(
    tx: &mut Tx<'_>,
    site: SiteId,
    device: DeviceId,
    one: &Observation,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    let voice = one.voice().to_string();
    let (origin, sha256, person) = match &one.source {
        Source::Capture { sha256 } => (None, Some(sha256), None),
        Source::File { name, sha256, .. } => (Some(name.as_str()), Some(sha256), None),
        Source::Link { link, .. } => (Some(link.as_str()), None, None),
        Source::Person(person) => (None, None, Some(person.as_sql())),
    };
    tx.execute(
        "INSERT INTO device_observation (site, device, attribute, voice, value, confidence, origin, \
         sha256, person, first_us, since_us, last_us, entry) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (site, device, attribute, voice, value) DO UPDATE SET \
         confidence = excluded.confidence, origin = excluded.origin, sha256 = excluded.sha256, \
         person = excluded.person, since_us = excluded.since_us, last_us = excluded.last_us, \
         entry = excluded.entry",
        &[
            site.as_sql().into(),
            device.as_sql().into(),
            one.attribute.name().into(),
            voice.as_str().into(),
            one.value.as_str().into(),
            one.confidence.name().into(),
            origin.into(),
            sha256.map(<[u8; 32]>::as_slice).into(),
            person.into(),
            one.first.as_micros().into(),
            one.since.as_micros().into(),
            one.last.as_micros().into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(())
}

fn bind(
    tx: &mut Tx<'_>,
    site: SiteId,
    peer: PeerId,
    device: Option<DeviceId>,
    entry: EntryIndex,
) -> Result<(), StoreError> {
    let Some(device) = device else {
        tx.execute(
            "DELETE FROM device_peer WHERE site = $1 AND peer = $2",
            &[site.as_sql().into(), peer.as_sql().into()],
        )?;
        return Ok(());
    };
    tx.execute(
        "INSERT INTO device_peer (site, peer, device, entry) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (site, peer) DO UPDATE SET device = excluded.device, entry = excluded.entry",
        &[
            site.as_sql().into(),
            peer.as_sql().into(),
            device.as_sql().into(),
            entry.as_sql().into(),
        ],
    )?;
    Ok(())
}

fn observation(row: &Row<'_>) -> Result<Observation, StoreError> {
    let sha256 = || {
        row.opt_bytes(6)?
            .and_then(|all| all.try_into().ok())
            .ok_or_else(damaged)
    };
    let origin = || Ok::<_, StoreError>(row.opt_text(5)?.ok_or_else(damaged)?.to_owned());
    let source = match row.text(2)?.parse().map_err(|()| damaged())? {
        Voice::Capture => Source::Capture { sha256: sha256()? },
        Voice::File(format) => Source::File {
            format,
            name: origin()?,
            sha256: sha256()?,
        },
        Voice::Peer(peer) => Source::Link {
            link: origin()?,
            peer,
        },
        Voice::Person => {
            let person = row.opt_int(7)?.and_then(PersonId::from_sql);
            Source::Person(person.ok_or_else(damaged)?)
        }
    };
    Ok(Observation {
        attribute: row.text(1)?.parse().map_err(|_| damaged())?,
        value: row.text(3)?.to_owned(),
        source,
        confidence: Confidence::by_name(row.text(4)?).ok_or_else(damaged)?,
        first: Timestamp::from_micros(row.int(8)?),
        since: Timestamp::from_micros(row.int(9)?),
        last: Timestamp::from_micros(row.int(10)?),
        entry: EntryIndex::new(number(row, 11)?),
    })
}

fn find(devices: &mut [Device], id: DeviceId) -> Result<&mut Device, StoreError> {
    let place = devices.binary_search_by_key(&id, |device| device.id);
    let device = place.ok().and_then(|place| devices.get_mut(place));
    device.ok_or_else(damaged)
}

fn number(row: &Row<'_>, column: usize) -> Result<u64, StoreError> {
    u64::try_from(row.int(column)?).map_err(|_| damaged())
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        place: "a row of the tables of devices".to_owned(),
    }
}
