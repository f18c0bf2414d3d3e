//! Whatever bytes come, the C reference and the crate make the same of them, and neither crashes.
#![no_main]

unsafe extern "C" {
    fn gh_fuzz(data: *const u8, length: usize, out: *mut u8, capacity: usize) -> usize;
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut out = vec![0; 1 << 18];
    let made = unsafe { gh_fuzz(data.as_ptr(), data.len(), out.as_mut_ptr(), out.len()) };
    out.truncate(made);
    assert_eq!(out, fuzzed::transcript::of(data));
});
