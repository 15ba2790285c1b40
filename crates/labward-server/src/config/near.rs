//! The nearest known word to one that is not known.

/// Longer words are not compared: nobody mistypes so much.
const MAX_CHARS: usize = 64;

/// The known word nearest to `word`, if it is near enough to have been meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > MAX_CHARS {
        return None;
    }
    let limit = (length / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters put in, left out, changed or swapped with their neighbour that lead from one word to the
/// other (optimal string alignment); upper and lower case, `-` and `_` are the same.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        let same = |c: char| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        };
        text.chars().map(same).collect()
    };
    let (a, b) = (letters(a), letters(b));
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, from) in a.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX);
            let mut best = at(&row, j)
                .saturating_add(usize::from(from != to))
                .min(at(&row, j + 1).saturating_add(1))
                .min(at(&next, j).saturating_add(1));
            let left = j.checked_sub(1);
            if let Some(left) = left
                && b.get(left) == Some(from)
                && last == Some(to)
            {
                best = best.min(at(&before, left).saturating_add(1));
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(from);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: [&str; 5] = ["listen", "limits", "name", "peer", "frame_seconds"];

    #[test]
    fn a_mistyped_word_leads_to_the_one_that_was_meant() {
        for (typed, meant) in [
            ("lisen", Some("listen")),
            ("litsen", Some("listen")),
            ("Listen", Some("listen")),
            ("frame-seconds", Some("frame_seconds")),
            ("frame_secs", Some("frame_seconds")),
            ("nmae", Some("name")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, KEYS), meant, "{typed}");
        }
        assert_eq!(nearest(&"listen".repeat(100), KEYS), None);
    }

    proptest! {
        #[test]
        fn the_distance_is_the_same_both_ways_and_zero_only_for_the_same(
            a in "[a-d]{0,8}", b in "[a-d]{0,8}",
        ) {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
            prop_assert!(distance(&a, &b) <= a.len().max(b.len()));
        }
    }
}
