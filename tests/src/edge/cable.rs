//! Two machines in one: the lab's and the edge's network namespaces, and one cable between them.
//!
//! A cable that is pulled says nothing to either side, unlike a relay that closes what runs over it.
//! It must never touch the network of the machine itself, or outlive the test: a namespace goes with
//! the process that holds it, and the cable with them.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::panic::resume_unwind;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The lab's end of the cable.
pub(super) const LAB: [u8; 4] = [10, 0, 0, 1];

/// A cable between two network namespaces.
pub(super) struct Cable {
    lab: Space,
    edge: Space,
}

impl Cable {
    /// Lays one; `None` if this account or machine cannot.
    pub(super) fn lay() -> Option<Self> {
        let cable = Self {
            lab: Space::new()?,
            edge: Space::new()?,
        };
        let edge = cable.edge.holder.id().to_string();
        let cable_words = "link add lab0 type veth peer name edge0 netns";
        cable.lab.ip(&format!("{cable_words} {edge}"))?;
        cable.lab.ip("address add 10.0.0.1/30 dev lab0")?;
        cable.edge.ip("address add 10.0.0.2/30 dev edge0")?;
        for (space, end) in [(&cable.lab, "lab0"), (&cable.edge, "edge0")] {
            space.ip("link set lo up")?;
            space.ip(&format!("link set {end} up"))?;
        }
        Some(cable)
    }

    /// Pulls the cable.
    pub(super) fn pull(&self) {
        self.lab.ip("link set lab0 down").unwrap();
    }

    /// Plugs it in again.
    pub(super) fn plug(&self) {
        self.lab.ip("link set lab0 up").unwrap();
    }

    /// Does this on the lab's machine: what it starts and connects to is there.
    pub(super) fn at_lab<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.lab.inside(act)
    }

    /// Does this on the edge's machine.
    pub(super) fn at_edge<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.edge.inside(act)
    }
}

/// A network namespace, held by a process that ends when nobody talks to it any more.
struct Space {
    holder: Child,
    name: File,
}

impl Space {
    fn new() -> Option<Self> {
        let mut holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        // What comes back came through the new namespace.
        let mut echo = [0];
        let said = holder.stdin.as_mut()?.write_all(b"?");
        let heard = holder.stdout.as_mut()?.read_exact(&mut echo);
        let name = File::open(format!("/proc/{}/ns/net", holder.id()));
        let (Ok(()), Ok(()), Ok(name)) = (said, heard, name) else {
            holder.wait().ok()?;
            return None;
        };
        Some(Self { holder, name })
    }

    fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let moved = scope.spawn(|| {
                let network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.name.as_fd(), network).unwrap();
                act()
            });
            moved.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// `None` if it did not succeed.
    fn ip(&self, words: &str) -> Option<()> {
        let mut ip = Command::new("ip");
        // Debian leaves this folder out of the path of people.
        ip.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .args(words.split_whitespace());
        let output = self.inside(|| ip.output()).ok()?;
        output.status.success().then_some(())
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // It ends by itself now.
        let _ = self.holder.wait();
    }
}
