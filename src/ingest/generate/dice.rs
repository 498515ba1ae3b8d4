//! Chance that repeats: every thing of the city has a stream of numbers of its own, named by seed, kind and
//! number, so that any of them can be made alone, in any order, on any thread, and comes out the same.
//!
//! Numbers are drawn with the arithmetic below and not with a distribution of a library, whose next version
//! could draw others: the same seed is the same city for ever. No floating point for the same reason.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Choices in laying out the sites.
    Layout = 1,
    /// Households per home of a site.
    Homes = 2,
    /// One household with its members.
    Household = 3,
    /// What was registered about a household.
    Events = 4,
    /// Owners of one unit.
    Unit = 5,
    /// One lot.
    Lot = 6,
    /// Owners of one lot.
    LotOwners = 7,
    /// A site's permits and what was checked of it.
    Permit = 8,
    /// A site's premises under control.
    Premises = 9,
    /// One premises' inspections.
    Inspections = 10,
    /// One published sale.
    Sale = 11,
    /// One zoning polygon.
    Zone = 12,
    /// One unit's register entry.
    Register = 13,
}

/// A stream of numbers.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one thing.
    pub fn new(seed: u64, kind: Kind, number: u64) -> Dice {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = kind as u8;
        key[16..].copy_from_slice(b"cityquery/city/1");
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(number);
        Dice(stream)
    }

    /// A number below `n`, which is not 0; the bias of one in 2³² / n does not matter here.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1).unsigned_abs()) as i32
    }

    /// True `permille` times in a thousand.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < permille
    }

    /// One of them; they are not empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u32) as usize]
    }

    /// One of them, by weight; the weights are not all 0.
    pub fn weighted<T: Copy>(&mut self, from: &[(u32, T)]) -> T {
        let total: u32 = from.iter().map(|(weight, _)| weight).sum();
        let mut at = self.below(total);
        for (weight, thing) in from {
            if at < *weight {
                return *thing;
            }
            at -= weight;
        }
        from[from.len() - 1].1
    }
}
