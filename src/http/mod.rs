//! Router, authentication, the GraphQL handler, playground, health and errors over axum.

pub mod playground;
