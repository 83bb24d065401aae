//! Any bytes as any stored object. The plain tests (`properties`) walk the same function over a sample.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ack_operator::cache::fuzz::object(bytes));
