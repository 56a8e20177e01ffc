//! TLS: rustls, with cryptography that needs no C compiler to build.

use ureq::tls::TlsConfig;

/// The settings of encrypted connections.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn config() -> Result<TlsConfig, String> {
    use std::sync::Arc;
    use ureq::tls::{RootCerts, TlsProvider};

    if !supported() {
        return Err(UNSUPPORTED.into());
    }
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::WebPki)
        .unversioned_rustls_crypto_provider(Arc::new(rustls_graviola::default_provider()))
        .build())
}

/// On other processors there is no encryption.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn config() -> Result<TlsConfig, String> {
    Err(UNSUPPORTED.into())
}

/// The error on processors without encryption.
const UNSUPPORTED: &str = "HTTPS is not supported on this processor; download the file by other means";

/// Whether the processor has the instructions that the cryptography uses without checking for them.
#[cfg(target_arch = "x86_64")]
fn supported() -> bool {
    is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("adx")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("ssse3")
}

/// Whether the processor has the instructions that the cryptography uses without checking for them.
#[cfg(target_arch = "aarch64")]
fn supported() -> bool {
    use std::arch::is_aarch64_feature_detected as has;
    has!("neon") && has!("aes") && has!("pmull") && has!("sha2")
}
