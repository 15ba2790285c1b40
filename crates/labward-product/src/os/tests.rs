//! What is written on instruments, in lists and on wires.

use proptest::prelude::*;

use super::*;

/// `product release/update/sp edition build`, or the code of why not.
fn told(name: &str, build: &str) -> String {
    match OperatingSystem::read(name, build) {
        Err(why) => why.code().to_owned(),
        Ok(os) => {
            let mut text = format!("{} {}", os.product.code(), os.release);
            for part in [os.update, os.service_pack.map(|n| format!("sp{n}"))] {
                text.extend(part.map(|part| format!("/{part}")));
            }
            if os.edition != Edition::Unknown {
                text = format!("{text} {}", os.edition.code());
            }
            if let Some(Build { number, revision }) = os.build {
                text = format!("{text} {number}");
                text.extend(revision.map(|n| format!(".{n}")));
            }
            text
        }
    }
}

#[track_caller]
fn check(name: &str, build: &str, expect: &str) {
    assert_eq!(told(name, build), expect, "{name:?} {build:?}");
}

#[test]
fn clients_are_read() {
    check("Microsoft Windows 7 Professional", "", "windows 7 pro");
    check("Win7 x64", "", "windows 7");
    check("Windows 7 SP1 64-bit", "", "windows 7/sp1");
    check(
        "Windows® 7 Service Pack 1",
        "6.1.7601",
        "windows 7/sp1 7601",
    );
    check("WINDOWS XP", "", "windows xp");
    check("Windows XP Professional SP3", "", "windows xp/sp3 pro");
    check("Windows 8.1 Enterprise", "", "windows 8.1 enterprise");
    check("Windows 2000 Professional", "", "windows 2000 pro");
    check("Windows NT 4.0", "", "windows nt");
    check(
        "Windows 10 Pro",
        "19045.5011",
        "windows 10/22h2 pro 19045.5011",
    );
    check(
        "Windows 10 Enterprise, version 1809",
        "",
        "windows 10/1809 enterprise",
    );
    check("Windows 10 21H2 (64-bit)", "", "windows 10/21h2");
    check(
        "Windows 11 Pro",
        "22631.4317",
        "windows 11/23h2 pro 22631.4317",
    );
    check(
        "Microsoft Windows [Version 10.0.19045.5011]",
        "",
        "os-no-release",
    );
}

#[test]
fn embedded_and_long_term_releases_are_read() {
    check(
        "Windows 10 IoT Enterprise LTSC 2019",
        "17763.6414",
        "windows 10/1809 iot-ltsc 17763.6414",
    );
    check(
        "Windows 10 Enterprise 2016 LTSB",
        "",
        "windows 10/1607 ltsc",
    );
    check("Win10 IoT Enterprise", "", "windows 10 iot-enterprise");
    check(
        "Windows 10 LTSC",
        "10.0.19044",
        "windows 10/21h2 ltsc 19044",
    );
    check("Windows XP Embedded SP3", "", "windows xp/sp3 embedded");
    check("XPe", "", "windows xp embedded");
    check(
        "Windows 7 Professional for Embedded Systems",
        "",
        "windows 7 pro",
    );
    check(
        "Windows Embedded Standard 7",
        "7601",
        "windows 7 embedded-standard 7601",
    );
    check("WES7", "", "windows 7 embedded-standard");
    check(
        "Windows Embedded Standard 2009",
        "",
        "windows xp embedded-standard",
    );
    check(
        "Windows Embedded POSReady 2009",
        "",
        "windows xp embedded-posready",
    );
    check(
        "Windows Embedded 8.1 Industry Pro",
        "",
        "windows 8.1 embedded-industry",
    );
    check("Windows CE 6.0", "", "windows-ce 6.0");
    check("Microsoft WinCE 5.0", "", "windows-ce 5.0");
    check("Windows Embedded Compact 7", "", "windows-ce 7");
}

#[test]
fn servers_and_sql_servers_are_read() {
    check("Windows Server 2012 R2", "", "windows-server 2012 r2");
    check(
        "Windows Server 2012 R2 Standard",
        "6.3.9600",
        "windows-server 2012 r2 9600",
    );
    check("Windows 2008R2", "", "windows-server 2008 r2");
    check(
        "Windows Server 2016",
        "14393.7259",
        "windows-server 2016 14393.7259",
    );
    check(
        "Windows Server 2019",
        "10.0.17763.973",
        "windows-server 2019 17763.973",
    );
    check("Server 2022 Datacenter", "", "windows-server 2022");
    check(
        "SQL Server 2008 R2 Express",
        "",
        "sql-server 2008 r2 express",
    );
    check("Microsoft SQL Server 2017 (RTM)", "", "sql-server 2017");
}

#[test]
fn unix_systems_are_read() {
    check("Debian GNU/Linux 12 (bookworm)", "", "debian 12");
    check("Ubuntu 22.04.3 LTS", "", "ubuntu 22.04.3");
    check("Red Hat Enterprise Linux release 8.6", "", "rhel 8.6");
    check("SUSE Linux Enterprise Server 15 SP4", "", "sles 15/sp4");
    check("Debian", "", "os-no-release");
}

#[test]
fn what_is_left_open_is_not_read() {
    check("", "10.0.17763", "os-client-or-server");
    check("", "19045.5011", "windows 10/22h2 19045.5011");
    check("", "20348", "windows-server 2022 20348");
    check("Windows", "", "os-no-release");
    check("Windows", "17763", "os-no-release");
    check("Windows 10 Pro", "7601", "os-contradiction");
    check(
        "Windows 10 IoT Enterprise LTSC 2019",
        "19045",
        "os-contradiction",
    );
    check("Windows Server 2016", "17763", "os-contradiction");
    // Windows 11 names itself so in its registry.
    check("Windows 10 Pro", "22631", "windows 11/23h2 pro 22631");
    check("VxWorks 6.9", "", "os-unknown");
    check("", "", "os-unknown");
    check("MySQL 5.7", "", "os-unknown");
    check("proprietary", "", "os-unknown");
}

proptest! {
    #[test]
    fn no_text_panics(name in ".{0,80}", build in "[0-9.]{0,20}") {
        let _ = OperatingSystem::read(&name, &build);
    }

    #[test]
    fn words_of_this_field_never_panic(
        words in proptest::collection::vec(
            prop_oneof![
                Just("Windows"), Just("Server"), Just("10"), Just("2012"), Just("R2"), Just("SP"),
                Just("SP1"), Just("SQL"), Just("bit"), Just("CE"), Just("Embedded"), Just("17763.1"),
            ],
            0..8,
        ),
    ) {
        let _ = OperatingSystem::read(&words.join(" "), "");
    }
}
