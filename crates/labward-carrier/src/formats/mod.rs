//! One module a format: what lies in it. Each is total, asks the walker before each part, and tells what it
//! could not look into.

mod activemime;
mod ar;
mod arj;
mod bytes;
mod cab;
mod chm;
mod cpio;
mod guard;
mod gzip;
mod installshield;
mod iso;
mod member;
mod members;
mod ole;
mod onenote;
mod pdf;
mod picture;
mod plain;
mod program;
mod rar;
mod rtf;
mod sevenzip;
mod shortcut;
mod single;
mod sis;
mod szdd;
mod tar;
mod trailing;
mod xml;
mod zip;

use crate::kind::Kind;
use crate::seen::Part;
use crate::walk::Walker;

pub(crate) use tar::is_header as is_tar_header;

/// Whether anything may lie in bytes of this kind.
pub(crate) fn opens(kind: Kind) -> bool {
    // A text is looked at for signs; nothing lies in it.
    kind != Kind::Text && opener(kind).is_some()
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
        Kind::Bzip2 => single::open_bzip2,
        Kind::Cab => cab::open,
        Kind::Chm => chm::open,
        Kind::Cpio => cpio::open,
        Kind::Gif => picture::open_gif,
        Kind::Gzip => gzip::open,
        Kind::InstallShield => installshield::open_cabinet,
        Kind::Iso => iso::open,
        Kind::Jpeg => picture::open_jpeg,
        Kind::Lzma => single::open_lzma,
        Kind::Ole => ole::open,
        Kind::OneNote => onenote::open,
        Kind::Pdf => pdf::open,
        Kind::Pe => program::open,
        Kind::Png => picture::open_png,
        Kind::Rar => rar::open,
        Kind::Rtf => rtf::open,
        Kind::SevenZip => sevenzip::open,
        Kind::Shortcut => shortcut::open,
        Kind::Sis => sis::open,
        Kind::Szdd => szdd::open,
        Kind::Tar => tar::open,
        Kind::Text => plain::open,
        Kind::Xml => xml::open,
        Kind::Xz => single::open_xz,
        Kind::Zip => zip::open,
        Kind::Zstd => single::open_zstd,
        _ => return None,
    })
}
