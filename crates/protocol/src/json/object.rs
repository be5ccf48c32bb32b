//! JSON objects: pairs in the order they were written, each key once.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Serialize, Serializer};

use super::Json;

/// Objects of up to this many keys are searched for duplicates pair by pair; larger ones through a
/// hash table, or a hostile object would cost the square of its size.
const PAIRWISE_KEYS_MAX: usize = 24;

/// A JSON object: keys in the order they were written, each once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// An object without keys.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Makes an object of pairs. Of several values for one key the last is kept, in the first's place.
    pub fn from_pairs(mut pairs: Vec<(Cow<'a, str>, Json<'a>)>) -> Self {
        if pairs.len() <= PAIRWISE_KEYS_MAX {
            let has_duplicates =
                (1..pairs.len()).any(|i| pairs[..i].iter().any(|pair| pair.0 == pairs[i].0));
            if !has_duplicates {
                return Self(pairs);
            }
        }
        let mut places: HashMap<Cow<'a, str>, usize> = HashMap::with_capacity(pairs.len());
        let mut unique: Vec<(Cow<'a, str>, Json<'a>)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs.drain(..) {
            if let Some(&place) = places.get(&key) {
                unique[place].1 = value;
            } else {
                places.insert(key.clone(), unique.len());
                unique.push((key, value));
            }
        }
        Self(unique)
    }

    /// How many keys there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no keys.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.0.iter().find(|pair| pair.0 == key).map(|pair| &pair.1)
    }

    /// The value under `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        let pair = self.0.iter_mut().find(|pair| pair.0 == key)?;
        Some(&mut pair.1)
    }

    /// Takes the value under `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        let place = self.0.iter().position(|pair| pair.0 == key)?;
        Some(self.0.remove(place).1)
    }

    /// Sets the value under `key`, in its place or at the end.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: Json<'a>) {
        let key = key.into();
        match self.get_mut(&key) {
            Some(place) => *place = value,
            None => self.0.push((key, value)),
        }
    }

    /// Keeps the pairs of which `keep` is true; it may change the values.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Json<'a>) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// Keeps the first `len` pairs.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// The pairs, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Json<'a>)> + DoubleEndedIterator {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// The pairs, in order, values to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Json<'a>)> {
        self.0.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// The values, in order, to be changed.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut Json<'a>> {
        self.0.iter_mut().map(|pair| &mut pair.1)
    }

    /// A copy that borrows nothing.
    pub fn into_owned(self) -> Object<'static> {
        let owned = |(key, value): (Cow<'a, str>, Json<'a>)| {
            (Cow::Owned(key.into_owned()), value.into_owned())
        };
        Object(self.0.into_iter().map(owned).collect())
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Json<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
