//! The guard: who asks, under which rights, and what may be used of each field. Pure: no I/O.
