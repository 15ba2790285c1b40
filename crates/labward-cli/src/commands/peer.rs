//! `peer` and `person`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use labward_api::Done;
use labward_api::edge::{Code, NewCode};
use labward_api::peer::{AddedPeer, NewPeer, Peer, PeerChange, Rules};
use labward_base::problem;
use serde_json::json;

use super::{Context, create_private, read};
use crate::args::{
    PeerAddArgs, PeerCommand, PeerEnrollArgs, PeerKind, PeerList, PeerSetArgs, ScopeArgs,
};
use crate::failure::Failure;
use crate::output::{show, table};
use crate::prompt;

/// `labward peer …`
pub(super) fn run(context: &Context, command: &PeerCommand) -> Result<(), Failure> {
    match command {
        PeerCommand::Add(arguments) => add(context, arguments),
        PeerCommand::Enroll(arguments) => enroll(context, arguments),
        PeerCommand::List => list(context),
        PeerCommand::Set(arguments) => set(context, arguments),
        PeerCommand::Revoke { name } => {
            let done: Done = context
                .client
                .post(&format!("peers/{name}/revoke"), &json!({}))?;
            show(context.json, &done, |out| {
                writeln!(out, "{name} is refused from now on")
            })
        }
        PeerCommand::Renew { name, out } => {
            let files = Files::of(out, name)?;
            let added: AddedPeer = context
                .client
                .post(&format!("peers/{name}/renew"), &json!({}))?;
            deliver(context, &added, &files)
        }
    }
}

fn add(context: &Context, arguments: &PeerAddArgs) -> Result<(), Failure> {
    // Before anything is issued: a key that cannot be written down would be lost.
    let files = Files::of(&arguments.out, &arguments.name)?;
    let certificate = match &arguments.certificate {
        Some(path) => Some(String::from_utf8(read(path)?).map_err(|_| {
            Failure::new(
                &problem::IDENTITY_BAD_CERTIFICATE,
                path.display().to_string(),
            )
        })?),
        None => None,
    };
    let new = NewPeer {
        name: arguments.name.clone(),
        kind: kind(arguments.kind).to_owned(),
        rules: rules(&arguments.scope, &arguments.processing),
        authority: arguments.scope.authority.clone(),
        certificate,
        days: arguments.days,
    };
    let added: AddedPeer = context.client.post("peers", &new)?;
    deliver(context, &added, &files)
}

fn set(context: &Context, arguments: &PeerSetArgs) -> Result<(), Failure> {
    let scope = &arguments.scope;
    let clears = |list| arguments.clear.contains(&list);
    let list =
        |texts: &[String], which| (!texts.is_empty() || clears(which)).then(|| texts.to_vec());
    let addresses: Vec<String> = arguments
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let change = PeerChange {
        why: prompt::why(arguments.why.as_deref())?,
        applications: list(&scope.applications, PeerList::Application),
        facilities: list(&scope.facilities, PeerList::Facility),
        types: list(&scope.types, PeerList::Type),
        processing: list(&arguments.processing, PeerList::Processing),
        astm_senders: list(&scope.astm_senders, PeerList::AstmSender),
        addresses: list(&addresses, PeerList::Address),
        authority: scope
            .authority
            .clone()
            .or_else(|| clears(PeerList::Authority).then(String::new)),
    };
    let path = format!("peers/{}/set", arguments.name);
    let peer: Peer = context.client.post(&path, &change)?;
    show(context.json, &peer, |out| {
        writeln!(out, "{} may now send {}", peer.name, may_send(&peer))
    })
}

/// What a peer may send, in a few words.
fn may_send(peer: &Peer) -> String {
    if !peer.rules.astm_senders.is_empty() {
        return format!("ASTM from {}", peer.rules.astm_senders.join("|"));
    }
    format!(
        "{} from {}@{}",
        peer.rules.types.join(" "),
        peer.rules.applications.join("|"),
        peer.rules.facilities.join("|")
    )
}

fn enroll(context: &Context, arguments: &PeerEnrollArgs) -> Result<(), Failure> {
    let new = NewCode {
        rules: rules(&arguments.scope, &arguments.processing),
        authority: arguments.scope.authority.clone(),
        minutes: Some(arguments.minutes),
        days: arguments.days,
    };
    let path = format!("peers/{}/enroll", arguments.name);
    let made: Code = context.client.post(&path, &new)?;
    show(context.json, &made, |out| {
        writeln!(out, "Good once, until {}. On the edge type:", made.expires)?;
        writeln!(
            out,
            "labward --data FOLDER edge enroll {} --server {}",
            made.code, made.server
        )
    })
}

fn rules(scope: &ScopeArgs, processing: &[String]) -> Rules {
    Rules {
        applications: scope.applications.clone(),
        facilities: scope.facilities.clone(),
        types: scope.types.clone(),
        processing: match processing {
            [] => vec!["P".to_owned()],
            given => given.to_vec(),
        },
        astm_senders: scope.astm_senders.clone(),
    }
}

/// The two files beside each other: the bundle and its how-to.
struct Files {
    bundle: PathBuf,
    how_to: PathBuf,
}

impl Files {
    fn of(folder: &Path, name: &str) -> Result<Self, Failure> {
        let files = Self {
            bundle: folder.join(format!("{name}.pem")),
            how_to: folder.join(format!("{name}.txt")),
        };
        for file in [&files.bundle, &files.how_to] {
            if file.exists() {
                let detail = format!("{} exists already", file.display());
                return Err(Failure::new(&problem::CLI_FILE, detail));
            }
        }
        if !folder.is_dir() {
            let detail = format!("{} is not a folder", folder.display());
            return Err(Failure::new(&problem::CLI_FILE, detail));
        }
        Ok(files)
    }
}

fn deliver(context: &Context, added: &AddedPeer, files: &Files) -> Result<(), Failure> {
    if let Some(bundle) = &added.bundle {
        write(&files.bundle, bundle)?;
    }
    write(&files.how_to, &added.how_to)?;
    // The private key is in the file alone, not in what a machine reads here.
    show(context.json, &added.peer, |out| {
        writeln!(
            out,
            "{}: certificate good until {}",
            added.peer.name, added.peer.not_after
        )?;
        if added.bundle.is_some() {
            writeln!(out, "certificate, key and CA: {}", files.bundle.display())?;
        }
        writeln!(out, "how to connect it:       {}", files.how_to.display())
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    create_private(path)?
        .write_all(text.as_bytes())
        .map_err(|error| {
            Failure::new(
                &problem::CLI_FILE,
                format!("write {}: {error}", path.display()),
            )
        })
}

fn list(context: &Context) -> Result<(), Failure> {
    let peers: Vec<Peer> = context.client.get("peers", &[])?;
    show(context.json, &peers, |out| {
        let rows: Vec<Vec<String>> = peers
            .iter()
            .map(|peer| {
                vec![
                    peer.name.clone(),
                    peer.kind.clone(),
                    peer.state.clone(),
                    peer.origin.clone(),
                    peer.not_after.clone(),
                    may_send(peer),
                ]
            })
            .collect();
        table(
            out,
            &[
                "peer",
                "kind",
                "state",
                "certificate",
                "good until",
                "may send",
            ],
            &rows,
        )?;
        show_edges(out, &peers)
    })
}

fn show_edges(out: &mut dyn Write, peers: &[Peer]) -> io::Result<()> {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let row = |peer: &Peer| {
        let edge = peer.edge.as_ref()?;
        let waiting = edge.waiting.map(|waiting| waiting.to_string());
        Some(vec![
            peer.name.clone(),
            edge.fault.clone().unwrap_or_else(|| edge.state.clone()),
            or_dash(&edge.seen),
            or_dash(&waiting),
            or_dash(&edge.oldest),
            edge.damaged.to_string(),
            edge.ledger_size.to_string(),
            edge.version.clone(),
        ])
    };
    let rows: Vec<Vec<String>> = peers.iter().filter_map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let head = [
        "edge",
        "state",
        "last seen",
        "waiting",
        "oldest",
        "damaged",
        "ledger",
        "version",
    ];
    writeln!(out)?;
    table(out, &head, &rows)
}

fn kind(kind: PeerKind) -> &'static str {
    match kind {
        PeerKind::Analyzer => "analyzer",
        PeerKind::DrawSite => "draw-site",
        PeerKind::Ehr => "ehr",
        PeerKind::Lis => "lis",
        PeerKind::Provider => "provider",
        PeerKind::PublicHealth => "public-health",
    }
}
