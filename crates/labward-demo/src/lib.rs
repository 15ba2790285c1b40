#![doc = include_str!("../README.md")]
//!
//! | Module | Holds |
//! |---|---|
//! | `lab`, `install` | the installation, its configuration, its peers |
//! | `analyzer`, `material` | simulated analyzers and what they send |
//! | `provider` | the simulated receiver |
//! | `table` | what a person sees |
#![expect(clippy::print_stdout, reason = "the demo is something to look at")]

mod analyzer;
mod install;
mod lab;
mod material;
mod provider;
mod table;

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use labward_api::ledger::Verified;
use labward_api::status::Status;
use labward_os::Stopwatch;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::analyzer::{Pace, Progress, run_astm, run_mllp};
use crate::lab::{CHEMISTRY, HBA1C, HEMATOLOGY, Lab};
use crate::material::Discipline;
use crate::provider::Inbox;
use crate::table::Picture;

/// How long deliveries may take after the last message was sent.
const DRAIN: Duration = Duration::from_secs(60);

/// What the demo is to do.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether to run a fixed amount and exit.
    pub once: bool,
    /// How many messages each analyzer sends with `once`.
    pub messages: u32,
}

/// Runs the demo until it is done (`once`) or interrupted.
///
/// # Errors
/// What keeps the lab from starting, or with `once` anything that is not as it must be at the end.
pub fn run(options: Options) -> Result<()> {
    // As the server does where it is started by itself.
    labward_os::restrict_umask();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let lab = Lab::open(listener.local_addr()?)?;
    let demo = Demo::start(&lab, options, listener, &runtime)?;
    let outcome = if options.once {
        runtime.block_on(demo.run_once(&lab, options))
    } else {
        runtime.block_on(demo.run_until_interrupted(&lab))
    };
    // The lab is stopped in order whatever came before.
    outcome.and(lab.close())
}

/// The analyzers and the provider at work.
struct Demo {
    inbox: Inbox,
    progress: [Arc<Progress>; 3],
    analyzers: Vec<JoinHandle<Result<()>>>,
    stop: Arc<AtomicBool>,
    watch: Stopwatch,
}

impl Demo {
    fn start(
        lab: &Lab,
        options: Options,
        listener: TcpListener,
        runtime: &Runtime,
    ) -> Result<Self> {
        let inbox = Inbox::default();
        let tls = TlsAcceptor::from(lab.provider.server()?);
        runtime.spawn(provider::run(listener, tls, inbox.clone()));
        let stop = Arc::new(AtomicBool::new(false));
        let pace = Pace {
            messages: options.once.then_some(options.messages),
            pause: if options.once {
                Duration::ZERO
            } else {
                Duration::from_millis(40)
            },
            stop: Arc::clone(&stop),
        };
        let progress: [Arc<Progress>; 3] = std::array::from_fn(|_| Arc::default());
        let [chemistry, hematology, hba1c] = &progress;
        let mllp = |name, discipline, credentials: &lab::Credentials, progress: &Arc<Progress>| {
            let address: SocketAddr = lab.address(name)?;
            let tls = TlsConnector::from(credentials.client()?);
            let work = run_mllp(address, tls, discipline, pace.clone(), Arc::clone(progress));
            anyhow::Ok(runtime.spawn(work))
        };
        let analyzers = vec![
            mllp(CHEMISTRY, Discipline::Chemistry, &lab.chemistry, chemistry)?,
            mllp(
                HEMATOLOGY,
                Discipline::Hematology,
                &lab.hematology,
                hematology,
            )?,
            runtime.spawn(run_astm(
                lab.address(HBA1C)?,
                pace.clone(),
                Arc::clone(hba1c),
            )),
        ];
        Ok(Self {
            inbox,
            progress,
            analyzers,
            stop,
            watch: Stopwatch::start(),
        })
    }

    /// Sends everything, waits until it is delivered, and checks what must hold.
    async fn run_once(mut self, lab: &Lab, options: Options) -> Result<()> {
        for analyzer in std::mem::take(&mut self.analyzers) {
            analyzer.await.context("an analyzer panicked")??;
        }
        let sent = u64::from(options.messages) * 3;
        let status = self.drained(lab, sent).await?;
        let elapsed = self.watch.elapsed();
        println!("{}", self.picture(&status));
        let verified: Verified = ask(lab, |client| client.post("ledger/verify", &())).await?;
        let accepted: u64 = status.links.iter().map(|link| link.accepted).sum();
        let delivered: u64 = status.destinations.iter().map(|to| to.delivered).sum();
        println!(
            "{sent} sent, {accepted} stored, {delivered} delivered, {} entries verified in {:.1} s",
            verified.entries,
            elapsed.as_secs_f64()
        );
        ensure!(
            accepted == sent,
            "{accepted} of {sent} messages were stored"
        );
        ensure!(
            delivered == sent,
            "{delivered} of {sent} messages were delivered"
        );
        ensure!(status.held == 0, "{} messages are held", status.held);
        ensure!(
            self.inbox.doubled() == 0,
            "{} results came twice",
            self.inbox.doubled()
        );
        ensure!(
            lab.dropped() == options.messages as usize,
            "files are missing in the drop box"
        );
        ensure!(
            verified.good,
            "the ledger does not verify: {:?}",
            verified.faults
        );
        println!("everything stored, delivered once, and the ledger verifies");
        Ok(())
    }

    /// Waits until the destinations have everything, or it takes too long.
    async fn drained(&self, lab: &Lab, sent: u64) -> Result<Status> {
        let watch = Stopwatch::start();
        loop {
            let status: Status = ask(lab, |client| client.get("status", &[])).await?;
            let delivered: u64 = status.destinations.iter().map(|to| to.delivered).sum();
            if delivered >= sent || watch.elapsed() > DRAIN {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn run_until_interrupted(self, lab: &Lab) -> Result<()> {
        println!(
            "A small lab is at work in {}. Ctrl-C ends it and removes it.\n",
            lab.data().display()
        );
        println!("In another terminal:");
        let data = lab.data();
        let program = std::env::current_exe().context("find this program")?;
        for command in ["status", "message list", "record find", "ledger verify"] {
            println!(
                "  {} --data {} {command}",
                program.display(),
                data.display()
            );
        }
        let live = std::io::stdout().is_terminal();
        let mut height = 0;
        loop {
            tokio::select! {
                outcome = tokio::signal::ctrl_c() => {
                    outcome?;
                    self.stop.store(true, Ordering::Relaxed);
                    // Below the last picture, not over it.
                    println!("{}stopping", "\n".repeat(height));
                    return Ok(());
                }
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            let status: Status = ask(lab, |client| client.get("status", &[])).await?;
            let picture = self.picture(&status).to_string();
            print!("\n{picture}");
            if live {
                // The next picture is drawn over this one.
                height = picture.lines().count() + 1;
                print!("\x1b[{height}A");
            }
            std::io::stdout().flush()?;
        }
    }

    fn picture<'a>(&'a self, status: &'a Status) -> impl std::fmt::Display + use<'a> {
        let [chemistry, hematology, hba1c] = &self.progress;
        let analyzers = [
            (CHEMISTRY, chemistry.as_ref()),
            (HEMATOLOGY, hematology.as_ref()),
            (HBA1C, hba1c.as_ref()),
        ];
        Picture {
            status,
            analyzers,
            received: self.inbox.distinct(),
        }
    }
}

/// Asks the server without keeping the analyzers from their work.
async fn ask<T: Send + 'static>(
    lab: &Lab,
    question: impl FnOnce(&labward_cli::Client) -> Result<T, labward_cli::Failure> + Send + 'static,
) -> Result<T> {
    let client = lab.client();
    let answer = tokio::task::spawn_blocking(move || question(&client)).await?;
    answer.context("ask the server")
}
