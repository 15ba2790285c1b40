//! The small lab: a new installation in a temporary folder, its peers, its server.
//!
//! The key file lies in another folder than the data, as it must; both go when the lab does.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use labward_api::peer::{AddedPeer, NewPeer, Rules};
use labward_cli::Client;
use labward_os::SystemClock;
use labward_server::config::Config;
use labward_server::folder::DataFolder;
use labward_server::{App, Parts, build};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::material::Discipline;

/// The links, by what they are called in the configuration.
pub(crate) const CHEMISTRY: &str = "chemistry";
pub(crate) const HEMATOLOGY: &str = "hematology";
pub(crate) const HBA1C: &str = "hba1c";

/// A running lab; its folders are removed when it is closed.
pub(crate) struct Lab {
    app: App,
    folder: Folder,
    pub(crate) chemistry: Credentials,
    pub(crate) hematology: Credentials,
    pub(crate) provider: Credentials,
}

/// A peer's certificate, key and the lab's CA.
pub(crate) struct Credentials {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: Arc<RootCertStore>,
}

impl Lab {
    /// Makes the installation, starts its server and adds the peers.
    pub(crate) fn open(provider: SocketAddr) -> Result<Self> {
        let folder = Folder::new()?;
        let data = DataFolder::new(folder.data());
        crate::install::install(&folder.data(), &folder.key_file())?;
        let config = Config::parse(&configuration(provider, &folder.drop_box()))
            .map_err(|error| anyhow!("the demo's configuration: {error}"))?;
        let parts = Parts {
            config,
            source: None,
            data,
            clock: Arc::new(SystemClock),
            program: Some("/proc/self/exe".into()),
        };
        let mut app = build(parts).context("build the server")?;
        app.start().context("start the server")?;
        let client = Client::new(&folder.data());
        let lab = Self {
            chemistry: add_analyzer(&client, CHEMISTRY, Discipline::Chemistry)?,
            hematology: add_analyzer(&client, HEMATOLOGY, Discipline::Hematology)?,
            provider: add_provider(&client)?,
            app,
            folder,
        };
        add_astm(&client)?;
        Ok(lab)
    }

    /// A client of the lab's admin socket.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.folder.data())
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.data()
    }

    /// How many encrypted files lie in the drop box.
    pub(crate) fn dropped(&self) -> usize {
        fs::read_dir(self.folder.drop_box()).map_or(0, Iterator::count)
    }

    /// Where the link called `name` listens.
    pub(crate) fn address(&self, name: &str) -> Result<SocketAddr> {
        let addresses = self.app.addresses();
        let found = addresses.into_iter().find(|(link, _)| link == name);
        found
            .map(|(_, address)| address)
            .with_context(|| format!("link {name} does not listen"))
    }

    /// Stops the server in order and removes the folders.
    pub(crate) fn close(self) -> Result<()> {
        self.app.shutdown().context("stop the server")
    }
}

impl Credentials {
    fn of(bundle: &str) -> Result<Self> {
        let mut certificates = CertificateDer::pem_slice_iter(bundle.as_bytes())
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let chain = certificates
            .next()
            .context("a bundle without certificate")?;
        let mut roots = RootCertStore::empty();
        for authority in certificates {
            roots.add(authority)?;
        }
        let key = PrivateKeyDer::from_pem_slice(bundle.as_bytes())?;
        Ok(Self {
            chain: vec![chain],
            key,
            roots: Arc::new(roots),
        })
    }

    /// For connecting with this certificate to a server of the lab.
    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())?;
        Ok(Arc::new(config))
    }

    /// For accepting connections of the lab with this certificate.
    pub(crate) fn server(&self) -> Result<Arc<ServerConfig>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = Arc::clone(&self.roots);
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())?;
        Ok(Arc::new(config))
    }
}

/// What the lab is configured to do; docs/ref/config.md explains every key.
fn configuration(provider: SocketAddr, drop_box: &Path) -> String {
    // The drop box's key is thrown away with this identity: the demo only counts its files.
    let recipient = age::x25519::Identity::generate().to_public();
    format!(
        r#"version = 1

[site]
name = "Demo laboratory"

[tls]
names = ["localhost"]

[[link]]
name = "{CHEMISTRY}"
listen = "127.0.0.1:0"

[[link]]
name = "{HEMATOLOGY}"
listen = "127.0.0.1:0"

[[link]]
name = "{HBA1C}"
listen = "127.0.0.1:0"
framing = "astm"
peer = "{HBA1C}"
transport = {{ mode = "plain" }}

[[destination]]
name = "provider"
target = {{ kind = "mllp", address = "{provider}", transport = {{ mode = "mutual-tls", server_name = "provider" }} }}

[[destination]]
name = "drop-box"
target = {{ kind = "file-drop", folder = "{}", recipient = "{recipient}" }}

[[route]]
types = ["ORU^R01"]
to = ["provider"]

[[route]]
types = ["ASTM"]
to = ["drop-box"]
"#,
        drop_box.display()
    )
}

fn add_analyzer(client: &Client, name: &str, discipline: Discipline) -> Result<Credentials> {
    let rules = Rules {
        applications: vec![discipline.application().to_owned()],
        facilities: vec!["DEMOLAB".to_owned()],
        types: vec!["ORU^R01".to_owned()],
        processing: vec!["P".to_owned()],
        astm_senders: Vec::new(),
    };
    credentials(&add(client, name, "analyzer", rules)?)
}

fn add_provider(client: &Client) -> Result<Credentials> {
    // A provider only receives here: it may send nothing.
    credentials(&add(client, "provider", "provider", Rules::default())?)
}

fn add_astm(client: &Client) -> Result<()> {
    let rules = Rules {
        astm_senders: vec!["HBA1C".to_owned()],
        ..Rules::default()
    };
    add(client, HBA1C, "analyzer", rules).map(|_| ())
}

fn add(client: &Client, name: &str, kind: &str, rules: Rules) -> Result<AddedPeer> {
    let new = NewPeer {
        name: name.to_owned(),
        kind: kind.to_owned(),
        rules,
        authority: Some("DEMO".to_owned()),
        ..NewPeer::default()
    };
    client
        .post("peers", &new)
        .with_context(|| format!("add the peer {name}"))
}

fn credentials(added: &AddedPeer) -> Result<Credentials> {
    Credentials::of(added.bundle.as_deref().context("a peer without bundle")?)
}

/// Temporary folders, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let root = std::env::temp_dir().join(format!("labward-demo-{}", std::process::id()));
        fs::create_dir(&root).with_context(|| format!("create {}", root.display()))?;
        let folder = Self(root);
        fs::create_dir(folder.0.join("key-volume"))?;
        fs::create_dir(folder.drop_box())?;
        Ok(folder)
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("key-volume").join("labward.key")
    }

    fn drop_box(&self) -> PathBuf {
        self.0.join("drop-box")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind holds sealed demo data only, and its key beside it.
        let _ = fs::remove_dir_all(&self.0);
    }
}
