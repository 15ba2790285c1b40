//! The walk itself: one part after the other, deeper first, within the budget.

use std::io::Read;

use crate::budget::{Budget, Limit};
use crate::formats;
use crate::kind::{Claims, Kind};
use crate::path::{Path, Step};
use crate::said;
use crate::seen::{Declared, Look, Obstacle, Part, Seen, Sign};

/// What a part may unpack to before [`Budget::ratio`] counts.
const FREE_OF_RATIO: u64 = 16 << 20;

/// How much is unpacked before the time is looked at again.
const STRETCH: usize = 64 << 10;

/// What a walk spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The parts that were shown, the outermost bytes among them.
    pub parts: usize,
    /// The bytes of all of them, and of what was unpacked on the way to them.
    pub bytes: u64,
    /// Whether everything could be looked into.
    pub complete: bool,
}

/// Shows `look` everything that is packed in `bytes`, the outermost first, what is deeper before what comes later.
///
/// `declared` is what the sender said of `bytes`; `in_time` is asked before each part and each stretch of
/// unpacking, and ends the walk with an obstacle when it says no.
pub fn walk(
    bytes: &[u8],
    declared: &Declared,
    budget: &Budget,
    in_time: &dyn Fn() -> bool,
    look: &mut dyn FnMut(&Path, Seen<'_>),
) -> Summary {
    let mut walker = Walker {
        budget,
        in_time,
        look,
        path: Path::default(),
        depth: 0,
        clinical: false,
        stopped: false,
        told: 0,
        spent: Summary {
            complete: true,
            ..Summary::default()
        },
        stretch: Vec::new(),
    };
    walker.show(declared, bytes);
    walker.spent
}

/// What the formats see of the walk.
pub(crate) struct Walker<'v> {
    budget: &'v Budget,
    in_time: &'v dyn Fn() -> bool,
    look: &'v mut Look<'v>,
    path: Path,
    depth: usize,
    /// Whether a carrier of clinical data stands around the current part.
    clinical: bool,
    /// Time, parts or bytes are used up: said once, and nothing more is opened.
    stopped: bool,
    /// Signs and obstacles that were told: as many as parts may be, so that a list of a million encrypted
    /// members ends too.
    told: usize,
    spent: Summary,
    /// What is unpacked passes through it.
    stretch: Vec<u8>,
}

impl Walker<'_> {
    /// Shows the bytes that lie at `steps` in the current part, and what is in them.
    pub(crate) fn enter(
        &mut self,
        steps: impl IntoIterator<Item = Step>,
        declared: &Declared,
        bytes: &[u8],
    ) {
        let len = self.path.len();
        for step in steps {
            self.path.push(step);
        }
        self.show(declared, bytes);
        self.path.truncate(len);
    }

    /// Unpacks from `packed` within the budget and enters what comes; `packed_len` is the size of what is
    /// packed, in bytes. What came before a fault of the reader is shown, then the fault; tells whether all came.
    pub(crate) fn unpack(
        &mut self,
        steps: impl IntoIterator<Item = Step>,
        declared: &Declared,
        kind: Kind,
        packed_len: u64,
        packed: &mut dyn Read,
    ) -> bool {
        let len = self.path.len();
        for step in steps {
            self.path.push(step);
        }
        let (bytes, obstacle) = self.read(kind, packed_len, packed);
        if obstacle.is_none() || !bytes.is_empty() {
            self.show(declared, &bytes);
        }
        if let Some(obstacle) = obstacle {
            self.obstacle(obstacle);
        }
        self.path.truncate(len);
        obstacle.is_none()
    }

    /// Does something at `step` of the current part.
    pub(crate) fn within(&mut self, step: Step, act: impl FnOnce(&mut Self)) {
        let len = self.path.len();
        self.path.push(step);
        act(self);
        self.path.truncate(len);
    }

    /// Tells a fact about the current part.
    pub(crate) fn sign(&mut self, sign: Sign) {
        self.told += 1;
        (self.look)(&self.path, Seen::Sign(sign));
    }

    /// Tells that something of the current part could not be looked into.
    pub(crate) fn obstacle(&mut self, obstacle: Obstacle) {
        self.spent.complete = false;
        self.told += 1;
        (self.look)(&self.path, Seen::Obstacle(obstacle));
    }

    /// As [`Walker::sign`], of what lies at `step` in the current part.
    pub(crate) fn sign_at(&mut self, step: Step, sign: Sign) {
        self.within(step, |walker| walker.sign(sign));
    }

    /// As [`Walker::obstacle`], of what lies at `step` in the current part.
    pub(crate) fn obstacle_at(&mut self, step: Step, obstacle: Obstacle) {
        self.within(step, |walker| walker.obstacle(obstacle));
    }

    /// Whether time, parts and bytes are left; a format that loops asks before each round.
    pub(crate) fn goes_on(&mut self) -> bool {
        if self.stopped {
            return false;
        }
        if !(self.in_time)() {
            self.stop(Limit::Time);
        } else if self.spent.parts.max(self.told) >= self.budget.parts {
            self.stop(Limit::Parts);
        } else if self.spent.bytes >= self.budget.total_bytes {
            self.stop(Limit::TotalBytes);
        }
        !self.stopped
    }

    /// The most bytes that the next part may have, from `packed_len` packed ones.
    pub(crate) fn room(&self, packed_len: u64) -> (u64, Limit) {
        let of_ratio = packed_len
            .saturating_mul(self.budget.ratio)
            .max(FREE_OF_RATIO);
        let left = self.budget.total_bytes.saturating_sub(self.spent.bytes);
        [
            (self.budget.part_bytes, Limit::PartBytes),
            (left, Limit::TotalBytes),
            (of_ratio, Limit::Ratio),
        ]
        .into_iter()
        .min_by_key(|(bytes, _)| *bytes)
        .unwrap_or((0, Limit::TotalBytes))
    }

    /// Counts bytes that were unpacked and not shown (an object stream of a PDF) towards the budget.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.spent.bytes = self.spent.bytes.saturating_add(bytes as u64);
    }

    fn stop(&mut self, limit: Limit) {
        self.stopped = true;
        self.obstacle(Obstacle::OverBudget(limit));
    }

    /// Unpacks from `packed` within the budget, for a format that reads on in it: the bytes, and why they end
    /// early.
    pub(crate) fn read(
        &mut self,
        kind: Kind,
        packed_len: u64,
        packed: &mut dyn Read,
    ) -> (Vec<u8>, Option<Obstacle>) {
        let mut stretch = std::mem::take(&mut self.stretch);
        stretch.resize(STRETCH, 0);
        let read = self.read_through(&mut stretch, kind, packed_len, packed);
        self.stretch = stretch;
        read
    }

    fn read_through(
        &self,
        stretch: &mut [u8],
        kind: Kind,
        packed_len: u64,
        packed: &mut dyn Read,
    ) -> (Vec<u8>, Option<Obstacle>) {
        let (room, limit) = self.room(packed_len);
        let mut bytes = Vec::new();
        loop {
            if !(self.in_time)() {
                return (bytes, Some(Obstacle::OverBudget(Limit::Time)));
            }
            match packed.read(stretch) {
                Ok(0) => return (bytes, None),
                Ok(n) => bytes.extend_from_slice(stretch.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return (bytes, Some(Obstacle::Damaged(kind))),
            }
            if bytes.len() as u64 > room {
                bytes.truncate(usize::try_from(room).unwrap_or(usize::MAX));
                return (bytes, Some(Obstacle::OverBudget(limit)));
            }
        }
    }

    fn show(&mut self, declared: &Declared, bytes: &[u8]) {
        if !self.goes_on() {
            return;
        }
        self.spent.parts += 1;
        self.spent.bytes += bytes.len() as u64;
        let claims = Claims::of(bytes);
        let part = Part {
            bytes,
            claims: &claims,
            declared,
        };
        (self.look)(&self.path, Seen::Part(part));
        self.tell_signs(&part);
        if self.depth >= self.budget.depth {
            if formats::holds_more(&part) {
                self.obstacle(Obstacle::OverBudget(Limit::Depth));
            }
            return;
        }
        let clinical = self.clinical;
        self.clinical |= claims.all().any(Kind::is_clinical);
        self.depth += 1;
        // What is handed over as a mail is opened as one, whatever its first lines look like to those who do not know.
        let is_hidden = said::is_mail(declared) && !claims.all().any(|kind| kind == Kind::Mime);
        for kind in claims.all().chain(is_hidden.then_some(Kind::Mime)) {
            if self.stopped {
                break;
            }
            formats::open(self, kind, &part);
        }
        self.depth -= 1;
        self.clinical = clinical;
    }

    /// The signs that any part may give, whatever its format.
    fn tell_signs(&mut self, part: &Part<'_>) {
        if self.clinical && part.claims.all().any(Kind::is_program) {
            self.sign(Sign::ProgramInClinical);
        }
        // DICOM allows a file to be a TIFF as well (PS3.10 section 7.1).
        let is_dual = part.claims.all().eq([Kind::Tiff, Kind::Dicom]);
        if part.claims.is_polyglot() && !is_dual {
            self.sign(Sign::Polyglot);
        }
        for sign in said::signs(part) {
            self.sign(sign);
        }
    }
}
