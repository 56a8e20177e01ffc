//! `dashnas fetch` as a user meets it, from a mirror in this process that breaks connections and lies.

use assert_cmd::Command;
use predicates::prelude::*;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

/// `dashnas fetch TASK` into the folder `data` from a mirror, without another attempt.
fn fetch(folder: &Path, task: &str, from: &str) -> Command {
    let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
    command.current_dir(folder).args(["fetch", task, "--data-dir", "data", "--retries", "0", "--from", from]);
    command
}

/// What was asked for: the path, and the first byte of a range.
type Asked = (String, Option<usize>);

/// Makes an answer, given the first byte that was asked for.
type Answer = fn(Option<usize>) -> Vec<u8>;

/// A mirror that gives each request the next of `answers`; its address, and what was asked.
fn serve(answers: &'static [Answer]) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}/a/mirror/", listener.local_addr().expect("it listens"));
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let asked = ask(&stream);
            let bytes = answer(asked.1);
            let _ = sender.send(asked);
            let _ = stream.write_all(&bytes);
            // With an answer half sent, this is the broken connection.
            let _ = stream.shutdown(Shutdown::Both);
        }
    });
    (address, receiver)
}

fn ask(stream: &TcpStream) -> Asked {
    // All of it: what is closed with something unread is reset, and what was sent may be lost.
    let head: Vec<String> =
        BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let range = head.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    (path, range.and_then(|range| range.trim_end_matches('-').parse().ok()))
}

fn content() -> Vec<u8> {
    (0..200_000u64).map(|i| (i * i / 7) as u8).collect()
}

/// `md5sum` of it.
const MD5: &str = "6571e841af7e6939e2b57b8037087480";

fn whole(_: Option<usize>) -> Vec<u8> {
    [&b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nETag: \"1\"\r\n\r\n"[..], &content()].concat()
}

/// The head, and the first 70 000 bytes.
fn broken(from: Option<usize>) -> Vec<u8> {
    let mut answer = whole(from);
    answer.truncate(answer.len() - 130_000);
    answer
}

fn ranged(from: Option<usize>) -> Vec<u8> {
    let from = from.expect("a part is asked for");
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {from}-199999/200000\r\n\r\n",
        200_000 - from
    );
    [head.as_bytes(), &content()[from..]].concat()
}

fn missing(_: Option<usize>) -> Vec<u8> {
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec()
}

#[test]
fn a_download_that_breaks_is_gone_on_with_by_the_next_command() {
    let folder = tempfile::tempdir().unwrap();
    let (from, asked) = serve(&[broken, ranged, whole]);
    let first = fetch(folder.path(), "satellite", &from).assert().code(1).stdout("");
    first.stderr(
        predicate::str::contains(format!("satellite_train.npy from {from}satellite_train.npy"))
            .and(predicate::str::contains("the connection broke"))
            .and(predicate::str::contains("the first 70000 bytes were kept"))
            .and(predicate::str::contains("hint: check the network connection, and run the same command again")),
    );
    assert_eq!(asked.recv().unwrap(), ("/a/mirror/satellite_train.npy".into(), None));
    let data = folder.path().join("data");
    assert_eq!(fs::metadata(data.join("satellite_train.npy.part")).unwrap().len(), 70_000);

    fetch(folder.path(), "satellite", &from).assert().success().stdout("data\n");
    assert_eq!(asked.recv().unwrap(), ("/a/mirror/satellite_train.npy".into(), Some(70_000)));
    assert_eq!(asked.recv().unwrap(), ("/a/mirror/satellite_test.npy".into(), None));
    for file in ["satellite_train.npy", "satellite_test.npy"] {
        assert!(fs::read(data.join(file)).unwrap() == content(), "{file}");
    }
    assert_eq!(fs::read_dir(&data).unwrap().count(), 2, "nothing else is left");
    // The mirror is gone, but so is the need for it.
    fetch(folder.path(), "satellite", &from)
        .assert()
        .success()
        .stderr(predicate::str::contains("satellite_test.npy is already present"));
}

#[test]
fn a_mirror_without_ranges_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    let (from, asked) = serve(&[broken, whole, whole]);
    fetch(folder.path(), "satellite", &from).assert().code(1);
    fetch(folder.path(), "satellite", &from).assert().success();
    let from: Vec<_> = asked.iter().map(|(_, from)| from).collect();
    assert_eq!(from, [None, Some(70_000), None]);
    assert!(fs::read(folder.path().join("data/satellite_train.npy")).unwrap() == content());
}

/// A file that was got in two parts is checked whole: its checksum is that of what the mirror has, which is not what
/// was published.
#[test]
fn a_file_with_another_checksum_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let (from, _asked) = serve(&[broken, ranged]);
    fetch(folder.path(), "ninapro", &from).assert().code(1);
    fetch(folder.path(), "ninapro", &from).assert().code(5).stdout("").stderr(
        predicate::str::contains(format!(
            "has the checksum {MD5}, but the published file has d4c33785587983348e6091e86a0d30b6"
        ))
        .and(predicate::str::contains("hint: the file was renamed to end in .bad; run the same command again")),
    );
    assert!(fs::read(folder.path().join("data/ninapro_train.npy.bad")).unwrap() == content());
    assert!(!folder.path().join("data/ninapro_train.npy").exists());
}

#[test]
fn a_file_of_another_size_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let (from, _asked) = serve(&[whole]);
    fetch(folder.path(), "cifar100", &from)
        .assert()
        .code(5)
        .stderr(predicate::str::contains("has 200000 bytes, but the published file has 169001437"));
    assert!(folder.path().join("data/cifar-100-python.tar.gz.bad").exists());
}

#[test]
fn a_mirror_that_lacks_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (from, _asked) = serve(&[missing]);
    let address = format!("error: {from}satellite_train.npy: the server answered with the HTTP status 404");
    fetch(folder.path(), "satellite", &from)
        .assert()
        .code(1)
        .stderr(predicate::str::contains(address).and(predicate::str::contains("hint: ")));
}

#[test]
fn what_is_no_address_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for from in ["ftp://example.org/a", "folder/of/files", "https://", "http://user@example.org/", "http://a b/"] {
        let wrong = fetch(folder.path(), "satellite", from).assert().code(2).stdout("");
        wrong.stderr(predicate::str::contains("--from").and(predicate::str::contains("http://")));
    }
    assert!(!folder.path().join("data").exists());
}
