//! The numbers behind `/metrics`: what was answered, how long it took, how the audit log does. Nothing in them names a
//! person, an agency or a field. Serving them is left to `health`.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::access::Code;
use crate::audit::state::Numbers as Audit;

/// Bounds of the histogram, in seconds.
const BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 10.0];

/// How an operation ended: `OK`, or the code of its first error.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Ended {
    code: &'static str,
}

/// The numbers since the start.
pub struct Numbers {
    registry: Registry,
    operations: Family<Ended, Counter>,
    seconds: Histogram,
    audit_ready: Gauge,
    audit_queued: Gauge,
    audit: [Gauge; 4],
}

impl Default for Numbers {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("cityquery");
        let (operations, seconds) = (Family::default(), Histogram::new(BOUNDS));
        registry.register("graphql_operations", "Operations by how they ended", Family::clone(&operations));
        let what = "Time of an operation, its durable record included";
        registry.register_with_unit("graphql_operation", what, Unit::Seconds, seconds.clone());
        let mut gauge = |name: &str, what: &str| {
            let gauge = Gauge::default();
            registry.register(name, what, gauge.clone());
            gauge
        };
        let audit_ready = gauge("audit_ready", "1 when records can be made");
        let audit_queued = gauge("audit_queued_bytes", "Records that wait for the disk");
        let audit = [
            gauge("audit_records", "Records made durable since the start"),
            gauge("audit_batches", "Syncs of the audit log since the start"),
            gauge("audit_bytes", "Bytes of the audit log since the start"),
            gauge("audit_withheld", "Records whose answer was withheld since the start"),
        ];
        Numbers { registry, operations, seconds, audit_ready, audit_queued, audit }
    }
}

impl Numbers {
    /// An operation was answered or refused.
    pub fn answered(&self, first_error: Option<Code>, took: Duration) {
        let code = first_error.map_or("OK", Code::word);
        self.operations.get_or_create(&Ended { code }).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Everything in Prometheus' text format.
    pub fn text(&self, audit: &Audit, is_ready: bool) -> Result<String, fmt::Error> {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.audit_ready.set(is_ready.into());
        self.audit_queued.set(whole(audit.queued));
        let numbers = [audit.records, audit.batches, audit.bytes, audit.withheld];
        for (gauge, number) in self.audit.iter().zip(numbers) {
            gauge.set(whole(number));
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
