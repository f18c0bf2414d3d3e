//! One TLS implementation for the whole process.

/// Makes ring the cryptography of every TLS connection of this process. To be called before the
/// first; calling it again changes nothing.
pub fn install() {
    // An error says that one is installed already, which is all that is wanted.
    rustls::crypto::ring::default_provider().install_default().ok();
}
