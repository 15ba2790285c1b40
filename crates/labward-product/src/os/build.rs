//! Builds of Windows, and the releases that they are of.

use super::{Edition, OperatingSystem, Product, Unread};

/// A build of Windows, such as 17763.6414.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Build {
    /// The build of the release, such as 17763.
    pub number: u32,
    /// The revision, which each month's update raises; `None` if it is not said.
    pub revision: Option<u32>,
}

/// Builds of clients: the build, the release and the feature update.
const CLIENTS: &[(u32, &str, &str)] = &[
    (2195, "2000", ""),
    (2600, "xp", ""),
    (3790, "xp", ""),
    (6000, "vista", ""),
    (6001, "vista", ""),
    (6002, "vista", ""),
    (6003, "vista", ""),
    (7600, "7", ""),
    (7601, "7", ""),
    (9200, "8", ""),
    (9600, "8.1", ""),
    (10240, "10", "1507"),
    (10586, "10", "1511"),
    (14393, "10", "1607"),
    (15063, "10", "1703"),
    (16299, "10", "1709"),
    (17134, "10", "1803"),
    (17763, "10", "1809"),
    (18362, "10", "1903"),
    (18363, "10", "1909"),
    (19041, "10", "2004"),
    (19042, "10", "20h2"),
    (19043, "10", "21h1"),
    (19044, "10", "21h2"),
    (19045, "10", "22h2"),
    (22000, "11", "21h2"),
    (22621, "11", "22h2"),
    (22631, "11", "23h2"),
    (26100, "11", "24h2"),
    (26200, "11", "25h2"),
];

/// Builds of servers: the build and the release. 2003 and 2003 R2 have one build.
const SERVERS: &[(u32, &str)] = &[
    (2195, "2000"),
    (3790, "2003"),
    (3790, "2003 r2"),
    (6001, "2008"),
    (6002, "2008"),
    (6003, "2008"),
    (7600, "2008 r2"),
    (7601, "2008 r2"),
    (9200, "2012"),
    (9600, "2012 r2"),
    (14393, "2016"),
    (16299, "1709"),
    (17134, "1803"),
    (17763, "2019"),
    (17763, "1809"),
    (18362, "1903"),
    (18363, "1909"),
    (19041, "2004"),
    (19042, "20h2"),
    (20348, "2022"),
    (25398, "23h2"),
    (26100, "2025"),
];

impl Build {
    /// `17763`, `17763.6414`, `10.0.17763`, `10.0.17763.6414`, `6.1.7601`; `None` if it is no build that is known.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let parts: Vec<u32> = word
            .split('.')
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        let (number, revision) = match parts.as_slice() {
            [5 | 6, 0..=3, number, rest @ ..] => (number, rest.first()),
            [10, 0, number, rest @ ..] => (number, rest.first()),
            [number] | [number, _] => (number, parts.get(1)),
            _ => return None,
        };
        // `2004` is a feature update and a year, `2008` a year; no build of five digits is one.
        let stands_alone =
            *number >= 10_000 || parts.len() > 2 || matches!(number, 7600 | 7601 | 9200 | 9600);
        let known = CLIENTS.iter().any(|(of, ..)| of == number)
            || SERVERS.iter().any(|(of, _)| of == number);
        (stands_alone && known).then_some(Self {
            number: *number,
            revision: revision.copied(),
        })
    }

    /// The release and the feature update of the client with this build.
    pub(super) fn client(self) -> Option<(&'static str, &'static str)> {
        let found = CLIENTS.iter().find(|(number, ..)| *number == self.number);
        found.map(|(_, release, update)| (*release, *update))
    }

    /// The releases of servers with this build.
    pub(super) fn servers(self) -> impl Iterator<Item = &'static str> {
        let found = SERVERS
            .iter()
            .filter(move |(number, _)| *number == self.number);
        found.map(|(_, release)| *release)
    }
}

/// The build of a client's feature update.
pub(super) fn of_update(release: &str, update: &str) -> Option<u32> {
    let found = CLIENTS
        .iter()
        .find(|(_, of, known)| *of == release && *known == update);
    found
        .map(|(number, ..)| *number)
        .filter(|_| !update.is_empty())
}

/// What a build says where no name stands beside it.
pub(super) fn alone(build: Build) -> Result<OperatingSystem, Unread> {
    let mut servers = build.servers();
    let (product, release, update) = match (build.client(), servers.next(), servers.next()) {
        (Some((release, update)), None, _) => (Product::Windows, release, update),
        (None, Some(release), None) => (Product::WindowsServer, release, ""),
        _ => return Err(Unread::ClientOrServer),
    };
    Ok(OperatingSystem {
        product,
        release: release.to_owned(),
        update: (!update.is_empty()).then(|| update.to_owned()),
        service_pack: None,
        edition: Edition::Unknown,
        build: Some(build),
    })
}
