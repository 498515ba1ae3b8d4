//! A synthetic city: whole, consistent, the same for a seed on every database. It stands in for data that nobody
//! may publish; names of places and zones are real, all persons and firms are made up and every row says so.
//!
//! `layout` places the sites once; after that every row is made from the number of its site, household or lot,
//! so the datasets are filled at the same time, each by itself, with little memory. Storing is left to
//! `store::bulk`.

mod building;
mod checks;
mod city;
mod day;
mod dice;
mod family;
mod fire;
mod floors;
mod household;
mod land;
mod layout;
mod lot;
mod names;
pub mod notable;
mod owners;
mod people;
mod premises;
mod register;
mod run;
mod sales;
mod shared;
mod site;
mod upkeep;
mod zone;
mod zoning;

pub use run::{GenerateError, Options, Progress, Quiet, Summary, run};

/// Size of the city: 1.0 is all of Taipei.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale(f64);

/// Called after each site with 1, for progress.
type Step<'a> = &'a mut dyn FnMut(u64);

impl Scale {
    /// A scale above 0 and up to 2: beyond it the city would run out of national ids.
    pub fn new(scale: f64) -> Option<Scale> {
        (scale > 0.0 && scale <= 2.0).then_some(Scale(scale))
    }

    /// The factor.
    fn factor(self) -> f64 {
        self.0
    }

    /// That share of a count.
    fn of(self, count: u64) -> u64 {
        (count as f64 * self.0).round() as u64
    }
}

/// Texts of a row, kept between rows so that they are not allocated for each.
#[derive(Default)]
struct Filler {
    texts: [String; 8],
}

impl Filler {
    /// That many empty texts, at most eight.
    fn texts<const N: usize>(&mut self) -> [&mut String; N] {
        self.texts.iter_mut().for_each(String::clear);
        let mut texts = self.texts.iter_mut();
        // Every caller asks for a handful, known when compiled.
        std::array::from_fn(|_| texts.next().unwrap_or_else(|| unreachable!("a row needs at most eight texts")))
    }
}
