//! Any bytes as a spec that becomes a request body. The plain tests (`properties`) walk the same function over its corpus.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ack_operator::api::fuzz::body(bytes));
