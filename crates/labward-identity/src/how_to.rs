//! The one page of plain text beside a peer's PEM bundle: what to enter on that kind of machine.
//!
//! It must never hold a key, and never promise what the machine at the other end decides.

use std::fmt::Write as _;

use crate::PeerKind;

/// What the page is about; each text is shown as it is.
#[derive(Clone, Copy, Debug)]
pub struct HowTo<'a> {
    /// The kind of the peer.
    pub kind: PeerKind,
    /// The peer's name.
    pub peer: &'a str,
    /// The host that Labward listens on, as the peer reaches it.
    pub host: &'a str,
    /// The port of the link.
    pub port: u16,
    /// The name of the PEM bundle's file; none for a foreign certificate.
    pub bundle: Option<&'a str>,
    /// The day the certificate ends, as it is to be shown.
    pub not_after: &'a str,
}

/// The page, in 80 columns unless the names are long, ready to be written beside the bundle.
pub fn how_to(page: &HowTo<'_>) -> String {
    let mut text = String::new();
    let title = title(page.kind);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{title}: {}\n", page.peer);
    text.push_str(&files(page));
    text.push_str(match page.kind {
        PeerKind::Analyzer | PeerKind::Edge => "",
        PeerKind::Lis | PeerKind::DrawSite => SENDER,
        PeerKind::Ehr | PeerKind::Provider | PeerKind::PublicHealth => RECEIVER,
    });
    text.push_str(&connect(page));
    if matches!(page.kind, PeerKind::Analyzer | PeerKind::DrawSite) {
        text.push_str(&without_tls(page));
    }
    text.push_str(&proof(page));
    text
}

const SENDER: &str = "\
What it may send stands in its rules, and everything else is refused. See them
with: labward peer list

";

const RECEIVER: &str = "\
Two directions. If this system only receives, enter the certificate, key and
authority in its own listener and have it ask for a client certificate: Labward
dials it and presents the certificate of this installation's authority. The
address to dial is a destination in labward.toml. If it also sends, do both.

";

fn title(kind: PeerKind) -> &'static str {
    match kind {
        PeerKind::Analyzer => "Connect an analyzer",
        PeerKind::DrawSite => "Connect a draw site",
        PeerKind::Edge => "Connect an edge",
        PeerKind::Ehr => "Connect an electronic health record",
        PeerKind::Lis => "Connect the laboratory information system",
        PeerKind::Provider => "Connect a provider",
        PeerKind::PublicHealth => "Connect a public health authority",
    }
}

fn files(page: &HowTo<'_>) -> String {
    let until = page.not_after;
    let name = page.peer;
    match page.bundle {
        Some(bundle) => format!(
            "\
The file {bundle}
holds, in this order, the certificate, its private key and the authority that
Labward's own certificate comes from. It ends on {until}; before that:
labward peer renew {name}
Who has this file can send as this peer. Carry it over on something you can
wipe, never by mail; restrict it to the account that needs it; wipe the copy.

"
        ),
        None => format!(
            "\
This peer uses a certificate of its own, and Labward knows it by its public
key. It ends on {until}. A renewed certificate with the same key needs nothing
here; with another key, bind it before with: labward peer renew {name}
Give the peer the file tls/ca.pem, against which it checks Labward.

"
        ),
    }
}

fn connect(page: &HowTo<'_>) -> String {
    let HowTo { host, port, .. } = page;
    format!(
        "\
Settings
  host                {host}
  port                {port}
  protocol            TLS 1.2 or 1.3, with a client certificate (mutual TLS)
  framing             as the link in labward.toml says: MLLP for HL7 v2, or ASTM
  server's name       {host}, checked against the authority
  keep connected      yes; one message at a time, wait for its acknowledgement

If the machine takes three files, cut the bundle at the BEGIN and END lines. If
it takes PKCS #12 only, convert it where nobody else can read it:
  openssl pkcs12 -export -in {} -out peer.p12

",
        page.bundle.unwrap_or("bundle.pem")
    )
}

fn without_tls(page: &HowTo<'_>) -> String {
    let HowTo { host, port, .. } = page;
    let bundle = page.bundle.unwrap_or("bundle.pem");
    format!(
        "\
If the machine cannot do TLS
Put a small computer right beside it, joined by one cable and nothing else, and
run stunnel on it. The machine then connects to that computer, and only the
cable between the two is unencrypted.
  foreground = yes
  [{peer}]
  client = yes
  accept = 2575
  connect = {host}:{port}
  cert = {bundle}
  CAfile = {bundle}
  verifyChain = yes
  {check} = {host}
  sslVersionMin = TLSv1.2
On the same computer as the machine's software, write accept = 127.0.0.1:2575
instead. Where neither can be done, a plain link needs a named exception with an
owner and an end date in labward.toml, and stays a finding until it is gone.

",
        peer = page.peer,
        check = if host.parse::<std::net::IpAddr>().is_ok() {
            "checkIP"
        } else {
            "checkHost"
        },
    )
}

fn proof(page: &HowTo<'_>) -> String {
    let HowTo { host, port, .. } = page;
    let bundle = page.bundle.unwrap_or("bundle.pem");
    format!(
        "\
Does it work?
  openssl s_client -connect {host}:{port} \\
    -cert {bundle} -key {bundle} \\
    -CAfile {bundle} -verify_return_error
must end in \"Verify return code: 0 (ok)\" and stay open. Under TLS 1.3 a refusal
shows only after that line, as an alert: access denied = Labward does not know
this key; certificate expired = renew it, or set the machine's clock;
certificate revoked = it was revoked. Then send one test message and look at it:
labward message list. Written is not delivered: only the acknowledgement counts.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(kind: PeerKind) -> HowTo<'static> {
        HowTo {
            kind,
            peer: "cobas-1",
            host: "labward.lab.example",
            port: 6661,
            bundle: Some("cobas-1.pem"),
            not_after: "2027-12-24",
        }
    }

    #[test]
    fn every_kind_gets_a_page_with_its_real_host_port_and_file() {
        for kind in PeerKind::ALL {
            let text = how_to(&page(*kind));
            for needle in ["labward.lab.example:6661", "cobas-1.pem", "2027-12-24"] {
                assert!(text.contains(needle), "{kind}: {needle}");
            }
            assert!(text.lines().count() <= 66, "{kind} fits one page");
            for line in text.lines() {
                assert!(line.len() <= 80, "{kind}: {line}");
            }
        }
    }

    #[test]
    fn a_machine_without_tls_is_told_of_stunnel_and_an_ehr_is_not() {
        let analyzer = how_to(&page(PeerKind::Analyzer));
        assert!(analyzer.contains("connect = labward.lab.example:6661"));
        assert!(analyzer.contains("checkHost = labward.lab.example"));
        let by_address = how_to(&HowTo {
            host: "10.0.0.5",
            ..page(PeerKind::DrawSite)
        });
        assert!(by_address.contains("checkIP = 10.0.0.5"));
        assert!(!how_to(&page(PeerKind::Ehr)).contains("stunnel"));
    }

    #[test]
    fn a_foreign_peer_is_told_to_keep_its_own_certificate() {
        let text = how_to(&HowTo {
            bundle: None,
            ..page(PeerKind::Provider)
        });
        assert!(text.contains("certificate of its own"));
        assert!(text.contains("tls/ca.pem"));
    }
}
