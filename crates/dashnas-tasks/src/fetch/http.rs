//! HTTP requests by `ureq`, as downloads need them.

use crate::fetch::tls;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body, Error, Proxy};

/// The most redirects that are followed.
const REDIRECTS: u32 = 10;
/// The most bytes of the head of a response.
const HEAD: usize = 64 << 10;

/// The failure to get a response.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another attempt may succeed.
    Broken(String),
    /// Another attempt would fail as well.
    Final(String),
}

/// Requests a URL with additional headers. No wait is longer than `timeout`. Without a `proxy`, the one that the
/// environment names is used.
pub(super) fn get(
    url: &str,
    headers: &[(&str, String)],
    timeout: Duration,
    proxy: Option<&str>,
) -> Result<Response<Body>, Failure> {
    let secure = url.starts_with("https://");
    if !secure && !url.starts_with("http://") {
        return Err(Failure::Final(format!("`{}` is not an address of a file on the web", url.escape_debug())));
    }
    let tls = tls::config();
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        // An encrypted address does not lead to one that is not.
        .https_only(secure)
        .max_redirects(REDIRECTS)
        .max_response_header_size(HEAD)
        .user_agent(concat!("dashnas/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(timeout))
        .timeout_connect(Some(timeout))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout))
        .timeout_per_write(Some(timeout));
    match tls {
        Ok(tls) => config = config.tls_config(tls),
        Err(reason) if secure => return Err(Failure::Final(reason)),
        // A redirect could lead to an encrypted address.
        Err(_) => config = config.max_redirects(0).max_redirects_will_error(false),
    }
    if let Some(proxy) = proxy {
        config = config.proxy(Some(Proxy::new(proxy).map_err(|e| Failure::Final(e.to_string()))?));
    }
    let mut request = Agent::new_with_config(config.build()).get(url);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.call().map_err(failure)
}

/// Whether another attempt may succeed.
fn failure(error: Error) -> Failure {
    match error {
        Error::RequireHttpsOnly(to) => Failure::Final(format!("the server redirects to {to}, which is not encrypted")),
        Error::TooManyRedirects => Failure::Final(format!("the server redirects more than {REDIRECTS} times")),
        Error::BadUri(_) | Error::Http(_) | Error::InvalidProxyUrl | Error::LargeResponseHeader(..) => {
            Failure::Final(error.to_string())
        }
        error => Failure::Broken(error.to_string()),
    }
}

/// A header of a response, if it is text.
pub(super) fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}
