//! The judgement and its words, and nothing else of the operator.

pub mod decide;
pub mod terms;
