//! `cargo xtask browser`: the console in a real Chromium, every page in each theme, language and width,
//! and the pictures that the guides show.
//!
//! It must never let the browser pass over a certificate: the lab's authority is made known to it, as
//! a lab would, and nothing else.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::guard::{Workplace, free_ports};
use crate::installation::{self, Installation, Link};
use crate::run::{in_time, root, run};
use crate::tools;

/// How long the whole walk may take.
const WALK: Duration = Duration::from_secs(900);

/// Where the pictures are left.
const PICTURES: &str = "target/screenshots";

/// What the sign-in page calls the identity provider.
const PROVIDER: &str = "Clinic account";
/// Where the pictures of the guides stand.
const GUIDE: &str = "docs/guide/pictures";

/// The link to which messages are sent.
const LINK: &str = "hl7";

/// A peer that may send everything, and one that may send one kind of message only.
const PEERS: [(&str, &str); 2] = [("xn550", "*"), ("narrow", "ORU^R01")];

/// Runs the server, and the walk beside it; with `only_guide` what the guides show is photographed
/// anew, and nothing else is looked at.
pub(crate) fn browser(only_guide: bool) -> Result<()> {
    tools::ensure_for_browser()?;
    let python = tools::ensure_python_browser()?;
    let chromium = tools::find("chromium").context("find chromium")?;
    let program = installation::build_for_tests()?;
    let place = Workplace::create("browser")?;
    let [port, console, sign_on] = free_ports()?;
    let links = [Link::mutual_tls(LINK, port, "")];
    let lab = Installation::create(&program, &place, "data", &links)?;
    lab.open_console(console)?;
    let provider = Provider {
        issuer: format!("https://127.0.0.1:{sign_on}"),
        authority: place.join("provider-authority.pem"),
    };
    provider.configure(&lab, &place)?;
    let server = lab.serve()?;
    let mut peers = serde_json::Map::new();
    for (name, types) in PEERS {
        let bundle = lab.add_peer_for(name, types, &place)?;
        peers.insert(name.to_owned(), json!(bundle));
    }
    let home = place.join("home");
    trust(&home, &lab.data().join("tls/authority.pem"))?;
    let pictures = root().join(PICTURES);
    if pictures.exists() {
        fs::remove_dir_all(&pictures).context("remove the pictures of the last run")?;
    }
    fs::create_dir_all(&pictures).context("make a folder for the pictures")?;
    let guide = match only_guide {
        true => root().join(GUIDE),
        false => pictures.join("guide"),
    };
    if only_guide && guide.exists() {
        fs::remove_dir_all(&guide).context("remove the pictures of the guides")?;
    }
    let settings = place.join("settings.json");
    let text = json!({
        "base": format!("https://localhost:{console}"),
        "browser": chromium,
        "data": lab.data(),
        "guide": guide,
        "home": home,
        "link": format!("localhost:{port}"),
        "only_guide": only_guide,
        "peers": peers,
        "pictures": pictures,
        "place": place.path(),
        "program": program,
        "provider": {
            "name": PROVIDER,
            "issuer": provider.issuer,
            "ca_file": provider.authority,
        },
    });
    fs::write(&settings, text.to_string()).context("write the settings")?;
    let mut walk = Command::new(python);
    walk.arg(root().join("xtask/python/browser")).arg(&settings);
    run("console in a browser", &mut in_time(WALK, &walk))?;
    server.stop()
}

/// The identity provider of the walk, which starts it.
struct Provider {
    issuer: String,
    /// Where the walk puts the authority of its certificate.
    authority: PathBuf,
}

impl Provider {
    /// Has people sign in there, with a role for each of two groups.
    fn configure(&self, lab: &Installation, place: &Workplace) -> Result<()> {
        let secret = place.join("provider-secret");
        let mut private = fs::OpenOptions::new();
        private.write(true).create_new(true).mode(0o600);
        let file = private.open(&secret);
        file.and_then(|mut file| file.write_all(b"the secret of the walk\n"))
            .context("write the client's secret")?;
        let table = format!(
            "\n[console.oidc]\nname = \"{PROVIDER}\"\nissuer = \"{}\"\nclient_id = \"labward\"\n\
             client_secret_file = {:?}\nca_file = {:?}\n\
             groups = {{ lab-manager = [\"lab-leads\"], clinical-staff = [\"lab-staff\"] }}\n",
            self.issuer,
            secret.display().to_string(),
            self.authority.display().to_string(),
        );
        let config = lab.data().join("labward.toml");
        let file = fs::OpenOptions::new().append(true).open(config);
        file.and_then(|mut file| file.write_all(table.as_bytes()))
            .context("write the configuration")
    }
}

/// Makes an authority known to the Chromium of this home folder, and to no other.
fn trust(home: &Path, authority: &Path) -> Result<()> {
    let folder = home.join(".pki/nssdb");
    fs::create_dir_all(&folder).context("make a folder for the browser's authorities")?;
    let store = format!("sql:{}", folder.display());
    let certutil = |words: &[&str]| {
        let mut command = Command::new("certutil");
        command.args(["-d", &store]).args(words);
        run("certutil", &mut command)
    };
    certutil(&["-N", "--empty-password"])?;
    let file = authority.to_string_lossy();
    certutil(&["-A", "-t", "C,,", "-n", "labward", "-i", &file])
}
