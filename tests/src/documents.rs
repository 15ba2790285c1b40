//! Large documents at the command line: in and out in bounded memory, in any part, or not at all.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::net::UnixStream;

use labward_testkit::sample_hl7;

use crate::support::{Installation, eventually};

/// Far larger than what the server may need for it.
const IMAGE_BYTES: u64 = 192 << 20;
/// What the server may grow by while it takes the image in and gives it out.
const GROWTH_KIB: u64 = 32 << 10;

/// A file that differs in every part, of which most was never written.
fn image(lab: &Installation) -> std::path::PathBuf {
    let path = lab.beside("image");
    let mut file = File::create(&path).unwrap();
    for at in (0..IMAGE_BYTES).step_by(1 << 20) {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(format!("part {at}").as_bytes()).unwrap();
    }
    file.set_len(IMAGE_BYTES).unwrap();
    path
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
    let (patient, image) = (patient(&lab), image(&lab));
    let path = image.to_str().unwrap();
    let before = server.peak_kib();
    let words = ["record", "add", path, "--patient", &patient, "--why", "x"];
    let added = lab.json(&words);
    assert_eq!(added["size_bytes"], IMAGE_BYTES);
    let record = added["record"].to_string();
    let export = |bytes: &[&str], name: &str| {
        let out = lab.beside(name);
        let place = out.to_str().unwrap();
        let words = [
            "record", "export", "--record", &record, "--out", place, "--why", "x",
        ];
        lab.run(&[&words, bytes].concat()).ok();
        out
    };
    let whole = export(&[], "whole");
    assert!(fs::read(&whole).unwrap() == fs::read(&image).unwrap());
    let part = export(&["--bytes", "104857600-104857613"], "part");
    assert_eq!(fs::read(&part).unwrap(), b"part 104857600");
    let grown = server.peak_kib() - before;
    assert!(grown < GROWTH_KIB, "the server grew by {grown} KiB");
    let beyond = format!("{IMAGE_BYTES}-");
    let out = lab.beside("none");
    let place = out.to_str().unwrap();
    let words = ["record", "export", "--record", &record, "--bytes", &beyond];
    let refused = lab.run(&[&words[..], &["--out", place, "--why", "x"]].concat());
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
