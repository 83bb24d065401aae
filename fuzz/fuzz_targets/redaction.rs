//! Any bytes as a secret and a text that holds it. The plain tests (`properties`) walk the same function over its corpus.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ack_operator::ack::fuzz::redaction(bytes));
