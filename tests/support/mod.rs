//! What the tests over real databases share. What a test asks of them is its own.

pub mod app;
pub mod ask;
pub mod ask_text;
pub mod caller;
pub mod city;
pub mod databases;
pub mod dice;
pub mod digest;
pub mod disk;
pub mod gate;
pub mod grants;
pub mod hall;
pub mod hall_steps;
pub mod importing;
pub mod naive;
pub mod plots;
pub mod postgres;
pub mod predicate;
pub mod real_data;
pub mod recorder;
pub mod socket;
pub mod tls_server;
pub mod trial;

pub use app::{Answer, TestApp};
pub use databases::{Databases, Layout};
