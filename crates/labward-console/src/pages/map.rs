//! The map of the flow: links on the left, Labward in the middle, destinations on the right.

use labward_api::status::Status;

/// Height of one node with the space below it.
const STEP: u32 = 64;
/// Where the first node begins.
const TOP: u32 = 16;
/// Half the height of a node.
const HALF: u32 = 24;

/// What the page draws; lengths are in the units of its view box, 800 wide.
pub(super) struct Map {
    pub(super) height: u32,
    pub(super) core_y: u32,
    pub(super) core_text_y: u32,
    pub(super) nodes: Vec<Node>,
    pub(super) lines: Vec<Line>,
}

/// One link or destination.
pub(super) struct Node {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) text_x: u32,
    pub(super) text_y: u32,
    pub(super) small_y: u32,
    pub(super) name: String,
    pub(super) small: String,
}

/// A line between a node and the middle.
pub(super) struct Line {
    pub(super) x1: u32,
    pub(super) y1: u32,
    pub(super) x2: u32,
    pub(super) y2: u32,
    pub(super) encrypted: bool,
}

impl Map {
    pub(super) fn of(status: &Status) -> Self {
        let most = status.links.len().max(status.destinations.len()).max(1);
        let height = TOP
            + u32::try_from(most)
                .unwrap_or(u32::MAX / STEP)
                .saturating_mul(STEP);
        let middle = height / 2;
        let mut map = Self {
            height,
            core_y: middle.saturating_sub(32),
            core_text_y: middle + 5,
            nodes: Vec::new(),
            lines: Vec::new(),
        };
        let mut y = TOP;
        for link in &status.links {
            let small = format!("{} · {}", link.protocol, link.accepted);
            map.node((16, y), &link.name, small);
            map.line((236, y + HALF), (310, middle), link.transport != "plain");
            y = y.saturating_add(STEP);
        }
        let mut y = TOP;
        for one in &status.destinations {
            let small = format!("{} · {}", one.delivered, one.waiting);
            map.node((564, y), &one.name, small);
            map.line((490, middle), (564, y + HALF), one.kind != "mllp-plain");
            y = y.saturating_add(STEP);
        }
        map
    }

    fn node(&mut self, (x, y): (u32, u32), name: &str, small: String) {
        // What is longer does not fit; the table below has it whole.
        let name = match name.char_indices().nth(24) {
            Some((end, _)) => format!("{}…", name.get(..end).unwrap_or(name)),
            None => name.to_owned(),
        };
        self.nodes.push(Node {
            x,
            y,
            text_x: x + 12,
            text_y: y + 20,
            small_y: y + 38,
            name,
            small,
        });
    }

    fn line(&mut self, (x1, y1): (u32, u32), (x2, y2): (u32, u32), encrypted: bool) {
        self.lines.push(Line {
            x1,
            y1,
            x2,
            y2,
            encrypted,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labward_api::status::LinkStatus;

    #[test]
    fn every_link_is_drawn_within_the_picture() {
        let link = |number: usize| LinkStatus {
            name: format!("{number} {}", "é".repeat(40)),
            transport: if number == 0 { "plain" } else { "mutual-tls" }.to_owned(),
            ..LinkStatus::default()
        };
        let status = Status {
            links: (0..100).map(link).collect(),
            ..Status::default()
        };
        let map = Map::of(&status);
        assert_eq!(map.nodes.len(), 100);
        assert!(map.nodes.iter().all(|node| node.y + 48 <= map.height));
        assert!(!map.lines[0].encrypted && map.lines[1].encrypted);
        assert!(map.nodes[0].name.ends_with('…'));
        assert_eq!(Map::of(&Status::default()).height, TOP + STEP);
    }
}
