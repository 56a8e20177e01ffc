//! TLS over a connection: rustls, with cryptography that needs no C compiler to build.

use std::net::TcpStream;

/// An encrypted connection to `host`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn connect(host: &str, stream: TcpStream) -> Result<Box<dyn crate::fetch::connection::Connection>, String> {
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
    use std::sync::Arc;

    if !supported() {
        return Err(UNSUPPORTED.into());
    }
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls_graviola::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|e| e.to_string())?;
    let connection = ClientConnection::new(Arc::new(config), name).map_err(|e| e.to_string())?;
    Ok(Box::new(StreamOwned::new(connection, stream)))
}

/// On other processors there is no encryption.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn connect(_: &str, _: TcpStream) -> Result<Box<dyn crate::fetch::connection::Connection>, String> {
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
