//! Any text is a name of few variants, any two have an answer, and any text has a normal form of a vendor that stays.

use std::sync::OnceLock;

use labward_product::name::{Name, NameBook, names_match};
use labward_product::vendor::normal_form;

static BOOK: OnceLock<NameBook> = OnceLock::new();

pub fn run(data: &[u8]) {
    let Some(data) = crate::read::<(&str, &str)>(data) else { return };
    let book = BOOK.get_or_init(|| NameBook::shipped().unwrap());
    let (a, b) = (Name::read(data.0, book), Name::read(data.1, book));
    assert!(a.variants().len() <= 32);
    let _ = names_match(&a, &b, book);
    let form = normal_form(data.0);
    assert_eq!(normal_form(&form), form);
}
