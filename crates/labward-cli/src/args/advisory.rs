//! The commands about what publishers say of their products.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labward advisory …`
#[derive(Debug, Subcommand)]
pub enum AdvisoryCommand {
    /// Read CSAF advisories and VEX documents and test them as the standard asks, without any server.
    ///
    /// A hash file beside a document (.sha512, .sha256) is checked, too. Exit code 65 if a document cannot
    /// be read, has an error, or is not what its hash or signature says; the others are shown all the same.
    Check(AdvisoryCheckArgs),
    /// Write the list of a folder of documents that is to become a signed bundle, without any server.
    ///
    /// The list is FOLDER/manifest.json. Sign it with minisign and pack the folder with tar; nothing is
    /// signed here, and no key is read.
    Manifest(AdvisoryManifestArgs),
    /// Give the server advisories (CSAF), exploited vulnerabilities (KEV) and scores (EPSS) from files, archives
    /// or folders; the devices are matched again.
    ///
    /// Hashes and signatures beside a document are checked. A later release takes the place of an earlier one,
    /// an older one is told and not taken. Exit code 65 if something could not be taken over.
    Import {
        /// Files, archives (zip, tar, gzip, xz, zstd), or folders of both.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Where they come from, as the server shows it with its age: letters, digits, hyphens and dots.
        #[arg(long, value_name = "NAME", default_value = "import")]
        source: String,
        /// Only say what would become of each document.
        #[arg(long)]
        preview: bool,
    },
    /// List what the server holds, the newest release first, with the age of every source.
    List {
        /// Only those of which the id, the title, the publisher, a product or a CVE holds this text.
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
        /// Only those that an open hit comes from.
        #[arg(long)]
        hits: bool,
    },
    /// Show what the server holds of an advisory, and which devices it hits.
    Show {
        /// Its number, or the publisher's id of it, such as ICSMA-23-117-01.
        id: String,
    },
    /// Say which devices of a list the advisories hit, and why, without any server.
    ///
    /// The answer about each is affected, not affected (shown with --all), or cannot tell with its reason:
    /// what a name, a version or a publisher leaves open is never decided.
    Match(AdvisoryMatchArgs),
}

/// What `advisory manifest` takes.
#[derive(Args, Debug)]
pub struct AdvisoryManifestArgs {
    /// The folder; hashes and signatures beside documents are not listed.
    pub folder: PathBuf,
    /// Who makes the bundle.
    #[arg(long, value_name = "NAME")]
    pub by: String,
}

/// What `advisory match` takes.
#[derive(Args, Debug)]
pub struct AdvisoryMatchArgs {
    /// CSAF documents, archives of them (zip, tar, gzip, xz, zstd), or folders of both; a catalog of known
    /// exploited vulnerabilities and scores of EPSS among them are taken, too.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The devices: CSV whose head names manufacturer and model, and maybe name, software and version.
    #[arg(long, value_name = "FILE")]
    pub devices: PathBuf,
    /// CISA's catalog of known exploited vulnerabilities (JSON or CSV).
    #[arg(long, value_name = "FILE")]
    pub kev: Option<PathBuf>,
    /// The scores of EPSS (CSV, packed or not).
    #[arg(long, value_name = "FILE")]
    pub epss: Option<PathBuf>,
    /// Show the advisories that do not affect a device, too.
    #[arg(long)]
    pub all: bool,
}

/// What `advisory check` takes.
#[derive(Args, Debug)]
pub struct AdvisoryCheckArgs {
    /// Files, archives (zip, tar, gzip, xz, zstd), or folders of both, those in folders below too.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// List every flaw with its place, warnings and information too.
    #[arg(long)]
    pub flaws: bool,
    /// A publisher's OpenPGP public key, whose fingerprint you have compared: each document must then have a
    /// signature by it beside it (.asc); repeatable.
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// The public key of minisign with which the list of a bundle must be signed; repeatable.
    #[arg(long, value_name = "FILE")]
    pub bundle_key: Vec<PathBuf>,
}
