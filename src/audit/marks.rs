//! The small frames around the records: a segment's header and end, blobs, and answers that were withheld.

use minicbor::{Decode, Encode};

/// Version of the format that this program writes.
pub const FORMAT: u8 = 1;

/// First frame of a segment. Keys from 16 on are kept free for the Merkle log: tree size and root at the
/// start, key of the node, last checkpoint of the segment before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SegmentHeader {
    /// [`FORMAT`]
    #[n(0)]
    pub format: u8,
    /// Name of the node that writes.
    #[n(1)]
    pub node: String,
    /// Number of the segment, from 1.
    #[n(2)]
    pub segment: u64,
    /// When it came into use, microseconds since 1970 UTC.
    #[n(3)]
    pub created_us: i64,
    /// Hash of the declarations, for records that do not name another.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub schema_hash: [u8; 32],
    /// Version of the program.
    #[n(5)]
    pub program: String,
}

/// A document or an encoded shape, before the first record of the segment that refers to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlobMark<'a> {
    /// SHA-256 of the content.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub hash: [u8; 32],
    /// The content.
    #[cbor(b(1), with = "minicbor::bytes")]
    pub bytes: &'a [u8],
}

/// The record stands, but its answer did not leave.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Withheld {
    /// Id of the record.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub record: [u8; 16],
    /// Number of the record's frame.
    #[n(1)]
    pub seq: u64,
    /// Why.
    #[n(2)]
    pub reason: WithheldReason,
    /// Time from submission until it was durable, or given up, in microseconds.
    #[n(3)]
    pub after_us: u64,
}

/// Why an answer did not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum WithheldReason {
    /// The record became durable after the deadline; the caller got AUDIT_UNAVAILABLE.
    #[n(0)]
    Late,
    /// The request was given up before its record was durable.
    #[n(1)]
    Abandoned,
}

/// Last frame of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct End {
    /// Why it ended.
    #[n(0)]
    pub reason: EndReason,
    /// When.
    #[n(1)]
    pub at_us: i64,
    /// After a crash: records from this frame number on were durable, but whether their answers left is not known.
    #[n(2)]
    pub unconfirmed_from: Option<u64>,
    /// Bytes of a batch that was never finished, cut off behind the last frame.
    #[n(3)]
    pub torn_bytes: u64,
    /// Bytes between whole frames that are no frames: altered after they were durable.
    #[n(4)]
    pub damaged_bytes: u64,
}

/// Why a segment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EndReason {
    /// The program stopped in order.
    #[n(0)]
    Closed,
    /// The next segment took over.
    #[n(1)]
    Full,
    /// The program had stopped without closing it; ended at the next start.
    #[n(2)]
    Recovered,
}
