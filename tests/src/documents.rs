//! Large documents at the command line: in and out in bounded memory, in any part, or not at all.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use labward_testkit::sample_hl7;

use crate::support::{Installation, eventually, from_environment};

/// Far larger than what the server may need for it; `LABWARD_DOCUMENT_MIB=2048` makes it 2 GiB.
const IMAGE_MIB: u64 = 192;
/// What the server may grow by while it takes the image in and gives it out.
const GROWTH_KIB: u64 = 32 << 10;

/// A file that differs in every part, of which most was never written, and its length.
fn image(lab: &Installation) -> (PathBuf, u64) {
    let path = lab.beside("image");
    let bytes = from_environment("LABWARD_DOCUMENT_MIB", IMAGE_MIB) << 20;
    let mut file = File::create(&path).unwrap();
    for at in (0..bytes).step_by(1 << 20) {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(format!("part {at}").as_bytes()).unwrap();
    }
    file.set_len(bytes).unwrap();
    (path, bytes)
}

/// Whether `file` goes on from where it is read with all of the file `other`.
fn goes_on_with(file: &mut File, other: &Path) -> bool {
    let mut other = File::open(other).unwrap();
    let (mut a, mut b) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let read = other.read(&mut b).unwrap();
        if read == 0 {
            return true;
        }
        if file.read_exact(&mut a[..read]).is_err() || a[..read] != b[..read] {
            return false;
        }
    }
}

/// A patient of the sample messages.
fn patient(lab: &Installation) -> String {
    let file = sample_hl7().join("018-output.hl7");
    let file = file.to_str().unwrap();
    lab.run(&["record", "import", file, "--why", "set-up"]).ok();
    lab.json(&["ledger", "verify"]);
    "1".to_owned()
}

#[test]
fn a_large_document_passes_in_bounded_memory_and_is_read_in_part() {
    let lab = Installation::create("");
    let server = lab.serve();
    let (patient, (image, image_bytes)) = (patient(&lab), image(&lab));
    let path = image.to_str().unwrap();
    let before = server.peak_kib();
    let words = ["record", "add", path, "--patient", &patient, "--why", "x"];
    let added = lab.json(&words);
    assert_eq!(added["size_bytes"], image_bytes);
    let record = added["record"].to_string();
    let export = |what: &[&str], name: &str| {
        let out = lab.beside(name);
        let words = ["--out", out.to_str().unwrap(), "--why", "x"];
        lab.run(&[&["record", "export"], what, &words[..]].concat())
            .ok();
        out
    };
    let record = ["--record", &record];
    let whole = export(&record, "whole");
    assert_eq!(fs::metadata(&whole).unwrap().len(), image_bytes);
    assert!(goes_on_with(&mut File::open(&whole).unwrap(), &image));
    fs::remove_file(&whole).unwrap();
    let part = export(
        &[&record[..], &["--bytes", "104857600-104857613"]].concat(),
        "part",
    );
    assert_eq!(fs::read(&part).unwrap(), b"part 104857600");
    // A second image, so that all of the patient is more than any memory that is asked for.
    lab.json(&words);
    let all = export(&["--patient", &patient], "all");
    let mut all = File::open(&all).unwrap();
    let message_bytes = all.metadata().unwrap().len() - 2 * image_bytes - 1;
    let mut message = vec![0; usize::try_from(message_bytes).unwrap()];
    all.read_exact(&mut message).unwrap();
    assert!(message.starts_with(b"MSH|") && message.len() < 300);
    assert!(goes_on_with(&mut all, &image));
    all.read_exact(&mut [0]).unwrap();
    assert!(goes_on_with(&mut all, &image));
    let grown = server.peak_kib() - before;
    eprintln!("documents of {image_bytes} bytes: the server grew by {grown} KiB");
    assert!(grown < GROWTH_KIB, "the server grew by {grown} KiB");
    let beyond = format!("{image_bytes}-");
    let out = lab.beside("none");
    let place = out.to_str().unwrap();
    let words = ["--bytes", &beyond, "--out", place, "--why", "x"];
    let refused = lab.run(&[&["record", "export"], &record[..], &words].concat());
    assert!(refused.err.contains("records.beyond-end"), "{refused:?}");
    assert!(!out.exists());
    lab.run(&["ledger", "verify"]).ok();
    server.stop();
}

#[test]
fn a_document_that_breaks_off_leaves_nothing() {
    let lab = Installation::create("");
    let server = lab.serve();
    let patient = patient(&lab);
    let mut socket = UnixStream::connect(lab.data().join("run/admin.sock")).unwrap();
    let head = format!(
        "POST /api/v1/patients/{patient}/documents?why=x HTTP/1.1\r\nHost: labward\r\n\
         Content-Length: 9000000\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&vec![7; 4_000_000]).unwrap();
    let blobs = lab.data().join("blob");
    let files = || {
        let folders = fs::read_dir(&blobs).unwrap();
        let inside = folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count());
        inside.sum::<usize>()
    };
    eventually("the document to come in", || (files() == 1).then_some(()));
    drop(socket);
    eventually("what came of it to be gone", || {
        (files() == 0).then_some(())
    });
    lab.run(&["ledger", "verify"]).ok();
    server.stop();
}
