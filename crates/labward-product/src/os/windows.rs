//! Names of Windows, of Windows Server and of SQL Server.

use super::build::{self, Build};
use super::{Edition, OperatingSystem, Product, Unread, Words};

/// Years of Windows Server, and of SQL Server; `2000` of Windows was for both.
const SERVER_YEARS: &[&str] = &["2003", "2008", "2012", "2016", "2019", "2022", "2025"];
const SQL_YEARS: &[&str] = &[
    "2000", "2005", "2008", "2012", "2014", "2016", "2017", "2019", "2022", "2025",
];
/// Releases of servers between the years.
const SERVER_UPDATES: &[&str] = &[
    "1709", "1803", "1809", "1903", "1909", "2004", "20h2", "23h2",
];
const CLIENTS: &[&str] = &[
    "xp", "vista", "7", "8", "8.1", "10", "11", "2000", "me", "98", "95",
];
const UPDATES: &[&str] = &[
    "1507", "1511", "1607", "1703", "1709", "1803", "1809", "1903", "1909", "2004", "20h2", "21h1",
    "21h2", "22h2", "23h2", "24h2", "25h2",
];
/// Short names of embedded releases: the words, the release and the edition.
const SHORT: &[(&[&str], &str, Edition)] = &[
    (&["xpe"], "xp", Edition::Embedded),
    (&["wepos"], "xp", Edition::EmbeddedPointOfService),
    (&["wes2009"], "xp", Edition::EmbeddedStandard),
    (&["wes", "2009"], "xp", Edition::EmbeddedStandard),
    (&["wes09"], "xp", Edition::EmbeddedStandard),
    (&["wes7"], "7", Edition::EmbeddedStandard),
    (&["wes", "7"], "7", Edition::EmbeddedStandard),
    (&["posready", "2009"], "xp", Edition::EmbeddedPosReady),
    (&["posready", "7"], "7", Edition::EmbeddedPosReady),
    (
        &["point", "of", "service"],
        "xp",
        Edition::EmbeddedPointOfService,
    ),
    (
        &["embedded", "standard", "2009"],
        "xp",
        Edition::EmbeddedStandard,
    ),
];

/// What the words name, if it is something of Microsoft's.
pub(super) fn named(words: &Words) -> Result<Option<OperatingSystem>, Unread> {
    let short = SHORT.iter().find(|(name, ..)| words.behind(name).is_some());
    let found = if let Some((_, release, edition)) = short {
        (Product::Windows, Some((*release).to_owned()), *edition)
    } else if words.has("sql") && !words.has("mysql") {
        let edition = match words.has("express") {
            true => Edition::Express,
            false => Edition::Unknown,
        };
        (Product::SqlServer, year(words, SQL_YEARS), edition)
    } else if words.any(&["ce", "compact", "ce.net"]) && words.has("windows") {
        (Product::WindowsCe, compact(words), Edition::Unknown)
    } else if is_server(words) {
        let release = year(words, SERVER_YEARS).or_else(|| one_of(words, SERVER_UPDATES));
        (Product::WindowsServer, release, Edition::Unknown)
    } else if words.has("windows") {
        (Product::Windows, client(words), edition(words))
    } else {
        return Ok(None);
    };
    let (product, Some(release), edition) = found else {
        return Err(Unread::NoRelease);
    };
    let update = (product == Product::Windows)
        .then(|| update(words, &release))
        .flatten();
    Ok(Some(OperatingSystem {
        product,
        release,
        update,
        service_pack: words.service_pack(),
        edition,
        build: None,
    }))
}

/// Whether it is a server; `Windows 2012` is, and `Windows 10 LTSC 2019` is not.
fn is_server(words: &Words) -> bool {
    let behind = words.after("windows");
    let by_year = behind.is_some_and(|word| SERVER_YEARS.contains(&word.trim_end_matches("r2")));
    let named = words.any(&["server", "srv"])
        && (words.has("windows") || year(words, SERVER_YEARS).is_some());
    by_year || named
}

fn one_of(words: &Words, known: &[&str]) -> Option<String> {
    words
        .0
        .iter()
        .find(|word| known.contains(&word.as_str()))
        .cloned()
}

/// A year, with its R2.
fn year(words: &Words, years: &[&str]) -> Option<String> {
    // `2008R2` is written as one word, too.
    let found = words.0.iter().find_map(|word| {
        let plain = word.strip_suffix("r2").unwrap_or(word);
        years
            .contains(&plain)
            .then(|| (plain.to_owned(), plain.len() < word.len()))
    });
    let (year, joined) = found?;
    let has_r2 = matches!(year.as_str(), "2003" | "2008" | "2012");
    Some(match has_r2 && (joined || words.is_r2()) {
        true => format!("{year} r2"),
        false => year,
    })
}

/// `Windows CE 6.0`, `Windows Embedded Compact 7`.
fn compact(words: &Words) -> Option<String> {
    let release = words.after("compact").or_else(|| words.after("ce"))?;
    Some(
        match release {
            "5" => "5.0",
            "6" => "6.0",
            "7.0" => "7",
            "4.2" | "5.0" | "6.0" | "7" | "2013" => release,
            _ => return None,
        }
        .to_owned(),
    )
}

/// The first release that is named; a service pack is none.
fn client(words: &Words) -> Option<String> {
    let mut before = "";
    for word in &words.0 {
        let is_pack = matches!(before, "sp" | "pack" | "service" | "build" | "version");
        if !is_pack && CLIENTS.contains(&word.as_str()) {
            return Some(word.clone());
        }
        if before == "windows" && word == "nt" {
            return Some("nt".to_owned());
        }
        before = word;
    }
    None
}

fn edition(words: &Words) -> Edition {
    let is_long = words.any(&["ltsc", "ltsb"]);
    let is_iot = words.has("iot");
    // "Professional for Embedded Systems" is Professional under another licence.
    let is_licence = words.behind(&["embedded", "systems"]).is_some();
    if words.has("embedded") && !is_licence {
        return match words {
            _ if words.has("industry") => Edition::EmbeddedIndustry,
            _ if words.has("standard") => Edition::EmbeddedStandard,
            _ => Edition::Embedded,
        };
    }
    match (is_iot, is_long) {
        (true, true) => Edition::IotLtsc,
        (true, false) if words.has("core") => Edition::Unknown,
        (true, false) => Edition::IotEnterprise,
        (false, true) => Edition::Ltsc,
        (false, false) if words.any(&["enterprise", "education", "ent"]) => Edition::Enterprise,
        (false, false) if words.any(&["pro", "professional", "prof"]) => Edition::Pro,
        (false, false) if words.has("home") => Edition::Home,
        (false, false) => Edition::Unknown,
    }
}

/// The feature update, or that of the year of a long-term release.
fn update(words: &Words, release: &str) -> Option<String> {
    if !matches!(release, "10" | "11") {
        return None;
    }
    let plain = |word: &&String| {
        let plain = word.strip_prefix('v').unwrap_or(word);
        UPDATES.contains(&plain)
    };
    if let Some(word) = words.0.iter().find(plain) {
        return Some(word.trim_start_matches('v').to_owned());
    }
    if !words.any(&["ltsc", "ltsb"]) {
        return None;
    }
    let years = [
        ("10", "2015", "1507"),
        ("10", "2016", "1607"),
        ("10", "2019", "1809"),
        ("10", "2021", "21h2"),
        ("11", "2024", "24h2"),
    ];
    let found = years
        .iter()
        .find(|(of, year, _)| *of == release && words.has(year));
    found.map(|(.., update)| (*update).to_owned())
}

/// Joins a name and a build.
pub(super) fn with_build(
    mut named: OperatingSystem,
    build: Option<Build>,
) -> Result<OperatingSystem, Unread> {
    let Some(build) = build else {
        return Ok(named);
    };
    match named.product {
        Product::Windows => join_client(&mut named, build)?,
        Product::WindowsServer if !build.servers().any(|of| of == named.release) => {
            return Err(Unread::Contradiction);
        }
        Product::WindowsServer => {}
        // Their builds are not those of Windows.
        Product::SqlServer | Product::Unix(_) | Product::WindowsCe => return Ok(named),
    }
    named.build = Some(build);
    Ok(named)
}

fn join_client(named: &mut OperatingSystem, build: Build) -> Result<(), Unread> {
    let Some((release, update)) = build.client() else {
        return Err(Unread::Contradiction);
    };
    // Windows 11 calls itself 10 where programs ask for it.
    if (named.release.as_str(), release) == ("10", "11") && named.update.is_none() {
        release.clone_into(&mut named.release);
    }
    if named.release != release {
        return Err(Unread::Contradiction);
    }
    if update.is_empty() {
        return Ok(());
    }
    match &named.update {
        Some(said) if build::of_update(release, said) != Some(build.number) => {
            Err(Unread::Contradiction)
        }
        Some(_) => Ok(()),
        None => {
            named.update = Some(update.to_owned());
            Ok(())
        }
    }
}
