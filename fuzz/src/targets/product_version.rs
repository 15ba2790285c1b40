//! Any two texts are versions or say that they are none, and their order is the same from both sides.

use labward_product::version::{Scheme, Version};

pub fn run(data: &[u8]) {
    let Some(data) = crate::read::<(&str, &str)>(data) else { return };
    let (a, b) = (Version::read(data.0), Version::read(data.1));
    assert_eq!(a.text(), data.0.trim());
    assert_eq!(a.compare(&b), b.compare(&a).map(std::cmp::Ordering::reverse));
    if a.scheme() != Scheme::Unread {
        assert_eq!(a.compare(&a), Ok(std::cmp::Ordering::Equal));
    }
    let _ = (a.padding_is_unclear(&b), a.same_branch(&b));
}
