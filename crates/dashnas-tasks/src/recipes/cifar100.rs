//! CIFAR-100: natural images in 100 classes.

use crate::fetch::published::{Checksum, PublishedFile, Unpack};
use crate::recipes::error::TaskError;
use crate::recipes::files::{find, labeled, pickle, reshaped, shaped};
use crate::recipes::recipe::Recipe;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use std::path::Path;

pub(super) const RECIPE: Recipe = Recipe {
    name: "cifar100",
    title: "natural images, 32×32 in color, into 100 classes",
    license: "Krizhevsky 2009; free for research",
    files: &[
        ("cifar-100-python/train", "pickle of 50 000 images, `data` and `fine_labels`"),
        ("cifar-100-python/test", "pickle of 10 000 images"),
        ("cifar-100-python/meta", "pickle of the names, `fine_label_names`"),
    ],
    preparation: "channels normalized; in training random crops of the image padded by 4, mirrored at random",
    split: "as published",
    settings: &[
        "search.batch-size=64",
        "retrain.batch-size=64",
        "space.kernel-sizes=[3, 5, 7, 9]",
        "space.dilations=[1, 3, 7, 15]",
        "augment.crop=4",
        "augment.flip=true",
    ],
    alpha_grad_scale: Some(5000.0),
    sources: &[PublishedFile {
        url: "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        file: "cifar-100-python.tar.gz",
        bytes: Some(169_001_437),
        checksum: Checksum::Md5("eb9058c3a382ffc7106e4002c42a8d85"),
        unpack: Unpack::TarGz,
    }],
    by_hand: Some(
        "If the address no longer answers, see the page of the data set, https://www.cs.toronto.edu/~kriz/cifar.html.",
    ),
    read,
};

fn read(folder: &Path) -> Result<Dataset, TaskError> {
    let part = |name: &str| -> Result<(Split, std::path::PathBuf), TaskError> {
        let path = find("cifar100", folder, &[&format!("cifar-100-python/{name}"), name])?;
        let pickle = pickle(&path)?;
        let (x, y) = labeled(pickle.root(), &path, ["data", "fine_labels"], 0)?;
        let x = reshaped(shaped(&path, "data", x, &[3 * 32 * 32])?, &[3, 32, 32]);
        Ok((Split { x, y: Targets::Classes(y) }, path))
    };
    let (train, path) = part("train")?;
    let (test, _) = part("test")?;
    let meta = path.with_file_name("meta");
    let names = if meta.exists() {
        let pickle = pickle(&meta)?;
        let names = pickle.root().get("fine_label_names")?.items()?;
        Some(names.iter().map(|name| name.text()).collect::<Result<Vec<_>, _>>()?)
    } else {
        None
    };
    let classes = names.as_ref().map_or(100, Vec::len);
    let set = Dataset::new("cifar100", TaskKind::Classification { classes }, train, None, test)?;
    Ok(match names {
        Some(names) => set.with_classes(names)?,
        None => set,
    })
}
