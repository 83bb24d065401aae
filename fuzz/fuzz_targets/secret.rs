//! Any bytes as the data of a credentials Secret. The plain tests (`properties`) walk the same function over its corpus.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ack_operator::ack::fuzz::secret(bytes));
