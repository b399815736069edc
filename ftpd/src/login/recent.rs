//! A table of bounded size that forgets what was used least recently.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// At most `capacity` entries; one more takes the place of the one that was longest not used.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    capacity: usize,
    entries: HashMap<K, Remembered<V>>,
    /// Keys by the time of their last use.
    order: BTreeMap<u64, K>,
    uses: u64,
}

#[derive(Debug)]
struct Remembered<V> {
    used: u64,
    value: V,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, entries: HashMap::new(), order: BTreeMap::new(), uses: 0 }
    }

    /// Looks at a value, which is not a use.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Looks at a value to change it, which is not a use.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Uses a value, which is made if it is not there.
    pub(super) fn entry(&mut self, key: K, fresh: impl FnOnce() -> V) -> &mut V {
        match self.entries.get(&key) {
            Some(entry) => drop(self.order.remove(&entry.used)),
            None if self.entries.len() >= self.capacity => {
                if let Some((_, oldest)) = self.order.pop_first() {
                    self.entries.remove(&oldest);
                }
            }
            None => {}
        }
        self.uses += 1;
        self.order.insert(self.uses, key.clone());
        let entry = self.entries.entry(key).or_insert_with(|| Remembered { used: 0, value: fresh() });
        entry.used = self.uses;
        &mut entry.value
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list that is searched: last used at its end.
        #[test]
        fn the_least_recently_used_entry_makes_way(keys in prop::collection::vec(0..6_u8, 0..60)) {
            let (mut table, mut model) = (Recent::new(3), Vec::new());
            for key in keys {
                *table.entry(key, || 0) += 1;
                let before = model.iter().position(|(known, _)| *known == key).map(|at| model.remove(at));
                model.push((key, before.map_or(0, |(_, count)| count) + 1));
                if model.len() > 3 {
                    model.remove(0);
                }
                for key in 0..6 {
                    let expected = model.iter().find(|(known, _)| *known == key).map(|(_, count)| count);
                    prop_assert_eq!(table.get(&key), expected);
                }
                prop_assert_eq!((table.entries.len(), table.order.len()), (model.len(), model.len()));
            }
        }
    }
}
