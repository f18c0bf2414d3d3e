//! No payload of a device crashes the reader of messages, whatever its topic.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::mqtt::run(data));
