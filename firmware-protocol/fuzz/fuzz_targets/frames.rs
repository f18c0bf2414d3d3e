//! No bytes on a serial line crash the decoder of frames, and what it takes is written back the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::frames::run(data));
