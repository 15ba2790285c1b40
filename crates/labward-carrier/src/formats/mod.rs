//! One module a format: what lies in it. Each is total, asks the walker before each part, and tells what it
//! could not look into.

mod activemime;
mod ar;
mod arj;
mod astm;
mod binhex;
mod bytes;
mod cab;
mod chm;
mod cpio;
mod dicom;
mod guard;
mod gzip;
mod hl7;
mod html;
mod installshield;
mod iso;
mod json;
mod mail;
mod markup;
mod member;
mod members;
mod mllp;
mod ole;
mod onenote;
mod pdf;
mod picture;
mod plain;
mod program;
mod rar;
mod rtf;
mod script;
mod sevenzip;
mod shortcut;
mod single;
mod sis;
mod szdd;
mod tar;
mod text;
mod tnef;
mod trailing;
mod xml;
mod zip;

use crate::find;
use crate::kind::Kind;
use crate::seen::Part;
use crate::walk::Walker;

pub(crate) use tar::is_header as is_tar_header;

/// Whether anything may lie in the part; a text is looked through.
pub(crate) fn holds_more(part: &Part<'_>) -> bool {
    part.claims.all().any(|kind| match kind {
        Kind::Json | Kind::Script | Kind::Text | Kind::Xml => {
            let mut holds = false;
            find::all(part.bytes, &mut |_| {
                holds = true;
                false
            });
            holds
        }
        kind => opener(kind).is_some(),
    })
}

/// Enters what lies in the part, read as `kind`.
pub(crate) fn open(walker: &mut Walker<'_>, kind: Kind, part: &Part<'_>) {
    if let Some(opener) = opener(kind) {
        opener(walker, part);
    }
}

type Opener = fn(&mut Walker<'_>, &Part<'_>);

fn opener(kind: Kind) -> Option<Opener> {
    Some(match kind {
        Kind::ActiveMime => activemime::open,
        Kind::Ar => ar::open,
        Kind::Arj => arj::open,
        Kind::Astm => astm::open,
        Kind::BinHex => binhex::open,
        Kind::Bzip2 => single::open_bzip2,
        Kind::Cab => cab::open,
        Kind::Cda | Kind::FhirXml => markup::open,
        Kind::Chm => chm::open,
        Kind::Cpio => cpio::open,
        Kind::Dicom => dicom::open,
        Kind::FhirJson | Kind::Json => json::open,
        Kind::Gif => picture::open_gif,
        Kind::Gzip => gzip::open,
        Kind::Hl7 => hl7::open,
        Kind::Html => html::open,
        Kind::InstallShield => installshield::open_cabinet,
        Kind::Iso => iso::open,
        Kind::Jpeg => picture::open_jpeg,
        Kind::Lzma => single::open_lzma,
        Kind::Mime => mail::open,
        Kind::Mllp => mllp::open,
        Kind::Ole => ole::open,
        Kind::OneNote => onenote::open,
        Kind::Pdf => pdf::open,
        Kind::Pe => program::open,
        Kind::Png => picture::open_png,
        Kind::Rar => rar::open,
        Kind::Rtf => rtf::open,
        Kind::Script | Kind::Uuencode => text::open,
        Kind::SevenZip => sevenzip::open,
        Kind::Shortcut => shortcut::open,
        Kind::Sis => sis::open,
        Kind::Szdd => szdd::open,
        Kind::Tar => tar::open,
        Kind::Text => |walker, part| {
            plain::open(walker, part);
            text::open(walker, part);
        },
        Kind::Tnef => tnef::open,
        Kind::Xml => |walker, part| {
            xml::open(walker, part);
            markup::open(walker, part);
        },
        Kind::Xz => single::open_xz,
        Kind::Zip => zip::open,
        Kind::Zstd => single::open_zstd,
        _ => return None,
    })
}
