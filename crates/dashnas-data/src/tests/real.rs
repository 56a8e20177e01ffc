//! Real data sets, if the environment variable `DASHNAS_DATA_DIR` names a folder with files `NAME/NAME.npz`.

use crate::tests::*;

#[test]
fn every_set_in_the_data_folder_loads() {
    let Some(folder) = std::env::var_os("DASHNAS_DATA_DIR") else {
        eprintln!("DASHNAS_DATA_DIR is not set: no real data set was read");
        return;
    };
    let known = [
        ("darcy_16", TaskKind::DenseRegression { channels: 1 }),
        ("membrane_segmentation", TaskKind::DenseBinary { channels: 1 }),
        ("protein_distance_40", TaskKind::DenseRegression { channels: 1 }),
        ("protein_distance_msa", TaskKind::DenseRegression { channels: 1 }),
        ("tecator_regression", TaskKind::Regression { outputs: 1 }),
        ("covid3month_regression", TaskKind::Regression { outputs: 1 }),
        ("pig_cvp", TaskKind::Classification { classes: 52 }),
        ("myo_semg", TaskKind::Classification { classes: 7 }),
        ("ecg5000", TaskKind::Classification { classes: 5 }),
        ("tf_nfe2_chipseq", TaskKind::Classification { classes: 2 }),
    ];
    let mut read = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        let Some(name) = folder.file_name().and_then(|n| n.to_str()) else { continue };
        let path = folder.join(format!("{name}.npz"));
        if !path.exists() {
            continue;
        }
        let set = crate::npz::load(&path, &Default::default()).unwrap_or_else(|e| panic!("{e}"));
        match known.iter().find(|k| k.0 == name) {
            Some(&(_, task)) => assert_eq!(set.task, task, "{name}"),
            None => assert!(matches!(set.task, TaskKind::Classification { .. }), "{name}: {}", set.task),
        }
        eprintln!("{}", set.inspect().unwrap());
        read.push(name.to_string());
    }
    for (name, _) in known {
        assert!(read.iter().any(|r| r == name), "{name} was not there");
    }
}
