//! Every test that goes in by the front door, as one program: linked once. A file here is a subject; what several
//! share is in `support`. `cargo nextest run accounts::` runs one file.

mod support;

mod accounts;
mod acquaintance;
mod architecture;
mod attenuation;
mod audit_cli;
mod audit_index;
mod audit_kill;
mod bad_input;
mod bad_input_documents;
mod catalog;
mod consent;
mod demo;
mod demo_walk;
mod fail_closed;
mod generate;
mod graphql;
mod graphql_left_out;
mod import_cases;
mod import_faults;
mod import_real;
mod inbox_live;
mod incidents;
mod inspection;
mod installation;
mod keep_house;
mod leaks;
mod log_secrets;
mod mail;
mod migrations;
mod passwords;
mod plans;
mod procedure;
mod procedure_forms;
mod procedure_lists;
mod procedure_rules;
mod query;
mod real_scalars;
mod record;
mod roles;
mod sixth_dataset;
mod too_large;
mod truth;
mod twins;
