//! Reading returns, whatever the bytes are.

use crate::tests::*;
use proptest::prelude::*;

fn good() -> Vec<u8> {
    archive(&with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1])))
}

fn header() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["'descr'", "'fortran_order'", "'shape'", "\"shape\"", "'x'", ""]);
    let value = prop_oneof![
        prop::sample::select(vec!["'<f4'", "True", "False", "(4, 1, 4)", "()", "(,)", "(-1,)", "[", "'<U9'", "'é'"])
            .prop_map(String::from),
        any::<[u64; 3]>().prop_map(|[a, b, c]| format!("({a}, {b}, {c})")),
        ".{0,12}",
    ];
    let pair = (key, value).prop_map(|(k, v)| format!("{k}: {v}"));
    prop::collection::vec(pair, 0..5).prop_map(|pairs| format!("{{{}}}", pairs.join(", ")))
}

proptest! {
    #![proptest_config(dashnas_testing::cases(512))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read_as(&bytes, None).is_err());
    }

    #[test]
    fn a_good_archive_with_bytes_changed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = good();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read_as(&bytes, None);
    }

    #[test]
    fn any_array_header(text in header(), version in 0u8..5, tail in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut x = b"\x93NUMPY".to_vec();
        x.extend([version, 0]);
        x.extend((text.len() as u32).to_le_bytes().iter().take(if version == 1 { 2 } else { 4 }));
        x.extend(text.as_bytes());
        x.extend(&tail);
        let bytes = zipped(&[("x_train.npy".into(), x.clone()), ("y_train.npy".into(), x)]);
        prop_assert!(read_as(&bytes, None).is_err());
    }
}
