//! Any bytes as any answer of ACK. The plain tests (`properties`) walk the same function over the samples.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ack_operator::ack::fuzz::answer(bytes));
