//! Keys: another root key, and how long it takes until a lab with very many patients is open.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use labward_ledger::Actor;

use super::message::registrations;
use super::process::Cost;
use super::report::Findings;
use super::rooms::{ME, Rooms, WHY, wait_for_names};
use super::row::{Figure, Goal, Row};
use super::{Bench, Context, each};

pub(super) const BENCH: Bench = Bench {
    name: "keys",
    title: "Keys",
    about: ABOUT,
    run,
};

const ABOUT: &str = "\
An installation with 1,000,000 patients, each with a key of its own, made once by the import of 1,000,000 ADT
messages. The rooms below the server, in one process.

- **Rotation**: `Keys::rotate` makes another root key and wraps every patient's key anew, in synced chunks.
- **Unseal to ready**: from the key file in hand until every patient, identifier and key is in memory and
  names can be searched. Listeners open before the names are complete, so the time until then stands by itself.
";

/// Messages of one file: no file may hold more than 100,000.
const PER_FILE: u64 = 50_000;

/// What one round showed, in seconds and µs.
struct Measured {
    rotation: Cost,
    open: Duration,
    ready: Duration,
}

fn run(context: &Context<'_>) -> Result<Findings> {
    let patients = context.size(1_000_000, 5_000);
    let rooms = Rooms::create(context.place.join("keys"))?;
    let (imported, cost) = Cost::of(|| import(&rooms, patients))?;
    eprintln!(
        "bench keys: {imported} patients imported in {:.0} s",
        cost.seconds
    );
    let [runs] = context.rounds(["Labward"], |_| {
        let measured = measure(&rooms, patients)?;
        eprintln!(
            "bench keys: ready after {:.2} s, rotated in {:.2} s",
            measured.ready.as_secs_f64(),
            measured.rotation.seconds
        );
        Ok(measured)
    })?;
    let seconds = Figure::less("s");
    let count = f64::from(u32::try_from(patients)?);
    let row = |case: String, figure: Figure, read: &dyn Fn(&Measured) -> f64| {
        Row::alone(case, figure, &each(&runs, read))
    };
    let rotation = format!("rotation, {patients} patients");
    let rows = vec![
        row(rotation.clone(), seconds, &|run| run.rotation.seconds).goal(Some(Goal::AtMost(30.0))),
        row(rotation, Figure::less("CPU µs/patient"), &|run| {
            run.rotation.cpu_us / count
        }),
        row(
            format!("unseal to open listeners, {patients} patients"),
            seconds,
            &|run| run.open.as_secs_f64(),
        ),
        row(
            format!("unseal to ready, {patients} patients"),
            seconds,
            &|run| run.ready.as_secs_f64(),
        )
        .goal(Some(Goal::AtMost(15.0))),
    ];
    Ok(Findings {
        how: format!("Medians of {} rounds.", context.options.rounds),
        rows,
    })
}

/// Brings so many new patients.
fn import(rooms: &Rooms, patients: u64) -> Result<u64> {
    let ground = rooms.ground()?;
    rooms.unseal(&ground)?;
    let records = rooms.records(&ground)?;
    let mut done = 0;
    while done < patients {
        let end = (done + PER_FILE).min(patients);
        let imported = records.import(&registrations(done..end), None, ME, WHY)?;
        ensure!(
            imported.new_patients == end - done,
            "an import brought {} patients instead of {}",
            imported.new_patients,
            end - done
        );
        done = end;
    }
    while records.merge_behind()? {}
    drop(records);
    ground.store.close()?;
    Ok(done)
}

/// Opens everything and rotates.
fn measure(rooms: &Rooms, patients: u64) -> Result<Measured> {
    let ground = rooms.ground()?;
    let begin = Instant::now();
    rooms.unseal(&ground)?;
    let records = rooms.records(&ground)?;
    let open = begin.elapsed();
    wait_for_names(&records);
    let ready = begin.elapsed();
    ensure!(
        u64::try_from(records.patient_count())? == patients,
        "{} patients are there",
        records.patient_count()
    );
    let (report, rotation) = Cost::of(|| {
        ground
            .keys
            .rotate(Actor::System)
            .context("rotate the root key")
    })?;
    // The site's own keys are wrapped anew, too.
    ensure!(report.rewrapped >= patients, "keys were passed over");
    drop(records);
    ground.store.close()?;
    Ok(Measured {
        rotation,
        open,
        ready,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Workplace;

    #[test]
    fn every_patient_is_there_again_and_every_key_is_wrapped_anew() {
        let place = Workplace::create("xtask-keys").unwrap();
        let rooms = Rooms::create(place.join("keys")).unwrap();
        assert_eq!(import(&rooms, 300).unwrap(), 300);
        let measured = measure(&rooms, 300).unwrap();
        assert!(measured.ready >= measured.open && measured.rotation.cpu_us > 0.0);
        // A second round finds what the first one left.
        measure(&rooms, 300).unwrap();
        assert!(measure(&rooms, 301).is_err());
    }
}
