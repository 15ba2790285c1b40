//! `segment plan`: captures become conduits that wait for a person, and what is new is named.

use std::io::{self, Write};

use labward_base::problem;
use labward_segmentation::{Alert, Baseline, Decision, Learned, Observation, Plan};
use serde::Serialize;

use super::{about, bad_plan, list, plan};
use crate::args::SegmentPlanArgs;
use crate::commands::capture::{observe, open};
use crate::commands::{Context, read};
use crate::failure::Failure;
use crate::output::{or_dash, show, table};

/// What became of it.
#[derive(Default, Serialize)]
struct Answer {
    devices: usize,
    new_conduits: usize,
    known_conduits: usize,
    /// How many conduits wait for a person.
    undecided: usize,
    alerts: Vec<AlertAnswer>,
    /// What was not looked at or left out.
    remarks: Vec<String>,
}

/// Something that is not expected of a device.
#[derive(Serialize)]
struct AlertAnswer {
    device: u64,
    name: String,
    novelty: &'static str,
    direction: &'static str,
    peer: String,
    is_public: bool,
    service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_as: Option<String>,
    first_seen: String,
    bytes: u64,
}

/// `labward segment plan`
pub(super) fn run(context: &Context, arguments: &SegmentPlanArgs) -> Result<(), Failure> {
    let mut answer = Answer::default();
    let mut plan = match &arguments.state {
        Some(path) => plan(path)?,
        None => Plan::default(),
    };
    if let Some(path) = &arguments.devices {
        let (devices, remarks) = list::read(&read(path)?).map_err(|why| bad_plan(path, &why))?;
        answer.remarks.extend(remarks);
        plan.enrol(devices)
            .map_err(|error| bad_plan(path, &error))?;
    }
    let captured = observe(arguments.capture.iter().map(open))?;
    answer.remarks.extend(captured.remarks);
    let seen = captured.observed.conversations.iter();
    let seen: Vec<_> = seen.filter_map(Observation::of).collect();
    let alerts = Baseline::of(&plan).alerts(&seen);
    answer.alerts = alerts.into_iter().map(AlertAnswer::from).collect();
    let learned = plan
        .learn(&seen)
        .map_err(|error| Failure::new(&problem::SEGMENTATION_BAD_PLAN, error.to_string()))?;
    answer.count(&plan, learned);
    let text = plan
        .write()
        .map_err(|error| Failure::new(&problem::SEGMENTATION_BAD_PLAN, error.to_string()))?;
    match &arguments.out {
        Some(path) => {
            labward_os::write_durably(path, text.as_bytes(), 0o600)
                .map_err(|error| about(&problem::CLI_FILE, path, &error))?;
            show(context.json, &answer, |out| write(out, &answer))?;
        }
        None => {
            show(false, &(), |out| out.write_all(text.as_bytes()))?;
            // Nobody can be told that standard error is gone.
            let _ = write(&mut io::stderr().lock(), &answer);
        }
    }
    match captured.damaged {
        Some(text) => Err(Failure::new(&problem::CLI_FILE, text)),
        None => Ok(()),
    }
}

impl Answer {
    fn count(&mut self, plan: &Plan, learned: Learned) {
        self.devices = plan.devices().len();
        self.new_conduits = learned.new;
        self.known_conduits = learned.known;
        let conduits = plan.devices().iter().flat_map(|device| &device.conduits);
        let waiting = conduits.filter(|one| one.decision == Decision::Learned);
        self.undecided = waiting.count();
        for (count, text) in [
            (learned.foreign, "conversations are of no listed device"),
            (learned.no_room, "conversations had no room in the plan"),
        ] {
            if count > 0 {
                self.remarks.push(format!("{count} {text}"));
            }
        }
    }
}

impl From<Alert> for AlertAnswer {
    fn from(alert: Alert) -> Self {
        Self {
            device: alert.device.get(),
            name: alert.name,
            novelty: alert.novelty.name(),
            direction: alert.direction.name(),
            peer: alert.peer.to_string(),
            is_public: alert.is_public,
            service: alert.service.to_string(),
            known_as: alert.known_as,
            first_seen: alert.first_seen.to_string(),
            bytes: alert.bytes,
        }
    }
}

fn write(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    if !answer.alerts.is_empty() {
        let rows: Vec<_> = answer.alerts.iter().map(AlertAnswer::row).collect();
        let head = [
            "device",
            "name",
            "new",
            "direction",
            "peer",
            "service",
            "known as",
            "first seen",
        ];
        table(out, &head, &rows)?;
        writeln!(out)?;
    }
    writeln!(
        out,
        "devices: {}; new conduits: {}; known: {}; waiting for a decision: {}; alerts: {}",
        answer.devices,
        answer.new_conduits,
        answer.known_conduits,
        answer.undecided,
        answer.alerts.len()
    )?;
    for remark in &answer.remarks {
        writeln!(out, "note: {remark}")?;
    }
    Ok(())
}

impl AlertAnswer {
    fn row(&self) -> Vec<String> {
        let public = if self.is_public { " (public)" } else { "" };
        vec![
            self.device.to_string(),
            self.name.clone(),
            self.novelty.to_owned(),
            self.direction.to_owned(),
            format!("{}{public}", self.peer),
            self.service.clone(),
            or_dash(self.known_as.as_deref()),
            self.first_seen.clone(),
        ]
    }
}
