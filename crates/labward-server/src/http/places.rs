//! How many of something each one has at the same time.
//!
//! It must never let one have so many that none is left for others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// The count of each one; clones share it.
#[derive(Clone)]
pub(super) struct Places<K> {
    taken: Arc<Mutex<HashMap<K, usize>>>,
    of_each: usize,
}

/// One of the places of its holder, given back when it is dropped.
pub(crate) struct Place<K: Eq + Hash + Copy> {
    places: Arc<Mutex<HashMap<K, usize>>>,
    holder: K,
}

impl<K: Eq + Hash + Copy> Places<K> {
    /// So many for each.
    pub(super) fn of_each(of_each: usize) -> Self {
        Self {
            taken: Arc::default(),
            of_each,
        }
    }

    /// One more for this one, unless it has all of its places.
    pub(super) fn take(&self, holder: K) -> Option<Place<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(holder).or_default();
        if *count >= self.of_each {
            return None;
        }
        *count += 1;
        Some(Place {
            places: Arc::clone(&self.taken),
            holder,
        })
    }
}

impl<K: Eq + Hash + Copy> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.holder) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cannot_take_the_places_of_another_and_what_ends_is_given_back() {
        let places = Places::of_each(2);
        let first = places.take("a").unwrap();
        let _second = places.take("a").unwrap();
        assert!(places.take("a").is_none());
        assert!(places.take("b").is_some());
        drop(first);
        assert!(places.take("a").is_some());
    }
}
