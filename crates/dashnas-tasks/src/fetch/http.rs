//! The part of HTTP/1.1 that downloads need: GET, ranges, redirects, and bodies by length, in chunks or to the end of the
//! connection. (The usual client crates would have every dependency of the tensor engine built
//! with other features.)

use crate::fetch::connection::Connection;
use crate::fetch::tls;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The most redirects that are followed.
const REDIRECTS: usize = 10;
/// The most bytes of the head of a response.
const HEAD: u64 = 64 << 10;

/// A response, from which its body is read.
pub(super) struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Response {
    /// A header of the response.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Read for Response {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

/// The failure to get a response.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another attempt may succeed.
    Broken(String),
    /// Another attempt would fail as well.
    Final(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Broken(error.to_string())
    }
}

/// Requests a URL with additional headers. No wait is longer than `timeout`.
pub(super) fn get(url: &str, headers: &[(&str, String)], timeout: Duration) -> Result<Response, Failure> {
    let mut url = Url::parse(url)?;
    for _ in 0..=REDIRECTS {
        let response = once(&url, headers, timeout)?;
        match (response.status, response.header("location")) {
            (301 | 302 | 303 | 307 | 308, Some(to)) => {
                let next = url.join(to)?;
                if url.secure && !next.secure {
                    return Err(Failure::Final(format!("the server redirects to {to}, which is not encrypted")));
                }
                url = next;
            }
            _ => return Ok(response),
        }
    }
    Err(Failure::Final(format!("the server redirects more than {REDIRECTS} times")))
}

fn once(url: &Url, headers: &[(&str, String)], timeout: Duration) -> Result<Response, Failure> {
    let mut last = io::Error::other("the name of the server cannot be resolved");
    let mut connected = None;
    for address in (url.host.as_str(), url.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => {
                connected = Some(stream);
                break;
            }
            Err(error) => last = error,
        }
    }
    let Some(stream) = connected else { return Err(last.into()) };
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    let mut stream: Box<dyn Connection> =
        if url.secure { tls::connect(&url.host, stream).map_err(Failure::Final)? } else { Box::new(stream) };
    let mut head = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: dashnas/{}\r\nAccept-Encoding: identity\r\nConnection: close\r\n",
        url.path,
        url.authority,
        env!("CARGO_PKG_VERSION"),
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes())?;
    stream.flush()?;
    answer(BufReader::with_capacity(1 << 16, stream))
}

type Stream = BufReader<Box<dyn Connection>>;

/// Reads the head of a response.
fn answer(mut stream: Stream) -> Result<Response, Failure> {
    let mut left = HEAD;
    let status = line(&mut stream, &mut left)?;
    let code = status.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    let Some(status) = code else {
        return Err(Failure::Final(format!(
            "the server does not speak HTTP/1.1; it answered `{}`",
            status.escape_debug()
        )));
    };
    let mut headers = Vec::new();
    loop {
        let line = line(&mut stream, &mut left)?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    let mut response = Response { status, headers, body: Body::ToEnd(stream) };
    let length = response.header("content-length").and_then(|n| n.parse().ok());
    let chunked = response.header("transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().contains("chunked"));
    let Body::ToEnd(stream) = response.body else { unreachable!("it was made so above") };
    response.body = match (chunked, length) {
        (true, _) => Body::Chunks { stream, left: 0, first: true },
        (false, Some(left)) => Body::Sized { stream, left },
        (false, None) => Body::ToEnd(stream),
    };
    Ok(response)
}

/// Reads a line without its end; `left` bounds the bytes of all lines.
fn line(stream: &mut Stream, left: &mut u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    let read = stream.by_ref().take(*left).read_until(b'\n', &mut bytes)?;
    *left -= read as u64;
    if bytes.pop() != Some(b'\n') {
        let kind = if *left == 0 { io::ErrorKind::InvalidData } else { io::ErrorKind::UnexpectedEof };
        return Err(io::Error::new(kind, "the response is cut off or too long"));
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The rest of a body.
enum Body {
    /// A body of known length, with the number of bytes left.
    Sized { stream: Stream, left: u64 },
    /// A body that ends with the connection.
    ToEnd(Stream),
    /// A body in chunks, with the number of bytes left of the current one.
    Chunks { stream: Stream, left: u64, first: bool },
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, "the response is cut off");
        match self {
            Body::ToEnd(stream) => stream.read(buffer),
            Body::Sized { stream, left } => {
                let n = stream.take(*left).read(buffer)?;
                *left -= n as u64;
                if n == 0 && *left > 0 && !buffer.is_empty() { Err(broken()) } else { Ok(n) }
            }
            Body::Chunks { stream, left, first } => {
                if *left == 0 {
                    let mut limit = HEAD;
                    // The end of the line after the chunk before.
                    if !std::mem::take(first) {
                        line(stream, &mut limit)?;
                    }
                    let head = line(stream, &mut limit)?;
                    let size = head.split(';').next().unwrap_or("").trim();
                    *left = u64::from_str_radix(size, 16)
                        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk has no size"))?;
                    if *left == 0 {
                        // Set so that a further read finds the end again: nothing is left to be read.
                        *self = Body::Sized { stream: BufReader::new(Box::new(io::Cursor::new(Vec::new()))), left: 0 };
                        return Ok(0);
                    }
                }
                let n = stream.take(*left).read(buffer)?;
                *left -= n as u64;
                if n == 0 && !buffer.is_empty() { Err(broken()) } else { Ok(n) }
            }
        }
    }
}

/// An absolute address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Url {
    secure: bool,
    /// Host and port as written.
    authority: String,
    host: String,
    port: u16,
    /// Path and query, from `/` on.
    path: String,
}

impl Url {
    fn parse(text: &str) -> Result<Self, Failure> {
        let bad = || Failure::Final(format!("`{}` is not an address of a file on the web", text.escape_debug()));
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(bad()),
        };
        if text.chars().any(|c| c.is_control() || c == ' ') {
            return Err(bad());
        }
        let rest = rest.split('#').next().unwrap_or(rest);
        let (authority, path) = match rest.find(['/', '?']) {
            Some(i) => rest.split_at(i),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
            None => (authority, if secure { 443 } else { 80 }),
        };
        if host.is_empty() || authority.contains('@') {
            return Err(bad());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { secure, authority: authority.into(), host: host.into(), port, path })
    }

    /// The address that a redirect leads to.
    fn join(&self, to: &str) -> Result<Self, Failure> {
        let scheme = if self.secure { "https" } else { "http" };
        if to.contains("://") {
            Self::parse(to)
        } else if let Some(rest) = to.strip_prefix("//") {
            Self::parse(&format!("{scheme}://{rest}"))
        } else if to.starts_with('/') {
            Self::parse(&format!("{scheme}://{}{to}", self.authority))
        } else {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Self::parse(&format!("{scheme}://{}{folder}/{to}", self.authority))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let stream: Box<dyn Connection> = Box::new(io::Cursor::new(bytes.to_vec()));
        let mut response = answer(BufReader::new(stream)).map_err(|e| format!("{e:?}"))?;
        let mut body = Vec::new();
        response.read_to_end(&mut body).map_err(|e| e.to_string())?;
        Ok((response.status, body))
    }

    #[test]
    fn bodies_end_as_they_say() {
        assert_eq!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), Ok((200, b"abc".to_vec())));
        assert_eq!(read(b"HTTP/1.0 200 OK\r\n\r\nabc"), Ok((200, b"abc".to_vec())));
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(read(chunks), Ok((200, b"abcde".to_vec())));
        assert!(read(&chunks[..chunks.len() - 12]).is_err(), "a chunk that breaks off");
        assert!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").is_err());
        assert!(read(b"SSH-2.0-OpenSSH\r\n").is_err());
        assert!(read(&[b'a'; 1 << 17]).is_err(), "a head without end");
    }

    #[test]
    fn addresses_and_redirects() {
        let url = Url::parse("https://example.org/a/b.npy?x=1#top").unwrap();
        assert_eq!((url.secure, url.port, url.path.as_str()), (true, 443, "/a/b.npy?x=1"));
        let to = |text: &str| {
            let url = url.join(text).unwrap();
            format!("{} {} {}", url.host, url.port, url.path)
        };
        assert_eq!(to("/c"), "example.org 443 /c");
        assert_eq!(to("c"), "example.org 443 /a/c");
        assert_eq!(to("http://other.net:81?q"), "other.net 81 /?q");
        assert_eq!(to("//other.net/d"), "other.net 443 /d");
        for bad in ["ftp://x/y", "http://", "http://user@x/", "http://x:port/", "http://x/a b", "nothing"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), chunked: bool) {
            let head = if chunked { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" } else { "" };
            let _ = read(&[head.as_bytes(), &bytes].concat());
        }
    }
}
