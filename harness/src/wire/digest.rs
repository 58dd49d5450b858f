//! Fingerprints, so that millions of rows are compared without being kept.

use std::hash::{DefaultHasher, Hash, Hasher};

/// 128 bits: two unequal values among many millions do not meet by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(u128);

impl Digest {
    pub fn of(value: &(impl Hash + ?Sized)) -> Self {
        Self((u128::from(salted(1, value)) << 64) | u128::from(salted(2, value)))
    }
}

fn salted(salt: u8, value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    value.hash(&mut hasher);
    hasher.finish()
}
