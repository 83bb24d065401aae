//! The judgement of ack-operator, and what feeds it. A crate of its own, so that the compiler holds what it is: it has no
//! client, no clock, no runtime and no randomness to reach for, and its proof builds in seconds.
//!
//! * [`terms`]: the words that every room shares.
//! * [`decide`]: a View in, one Step out.
//! * [`sight`]: what was read in, what `decide` is given out.

#![forbid(unsafe_code)]

pub mod decide;
pub mod sight;
pub mod terms;
