//! What the tests of reports share.

/// The elements of a page, which have to nest. Drawings have no elements without an end that are not marked so.
pub fn check_nesting(html: &str) {
    const EMPTY: [&str; 5] = ["meta", "link", "img", "br", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    let (head, rest) = html.split_once("<style>").expect("a style");
    let (_, body) = rest.split_once("</style>").expect("its end");
    for part in head.split('<').skip(1).chain(body.split('<').skip(1)) {
        let (tag, _) = part.split_once('>').unwrap_or_else(|| panic!("an open bracket: <{part:.60}"));
        let name = tag.split([' ', '/', '\n']).find(|s| !s.is_empty()).unwrap_or_default();
        if tag.starts_with('/') {
            let last = open.pop();
            assert_eq!(last, Some(name), "after {open:?}");
        } else if !tag.ends_with('/') && !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} are not closed");
}
