//! Downloads from a server in this process that breaks connections, lies and changes its mind.

use crate::fetch::*;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

#[derive(Default)]
struct Quiet {
    notes: Vec<String>,
    last: Option<DownloadProgress>,
    stop_after: Option<u64>,
}

impl FetchObserver for Quiet {
    fn progress(&mut self, _: &str, progress: DownloadProgress) {
        self.last = Some(progress);
    }
    fn note(&mut self, text: &str) {
        self.notes.push(text.into());
    }
    fn cancelled(&self) -> bool {
        self.stop_after.zip(self.last).is_some_and(|(stop, last)| last.done >= stop)
    }
}

/// Makes one answer of the server, of what was asked.
type Answer = Box<dyn Fn(&Asked) -> Vec<u8> + Send>;

/// A server that answers each request with the next of `answers`, given the request's range and tag; gives
/// its address and what was asked.
fn serve(answers: Vec<Answer>) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/file.bin", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let asked = ask(&stream);
            let bytes = answer(&asked);
            let _ = sender.send(asked);
            let _ = (&stream).write_all(&bytes);
            // Closing with the answer unfinished is the broken connection.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    });
    (address, receiver)
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Asked {
    from: Option<usize>,
    if_range: Option<String>,
}

fn ask(stream: &TcpStream) -> Asked {
    let mut asked = Asked::default();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        let lower = line.to_lowercase();
        if let Some(range) = lower.strip_prefix("range: bytes=") {
            asked.from = range.trim_end_matches('-').parse().ok();
        }
        if lower.starts_with("if-range: ") {
            asked.if_range = Some(line["if-range: ".len()..].into());
        }
        if line.is_empty() {
            break;
        }
    }
    asked
}

fn content() -> Vec<u8> {
    (0..200_000u64).map(|i| (i * i / 7) as u8).collect()
}

/// All of it, but only the first `sent` bytes are sent.
fn whole(tag: &str, sent: usize) -> Vec<u8> {
    let body = content();
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: {tag}\r\n\r\n", body.len()).into_bytes();
    answer.extend(&body[..sent]);
    answer
}

/// From a byte on.
fn rest(from: usize) -> Vec<u8> {
    let body = content();
    let (size, left) = (body.len(), body.len() - from);
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {left}\r\nContent-Range: bytes {from}-{}/{size}\r\n\r\n",
        size - 1
    );
    [head.into_bytes(), body[from..].to_vec()].concat()
}

fn source(url: &str) -> PublishedFile {
    PublishedFile {
        url: String::leak(url.to_owned()),
        file: "file.bin",
        bytes: Some(200_000),
        checksum: Checksum::Unknown,
        unpack: Unpack::No,
    }
}

fn client() -> Client {
    Client::new(Duration::ZERO)
}

#[test]
fn a_broken_connection_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let (url, asked) = serve(vec![Box::new(|_| whole("\"v1\"", 70_000)), Box::new(|asked| rest(asked.from.unwrap()))]);
    let mut watch = Quiet::default();
    let done = fetch(&client(), &source(&url), dir.path(), &mut watch).unwrap();
    assert_eq!(done, FetchOutcome::Downloaded);
    assert_eq!(std::fs::read(dir.path().join("file.bin")).unwrap(), content());
    assert_eq!(asked.recv().unwrap(), Asked::default());
    assert_eq!(asked.recv().unwrap(), Asked { from: Some(70_000), if_range: Some("\"v1\"".into()) });
    assert_eq!(watch.last, Some(DownloadProgress { done: 200_000, total: Some(200_000) }));
    assert!(
        matches!(&watch.notes[..], [from, again] if from.contains(&url) && again.contains("trying again")),
        "{:?}",
        watch.notes
    );
    // Nothing but the file is left, and it is not fetched again: the server is gone.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(fetch(&client(), &source(&url), dir.path(), &mut watch).unwrap(), FetchOutcome::Present);
}

#[test]
fn a_stopped_download_goes_on_in_another_process_and_servers_without_ranges_start_over() {
    let dir = tempfile::tempdir().unwrap();
    let (url, _asked) = serve(vec![Box::new(|_| whole("\"v1\"", 200_000)), Box::new(|_| whole("\"v2\"", 200_000))]);
    let mut watch = Quiet { stop_after: Some(50_000), ..Quiet::default() };
    let error = fetch(&client(), &source(&url), dir.path(), &mut watch).unwrap_err();
    assert!(matches!(error, FetchError::Interrupted));
    let kept = std::fs::metadata(dir.path().join("file.bin.part")).unwrap().len();
    assert!((50_000..200_000).contains(&kept), "{kept}");
    // The second answer is the whole file again, of another version.
    fetch(&client(), &source(&url), dir.path(), &mut Quiet::default()).unwrap();
    assert_eq!(std::fs::read(dir.path().join("file.bin")).unwrap(), content());
}

/// The first part of a file that has changed by the time the connection is made again.
#[test]
fn a_changed_file_is_not_glued_to_an_old_part() {
    let old = |head: &str| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n{head}\r\n");
        [head.into_bytes(), vec![0xee; 70_000]].concat()
    };
    let dated = "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    // A tag, a time where the tag is weak, and neither: what is asked for besides the file.
    let cases = [
        ("ETag: \"v1\"\r\n".to_owned(), Some(70_000), Some("\"v1\"")),
        (format!("ETag: W/\"v1\"\r\n{dated}"), Some(70_000), Some("Wed, 21 Oct 2015 07:28:00 GMT")),
        (String::new(), None, None),
    ];
    for (head, from, if_range) in cases {
        let dir = tempfile::tempdir().unwrap();
        // As the standard has it: of another version all is sent, whatever part was asked for.
        let (url, asked) = serve(vec![Box::new(move |_| old(&head)), Box::new(|_| whole("\"v2\"", 200_000))]);
        fetch(&client(), &source(&url), dir.path(), &mut Quiet::default()).unwrap();
        assert!(std::fs::read(dir.path().join("file.bin")).unwrap() == content(), "{if_range:?}: parts were mixed");
        let _first = asked.recv().unwrap();
        assert_eq!(asked.recv().unwrap(), Asked { from, if_range: if_range.map(str::to_owned) });
    }
}

/// A second break, after an answer with a part that said nothing of the version.
#[test]
fn the_version_is_remembered_over_several_breaks() {
    let dir = tempfile::tempdir().unwrap();
    let (url, asked) = serve(vec![
        Box::new(|_| whole("\"v1\"", 70_000)),
        Box::new(|asked| rest(asked.from.unwrap())[..50_000].to_vec()),
        Box::new(|asked| rest(asked.from.unwrap())),
    ]);
    fetch(&client(), &source(&url), dir.path(), &mut Quiet::default()).unwrap();
    assert_eq!(std::fs::read(dir.path().join("file.bin")).unwrap(), content());
    let tags: Vec<_> = (0..3).map(|_| asked.recv().unwrap().if_range).collect();
    assert_eq!(tags, [None, Some("\"v1\"".into()), Some("\"v1\"".into())]);
}

#[test]
fn a_server_that_keeps_breaking_is_given_up_and_refusals_are_final() {
    let dir = tempfile::tempdir().unwrap();
    let (url, _asked) = serve((0..5).map(|_| Box::new(|_: &Asked| Vec::new()) as _).collect());
    let error = fetch(&client(), &source(&url), dir.path(), &mut Quiet::default()).unwrap_err();
    assert!(matches!(error, FetchError::Connection { .. }), "{error}");
    let (url, _asked) = serve(vec![Box::new(|_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec())]);
    let error = fetch(&client(), &source(&url), dir.path(), &mut Quiet::default()).unwrap_err();
    assert!(matches!(error, FetchError::Status { status: 404, .. }), "{error}");
}

#[test]
fn answers_that_are_no_http_and_addresses_that_are_none_are_errors_with_the_address() {
    let dir = tempfile::tempdir().unwrap();
    let fetched = |url: &str| {
        let client = client().with_retries(0);
        fetch(&client, &source(url), dir.path(), &mut Quiet::default()).unwrap_err().to_string()
    };
    let answers: [Vec<u8>; 4] = [
        b"SSH-2.0-OpenSSH\r\n".to_vec(),
        vec![b'a'; 1 << 17],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2".to_vec(),
    ];
    for answer in answers {
        let (url, _asked) = serve(vec![Box::new(move |_| answer.clone())]);
        let error = fetched(&url);
        assert!(error.starts_with(&url), "{error}");
    }
    for url in ["ftp://x/y", "http://", "http://x:port/", "http://x/a b", "nothing"] {
        assert!(fetched(url).starts_with(url), "{url}");
    }
}

#[test]
fn bodies_in_chunks_and_to_the_end_of_the_connection_are_read_and_redirects_are_followed() {
    let whole = content();
    let chunked = [&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..], &to_chunks(&whole)].concat();
    let to_end = [&b"HTTP/1.0 200 OK\r\n\r\n"[..], &whole].concat();
    for answer in [chunked, to_end] {
        let dir = tempfile::tempdir().unwrap();
        let moved = b"HTTP/1.1 302 Found\r\nLocation: other.bin\r\nContent-Length: 0\r\n\r\n".to_vec();
        let (url, _asked) = serve(vec![Box::new(move |_| moved.clone()), Box::new(move |_| answer.clone())]);
        fetch(&client(), &source(&url), dir.path(), &mut Quiet::default()).unwrap();
        assert!(std::fs::read(dir.path().join("file.bin")).unwrap() == whole);
    }
    let dir = tempfile::tempdir().unwrap();
    let moved =
        || -> Answer { Box::new(|_| b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n".to_vec()) };
    // Enough for several attempts: a connection may break while it is closed.
    let (url, _asked) = serve((0..200).map(|_| moved()).collect());
    let error = fetch(&client(), &source(&url), dir.path(), &mut Quiet::default()).unwrap_err().to_string();
    assert!(error.ends_with("redirects more than 10 times"), "{error}");
}

/// A server that answers without encryption where it is expected, and one that has no certificate.
#[test]
fn an_encrypted_address_is_not_read_without_encryption() {
    let dir = tempfile::tempdir().unwrap();
    let client = client().with_retries(0);
    // The alert of a server that refuses the handshake.
    for answer in [whole("\"v\"", 200_000), b"\x15\x03\x03\0\x02\x02\x28".to_vec()] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/file.bin", listener.local_addr().unwrap().port());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // The first message of a handshake.
            let mut hello = [0; 5];
            std::io::Read::read_exact(&mut stream, &mut hello).unwrap();
            assert_eq!(hello[0], 22);
            let _ = stream.write_all(&answer);
        });
        let error = fetch(&client, &source(&url), dir.path(), &mut Quiet::default()).unwrap_err().to_string();
        assert!(error.starts_with(&url), "{error}");
        assert!(!dir.path().join("file.bin").exists());
    }
}

fn to_chunks(bytes: &[u8]) -> Vec<u8> {
    let chunk = |part: &[u8]| [format!("{:x};x=y\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
    bytes.chunks(7000).map(chunk).chain([b"0\r\n\r\n".to_vec()]).flatten().collect()
}

/// A proxy that is asked for a tunnel and answers for the server.
#[test]
fn a_proxy_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
        let first = lines.next().unwrap();
        lines.find(|line| line.is_empty()).unwrap();
        (&stream).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        lines.find(|line| line.is_empty()).unwrap();
        (&stream).write_all(&whole("\"v\"", 200_000)).unwrap();
        first
    });
    let client = client().with_proxy(&proxy);
    fetch(&client, &source("http://nowhere.invalid/file.bin"), dir.path(), &mut Quiet::default()).unwrap();
    assert_eq!(asked.join().unwrap(), "CONNECT nowhere.invalid:80 HTTP/1.1");
}

#[test]
fn wrong_sizes_and_checksums_are_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (url, _asked) = serve((0..3).map(|_| Box::new(|_: &Asked| whole("\"v\"", 200_000)) as _).collect());
    let wrong = PublishedFile { bytes: Some(7), ..source(&url) };
    let error = fetch(&client(), &wrong, dir.path(), &mut Quiet::default()).unwrap_err();
    assert!(matches!(error, FetchError::Size { found: 200_000, expected: 7, .. }), "{error}");
    assert!(dir.path().join("file.bin.bad").exists() && !dir.path().join("file.bin").exists());
    let wrong = PublishedFile { checksum: Checksum::Sha256("00"), ..source(&url) };
    assert!(matches!(fetch(&client(), &wrong, dir.path(), &mut Quiet::default()), Err(FetchError::Checksum { .. })));
    // md5sum of the content.
    let right = PublishedFile { checksum: Checksum::Md5(MD5), ..source(&url) };
    fetch(&client(), &right, dir.path(), &mut Quiet::default()).unwrap();
}

/// `md5sum` of [`content`].
const MD5: &str = "6571e841af7e6939e2b57b8037087480";

fn tar_with(name: &str, body: &[u8], kind: tar::EntryType) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    // Set as bytes: the library itself would refuse such a name.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_size(body.len() as u64);
    header.set_mode(0o644);
    header.set_entry_type(kind);
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend(body);
    out.resize(out.len().next_multiple_of(512) + 1024, 0);
    out
}

#[test]
fn archives_stay_in_their_folder() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("in");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("a.tar");
    let try_tar = |name: &str, kind| {
        std::fs::write(&path, tar_with(name, b"hi", kind)).unwrap();
        unpack::unpack(Unpack::Tar, &path, &folder, &mut Quiet::default())
    };
    try_tar("./sub/x.txt", tar::EntryType::Regular).unwrap();
    assert_eq!(std::fs::read(folder.join("sub/x.txt")).unwrap(), b"hi");
    for name in ["../evil.txt", "sub/../../evil.txt", "/tmp/evil.txt"] {
        let error = try_tar(name, tar::EntryType::Regular).unwrap_err().to_string();
        assert!(error.ends_with(&format!("its entry `{name}` is outside the folder")), "{error}");
    }
    assert!(try_tar("link", tar::EntryType::Symlink).is_err());
    assert!(!outer.path().join("evil.txt").exists());

    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["ok/y.txt", "../evil.txt"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"yo").unwrap();
    }
    let path = folder.join("a.zip");
    std::fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
    let error = unpack::unpack(Unpack::Zip, &path, &folder, &mut Quiet::default()).unwrap_err().to_string();
    assert!(error.contains("outside"), "{error}");
    assert_eq!(std::fs::read(folder.join("ok/y.txt")).unwrap(), b"yo");
    assert!(!outer.path().join("evil.txt").exists());
}

proptest::proptest! {
    #![proptest_config(dashnas_testing::cases(64))]

    /// Whatever an archive holds, unpacking it returns, and writes nothing outside its folder.
    #[test]
    fn damaged_archives(
        changes in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), 0u8..), 0..6),
        cut in proptest::prelude::any::<Option<proptest::sample::Index>>(),
    ) {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("a/../b", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&[7; 300]).unwrap();
        let tar = tar_with("./sub/../x.txt", b"hi", tar::EntryType::Regular);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&tar).unwrap();
        let archives = [
            (Unpack::Zip, zip.finish().unwrap().into_inner()),
            (Unpack::TarGz, packed.finish().unwrap()),
            (Unpack::Tar, tar),
        ];
        for (kind, mut bytes) in archives {
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let outer = tempfile::tempdir().unwrap();
            let folder = outer.path().join("in");
            std::fs::create_dir(&folder).unwrap();
            let path = folder.join("archive");
            std::fs::write(&path, bytes).unwrap();
            let _ = unpack::unpack(kind, &path, &folder, &mut Quiet::default());
            assert_eq!(std::fs::read_dir(outer.path()).unwrap().count(), 1);
        }
    }
}
