//! A small network in one machine: a device, a router and servers, each in a network namespace of its own.
//!
//! It must never touch the network of the machine itself, or outlive the test: a namespace goes with the process
//! that holds it, and its cables with it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::panic::resume_unwind;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where Debian keeps what people have not on their path.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A network namespace, held by a process that ends when nobody talks to it any more.
#[derive(Debug)]
pub struct Space {
    holder: Child,
    name: File,
}

/// A device (10.1.0.7, 10.1.0.8, fd00:1::7), a router (10.1.0.1, 10.1.9.254) that forwards, and servers (10.1.9.1,
/// 10.1.9.2, fd00:9::1).
#[derive(Debug)]
pub struct RoutedNetwork {
    /// Where the device stands.
    pub device: Space,
    /// What forwards between it and the servers.
    pub router: Space,
    /// Where the servers stand.
    pub servers: Space,
}

impl RoutedNetwork {
    /// Lays its cables; `None` if this account or machine cannot.
    pub fn lay() -> Option<Self> {
        let network = Self {
            device: Space::new()?,
            router: Space::new()?,
            servers: Space::new()?,
        };
        let router = network.router.holder.id();
        for (space, words) in [
            (
                &network.device,
                format!("link add dev0 type veth peer name lan0 netns {router}"),
            ),
            (
                &network.servers,
                format!("link add srv0 type veth peer name wan0 netns {router}"),
            ),
        ] {
            space.ip(&words)?;
        }
        for (space, end, addresses) in [
            (
                &network.device,
                "dev0",
                &["10.1.0.7/24", "10.1.0.8/24", "fd00:1::7/64"][..],
            ),
            (&network.router, "lan0", &["10.1.0.1/24", "fd00:1::1/64"]),
            (&network.router, "wan0", &["10.1.9.254/24", "fd00:9::fe/64"]),
            (
                &network.servers,
                "srv0",
                &["10.1.9.1/24", "10.1.9.2/24", "fd00:9::1/64"],
            ),
        ] {
            space.ip("link set lo up")?;
            for address in addresses {
                let checked = if address.contains(':') { " nodad" } else { "" };
                space.ip(&format!("address add {address} dev {end}{checked}"))?;
            }
            space.ip(&format!("link set {end} up"))?;
        }
        for (space, gateways) in [
            (&network.device, ["10.1.0.1", "fd00:1::1"]),
            (&network.servers, ["10.1.9.254", "fd00:9::fe"]),
        ] {
            for gateway in gateways {
                space.ip(&format!("route add default via {gateway}"))?;
            }
        }
        for key in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
            let key = format!("/proc/sys/net/{key}");
            network.router.inside(|| fs::write(key, "1")).ok()?;
        }
        Some(network)
    }

    /// An address of the device's side with this port.
    ///
    /// # Panics
    ///
    /// When `text` is no address with a port.
    pub fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address with a port")
    }
}

impl Space {
    /// A namespace without any cable; `None` if this account or machine cannot.
    pub fn new() -> Option<Self> {
        let mut holder = command("unshare")
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

    /// Does this in the namespace: sockets that are made and programs that are started there stay there.
    ///
    /// # Panics
    ///
    /// When the namespace cannot be entered, or `act` panics.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let moved = scope.spawn(|| {
                let network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.name.as_fd(), network).expect("enter the namespace");
                act()
            });
            moved.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// Runs a program in the namespace and hands it `input`.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn run(&self, program: &str, words: &[&str], input: &[u8]) -> Output {
        let mut started = command(program);
        started
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.inside(|| started.spawn()).expect("start the program");
        let mut stdin = child.stdin.take().expect("its standard input");
        thread::scope(|scope| {
            // One that ends without reading it all is no fault.
            scope.spawn(move || stdin.write_all(input));
            child.wait_with_output().expect("what the program says")
        })
    }

    /// `None` if it did not succeed.
    fn ip(&self, words: &str) -> Option<()> {
        let mut ip = command("ip");
        ip.args(words.split_whitespace());
        let output = self.inside(|| ip.output()).ok()?;
        output.status.success().then_some(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test that builds a network starts what builds it"
)]
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", PATH);
    command
}

impl Drop for Space {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // It ends by itself now.
        let _ = self.holder.wait();
    }
}
