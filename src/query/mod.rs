//! From what is asked to what is answered: uses, plan, SQL, load, write. Deciding is left to `access`.

pub mod ask;
mod condition;
pub mod cost;
pub mod family;
pub mod load;
mod looked_for;
pub mod page;
pub mod plan;
pub mod planner;
mod planner_join;
mod planner_list;
mod planner_object;
pub mod resolve;
pub mod run;
mod shape_of;
pub mod slot;
mod sql;
pub mod unreadable;
pub mod uses;
mod window;
pub mod write;
