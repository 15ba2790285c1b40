//! What people and devices say of an operating system, or of SQL Server, read into a release.
//!
//! It must never choose between a client and a server, or between two editions, where the text leaves it open.

mod build;
mod windows;

#[cfg(test)]
mod tests;

pub use build::Build;

/// A longer text names no operating system.
const MAX_BYTES: usize = 256;

/// A release of an operating system, or of SQL Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatingSystem {
    /// Which one it is.
    pub product: Product,
    /// The release in lower case: `xp`, `7`, `10`, `2012 r2`, `6.0`, `22.04`. An embedded Windows has that of the
    /// Windows that it is made of: Windows Embedded Standard 2009 is `xp`.
    pub release: String,
    /// The feature update of Windows 10 and 11, in lower case: `1809`, `22h2`.
    pub update: Option<String>,
    /// The service pack.
    pub service_pack: Option<u8>,
    /// The edition.
    pub edition: Edition,
    /// The build.
    pub build: Option<Build>,
}

/// An operating system, or SQL Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// Microsoft SQL Server and MSDE.
    SqlServer,
    /// A Unix, by its name in the release data of endoflife.date.
    Unix(&'static str),
    /// Windows on clients, embedded ones included.
    Windows,
    /// Windows CE and Windows Embedded Compact.
    WindowsCe,
    /// Windows Server.
    WindowsServer,
}

impl Product {
    /// Its name in the table of ends of life.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SqlServer => "sql-server",
            Self::Unix(name) => name,
            Self::Windows => "windows",
            Self::WindowsCe => "windows-ce",
            Self::WindowsServer => "windows-server",
        }
    }
}

/// An edition, as far as support or fixes differ by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// Windows XP Embedded, or an embedded Windows that does not say which.
    Embedded,
    /// Windows Embedded Industry.
    EmbeddedIndustry,
    /// Windows Embedded for Point of Service.
    EmbeddedPointOfService,
    /// Windows Embedded POSReady.
    EmbeddedPosReady,
    /// Windows Embedded Standard.
    EmbeddedStandard,
    /// Enterprise and Education.
    Enterprise,
    /// Express.
    Express,
    /// Home.
    Home,
    /// IoT Enterprise, without the long-term channel.
    IotEnterprise,
    /// IoT Enterprise of the long-term channel.
    IotLtsc,
    /// Enterprise of the long-term channel (LTSC, LTSB).
    Ltsc,
    /// Professional.
    Pro,
    /// Not said, or no difference.
    Unknown,
}

impl Edition {
    /// Its name in the table of ends of life; empty where it is not said.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::EmbeddedIndustry => "embedded-industry",
            Self::EmbeddedPointOfService => "embedded-point-of-service",
            Self::EmbeddedPosReady => "embedded-posready",
            Self::EmbeddedStandard => "embedded-standard",
            Self::Enterprise => "enterprise",
            Self::Express => "express",
            Self::Home => "home",
            Self::IotEnterprise => "iot-enterprise",
            Self::IotLtsc => "iot-ltsc",
            Self::Ltsc => "ltsc",
            Self::Pro => "pro",
            Self::Unknown => "",
        }
    }
}

/// Why no operating system could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The build is that of a client and of a server, and nothing says which.
    ClientOrServer,
    /// The name and the build are of two releases.
    Contradiction,
    /// The name of an operating system is there, and no release that is known.
    NoRelease,
    /// Nothing is said that is known.
    Unknown,
}

impl Unread {
    /// Its stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ClientOrServer => "os-client-or-server",
            Self::Contradiction => "os-contradiction",
            Self::NoRelease => "os-no-release",
            Self::Unknown => "os-unknown",
        }
    }
}

impl OperatingSystem {
    /// Reads a name, such as `Windows 10 IoT Enterprise LTSC 2019`, and a build that may stand beside it, such as
    /// `17763.6414`; either may be empty.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(name: &str, build: &str) -> Result<Self, Unread> {
        if name.len() > MAX_BYTES || build.len() > MAX_BYTES {
            return Err(Unread::Unknown);
        }
        let words = Words::of(name);
        let build = Words::of(build).build().or_else(|| words.build());
        if let Some(named) = windows::named(&words)? {
            return windows::with_build(named, build);
        }
        if let Some(unix) = unix(&words)? {
            return Ok(unix);
        }
        match build {
            Some(build) => build::alone(build),
            None => Err(Unread::Unknown),
        }
    }
}

/// Names of Unix systems: the words, and the name in the release data.
const UNIX: &[(&[&str], &str)] = &[
    (&["almalinux"], "almalinux"),
    (&["alpine"], "alpine-linux"),
    (&["amazon", "linux"], "amazon-linux"),
    (&["centos"], "centos"),
    (&["debian"], "debian"),
    (&["fedora"], "fedora"),
    (&["freebsd"], "freebsd"),
    (&["linux", "mint"], "linuxmint"),
    (&["linuxmint"], "linuxmint"),
    (&["macos"], "macos"),
    (&["opensuse"], "opensuse"),
    (&["oracle", "linux"], "oracle-linux"),
    (&["red", "hat", "enterprise", "linux"], "rhel"),
    (&["rhel"], "rhel"),
    (&["rocky"], "rocky-linux"),
    (&["sles"], "sles"),
    (&["suse", "linux", "enterprise", "server"], "sles"),
    (&["ubuntu"], "ubuntu"),
];

/// The Unix whose name and release stand there; the release is the first number behind the name.
fn unix(words: &Words) -> Result<Option<OperatingSystem>, Unread> {
    let found = UNIX
        .iter()
        .find_map(|(name, code)| Some((words.behind(name)?, *code)));
    let Some((rest, code)) = found else {
        return Ok(None);
    };
    let numeric = |word: &&String| word.starts_with(|c: char| c.is_ascii_digit());
    let release = rest.iter().find(numeric).ok_or(Unread::NoRelease)?;
    Ok(Some(OperatingSystem {
        product: Product::Unix(code),
        release: release.clone(),
        update: None,
        service_pack: words.service_pack(),
        edition: Edition::Unknown,
        build: None,
    }))
}

/// The words of a name in lower case, numbers with their dots.
struct Words(Vec<String>);

impl Words {
    fn of(text: &str) -> Self {
        let text = text
            .to_ascii_lowercase()
            .replace("(r)", " ")
            .replace("(tm)", " ");
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
        let words = words.map(|word| word.trim_matches('.'));
        let mut all: Vec<String> = Vec::new();
        for word in words.filter(|word| !word.is_empty()) {
            // `win7`, `windows10`: the name and the release.
            let rest = ["windows", "win"]
                .iter()
                .find_map(|name| word.strip_prefix(name));
            match rest {
                Some(rest) => {
                    all.push("windows".to_owned());
                    all.extend((!rest.is_empty()).then(|| rest.to_owned()));
                }
                // `64-bit` is no release.
                None if word == "bit" => drop(all.pop()),
                None => all.push(word.to_owned()),
            }
        }
        Self(all)
    }

    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|one| one == word)
    }

    fn any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    /// The word behind another one.
    fn after(&self, word: &str) -> Option<&str> {
        let at = self.0.iter().position(|one| one == word)?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// What follows these words in this order.
    fn behind(&self, name: &[&str]) -> Option<&[String]> {
        let at = self.0.windows(name.len()).position(|part| part == name)?;
        self.0.get(at + name.len()..)
    }

    /// `SP3`, `SP 3`, `Service Pack 3`.
    fn service_pack(&self) -> Option<u8> {
        let joined = self
            .0
            .iter()
            .find_map(|word| word.strip_prefix("sp")?.parse().ok());
        let apart = || {
            self.after("sp")
                .or_else(|| self.after("pack"))?
                .parse()
                .ok()
        };
        joined.or_else(apart)
    }

    /// `R2`, `R 2`.
    fn is_r2(&self) -> bool {
        self.has("r2") || self.after("r") == Some("2")
    }

    /// The first word that is a build.
    fn build(&self) -> Option<Build> {
        self.0.iter().find_map(|word| Build::of(word))
    }
}
