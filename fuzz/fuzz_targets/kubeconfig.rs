//! Any bytes as a kubeconfig of ACK. The plain tests (`properties`) walk the same function over its corpus.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ack_operator::pass::fuzz::kubeconfig(bytes));
