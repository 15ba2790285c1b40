//! What the tests need beyond Rust: found, installed where that is allowed, or named in one line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::run::{cargo, root, run};

/// Something the tests need, and the Debian package that holds it.
struct Tool {
    needs: Need,
    package: &'static str,
}

/// How it is seen that a tool is there.
enum Need {
    /// A program in a folder of `PATH`.
    Program(&'static str),
    /// A file of the system, such as a header.
    File(&'static str),
    /// Postfix; where another mail server is, which it would replace, the test that needs it is left out.
    MailServer,
    /// A module of Python: Debian packs the one that virtual environments need by itself.
    PythonModule(&'static str),
}

const TOOLS: &[Tool] = &[
    tool(Need::Program("cc"), "gcc"),
    tool(Need::Program("c++"), "g++"),
    tool(Need::Program("python3"), "python3"),
    tool(Need::PythonModule("ensurepip"), "python3-venv"),
    tool(Need::Program("stunnel"), "stunnel4"),
    tool(Need::Program("haproxy"), "haproxy"),
    tool(Need::Program("ip"), "iproute2"),
    tool(Need::Program("nft"), "nftables"),
    tool(Need::Program("tcpdump"), "tcpdump"),
    tool(Need::Program("tshark"), "tshark"),
    tool(Need::Program("pdf2dcm"), "dcmtk"),
    tool(Need::Program("osslsigncode"), "osslsigncode"),
    tool(Need::MailServer, "postfix"),
    tool(
        Need::File("/usr/share/clamav-testfiles/clam.exe"),
        "clamav-testfiles",
    ),
];

/// What only the benches need: SQLCipher is built against OpenSSL.
const BENCH_TOOLS: &[Tool] = &[tool(Need::File("/usr/include/openssl/evp.h"), "libssl-dev")];

/// What only the bench of captures needs: other readers of them.
const CAPTURE_TOOLS: &[Tool] = &[tool(Need::Program("ndpiReader"), "libndpi-bin")];

/// What only the bench of malware needs, and the table of carriers: other scanners.
const SCANNER_TOOLS: &[Tool] = &[
    tool(Need::Program("yara"), "yara"),
    tool(Need::Program("clamscan"), "clamav"),
    tool(Need::Program("clamd"), "clamav-daemon"),
];

/// The scanner from PyPI that ours is measured beside, and its version.
pub(crate) const YARA_X: &str = "yara-x==1.23.0";

/// What only a walk through the console needs: a browser, and what makes an authority known to it.
const BROWSER_TOOLS: &[Tool] = &[
    tool(Need::Program("chromium"), "chromium"),
    tool(Need::Program("certutil"), "libnss3-tools"),
];

const fn tool(needs: Need, package: &'static str) -> Tool {
    Tool { needs, package }
}

impl Tool {
    fn is_there(&self) -> bool {
        match self.needs {
            Need::Program(program) => on_path(program),
            Need::File(path) => Path::new(path).is_file(),
            Need::MailServer => on_path("postfix") || Path::new("/usr/sbin/sendmail").exists(),
            Need::PythonModule(module) => Command::new("python3")
                .args(["-c", &format!("import {module}")])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success()),
        }
    }
}

/// Makes sure that every Debian package the tests need is there.
///
/// As root on a machine with apt they are installed; otherwise the error is the line to type.
pub(crate) fn ensure_debian() -> Result<()> {
    ensure(TOOLS)
}

/// As [`ensure_debian`], for the benches too.
pub(crate) fn ensure_for_bench() -> Result<()> {
    ensure(TOOLS)?;
    ensure(BENCH_TOOLS)
}

/// What the bench of captures needs beside that.
pub(crate) fn ensure_for_captures() -> Result<()> {
    ensure(CAPTURE_TOOLS)
}

/// Other scanners than ours, and the carriers of ClamAV.
pub(crate) fn ensure_for_scanners() -> Result<()> {
    ensure(TOOLS)?;
    ensure(SCANNER_TOOLS)
}

/// As [`ensure_debian`], for a walk through the console too.
pub(crate) fn ensure_for_browser() -> Result<()> {
    ensure(TOOLS)?;
    ensure(BROWSER_TOOLS)
}

fn ensure(tools: &[Tool]) -> Result<()> {
    let missing: Vec<&str> = tools
        .iter()
        .filter(|tool| !tool.is_there())
        .map(|tool| tool.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y {}", missing.join(" "));
    if !is_root() || !on_path("apt-get") {
        bail!("something from Debian is needed; type: sudo {line}");
    }
    // A machine whose lists are fresh need not ask for them again, so a failed update is no error.
    let _ = run(
        "apt-get update",
        Command::new("apt-get").arg("update").arg("-qq"),
    );
    run(
        &line,
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// Makes sure that `cargo deny` is there, building it if it is not.
pub(crate) fn ensure_cargo_deny() -> Result<()> {
    if on_path("cargo-deny") {
        return Ok(());
    }
    let mut install = cargo();
    install.args([
        "install",
        "--quiet",
        "--locked",
        "cargo-deny",
        "--version",
        "0.20.2",
    ]);
    // Thin LTO and one codegen unit would double the time of a tool that is used once.
    install
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    install.env_remove("CARGO_TARGET_DIR");
    run("cargo install cargo-deny", &mut install)
}

/// A Python with the package `hl7`, in a virtual environment of its own under `target`.
pub(crate) fn ensure_python_hl7() -> Result<PathBuf> {
    ensure_python("interop-python", &["hl7==0.4.5"])
}

/// A Python that drives a browser, knows what accessible pages are, and is an identity provider.
pub(crate) fn ensure_python_browser() -> Result<PathBuf> {
    let packages = [
        "playwright==1.65.2",
        "axe-playwright-python==0.1.8",
        "oidc-provider-mock==0.3.4",
        "pillow==13.0.0",
    ];
    ensure_python("browser-python", &packages)
}

/// Schemathesis, in a virtual environment of its own.
pub(crate) fn ensure_schemathesis() -> Result<PathBuf> {
    let python = ensure_python("api-python", &["schemathesis==4.32.5"])?;
    Ok(python.with_file_name("schemathesis"))
}

/// A Python with the scanner [`YARA_X`].
pub(crate) fn ensure_python_yara_x() -> Result<PathBuf> {
    ensure_python("malware-python", &[YARA_X])
}

/// A virtual environment below `target` with exactly these packages.
fn ensure_python(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let venv = root().join("target").join(name);
    let python = venv.join("bin/python");
    // Written last, so that one that was interrupted is made anew.
    let made = venv.join("packages");
    let wanted = packages.join(" ");
    if fs::read_to_string(&made).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    let mut create = Command::new("python3");
    create.args(["-m", "venv", "--clear"]).arg(&venv);
    let mut install = Command::new(&python);
    install
        .args(["-m", "pip", "install", "--quiet"])
        .args(packages);
    run(&format!("python with {wanted}"), &mut create)
        .and_then(|()| run(&format!("pip install {wanted}"), &mut install))
        .with_context(|| format!("make a Python with {wanted} in {}", venv.display()))?;
    fs::write(&made, wanted).context("write which packages are there")?;
    Ok(python)
}

/// Whether `program` is installed.
pub(crate) fn on_path(program: &str) -> bool {
    find(program).is_some()
}

/// Where `program` stands: in a folder of `PATH`, or in that of servers, which Debian leaves out of
/// the `PATH` of people.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|out| out.stdout.starts_with(b"0\n"))
}
