//! A file server for the browser tests: one folder, on a free port of this machine only, with the
//! headers of a careful host. It answers GET and HEAD and knows nothing else of HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::Result;

/// Sent with every answer. The policy is the one that the page is written for: no inline script, no
/// code from elsewhere; data sets may be fetched from any https host.
const HEADERS: &str = "Cross-Origin-Opener-Policy: same-origin\r\n\
    Cross-Origin-Embedder-Policy: require-corp\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Cache-Control: no-cache\r\n\
    Connection: close\r\n\
    Content-Security-Policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
    style-src 'self'; img-src 'self' blob: data:; connect-src 'self' https:; object-src 'none'; \
    base-uri 'self'; form-action 'none'; frame-ancestors 'none'\r\n";

/// Longest request line or header that is read.
const LONGEST_LINE: u64 = 8192;

/// Serves `folder` until the process ends and returns the address.
pub(crate) fn serve(folder: PathBuf) -> Result<SocketAddr> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let folder = Arc::new(folder);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let folder = Arc::clone(&folder);
            // A browser that hangs up early is no error of ours.
            thread::spawn(move || answer(&folder, stream).unwrap_or_default());
        }
    });
    Ok(address)
}

fn answer(folder: &Path, mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    std::io::Read::take(&mut reader, LONGEST_LINE).read_line(&mut request)?;
    let mut header = String::new();
    while std::io::Read::take(&mut reader, LONGEST_LINE).read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let found = locate(target)
        .map(|path| folder.join(path))
        .filter(|path| path.is_file());
    let (status, kind, body) = match (method, found) {
        ("GET" | "HEAD", Some(path)) => ("200 OK", mime(&path), fs::read(path)?),
        ("GET" | "HEAD", None) => ("404 Not Found", "text/plain", b"not found".to_vec()),
        _ => (
            "405 Method Not Allowed",
            "text/plain",
            b"GET or HEAD".to_vec(),
        ),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{HEADERS}\r\n"
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The file that a request target names, relative to the folder; none when it leads out of it.
fn locate(target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let path = if path.is_empty() { "index.html" } else { path };
    let path = PathBuf::from(path);
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then_some(path)
}

fn mime(path: &Path) -> &'static str {
    match path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or("")
    {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::{PathBuf, locate, mime, serve};

    fn ask(request: &str) -> String {
        let address = serve(PathBuf::from(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn serves_a_file_with_its_headers() {
        let text = ask("GET /Cargo.toml?v=1 HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(text.contains("\r\nCross-Origin-Opener-Policy: same-origin\r\n"));
        assert!(text.contains("'wasm-unsafe-eval'") && text.contains("\r\n\r\n[package]"));
    }

    #[test]
    fn refuses_what_it_does_not_have_or_do() {
        assert!(ask("GET /../Cargo.toml HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask("POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        assert_eq!(locate("//etc/passwd"), None);
        assert_eq!(locate("/a/../../b"), None);
        assert_eq!(locate("/"), Some(PathBuf::from("index.html")));
    }

    #[test]
    fn wasm_streams_only_under_its_own_type() {
        assert_eq!(mime(&PathBuf::from("a_bg.wasm")), "application/wasm");
    }
}
