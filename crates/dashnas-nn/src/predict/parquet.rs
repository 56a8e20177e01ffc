//! Tables as Apache Parquet files, by the crate `parquet`: one row group, without compression.

use crate::error::OutputError;
use crate::predict::columns::{Column, ColumnValues};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use std::sync::Arc;

/// Encodes a table as a Parquet file.
///
/// # Errors
/// [`OutputError::Parquet`] if the table cannot be written as one.
pub fn parquet(columns: &[Column]) -> Result<Vec<u8>, OutputError> {
    encode(columns).map_err(|e| OutputError::Parquet { reason: e.to_string() })
}

fn encode(columns: &[Column]) -> Result<Vec<u8>, ParquetError> {
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
    let program = concat!("dashnas version ", env!("CARGO_PKG_VERSION"));
    // Texts are names of classes, which repeat; numbers do not.
    let mut properties = WriterProperties::builder().set_created_by(program.into()).set_dictionary_enabled(false);
    for column in columns.iter().filter(|column| matches!(column.values, ColumnValues::Texts(_))) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(vec![column.name.clone()]), true);
    }
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))?;
    let mut group = file.next_row_group()?;
    for column in columns {
        let Some(mut writer) = group.next_column()? else { break };
        match &column.values {
            ColumnValues::Numbers(v) => writer.typed::<Int32Type>().write_batch(v, None, None)?,
            ColumnValues::Doubles(v) => writer.typed::<DoubleType>().write_batch(v, None, None)?,
            ColumnValues::Reals(v) => writer.typed::<FloatType>().write_batch(v, None, None)?,
            ColumnValues::Texts(v) => {
                let texts: Vec<ByteArray> = v.iter().map(|text| ByteArray::from(text.as_str())).collect();
                writer.typed::<ByteArrayType>().write_batch(&texts, None, None)?
            }
        };
        writer.close()?;
    }
    group.close()?;
    file.into_inner()
}

/// A column without missing values.
fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (kind, logical) = match column.values {
        ColumnValues::Numbers(_) => (Physical::INT32, None),
        ColumnValues::Doubles(_) => (Physical::DOUBLE, None),
        ColumnValues::Reals(_) => (Physical::FLOAT, None),
        ColumnValues::Texts(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let field = Type::primitive_type_builder(&column.name, kind).with_repetition(Repetition::REQUIRED);
    Ok(Arc::new(field.with_logical_type(logical).build()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_formats::found::Labels;
    use dashnas_formats::options::ReadOptions;

    #[test]
    fn columns_of_different_lengths_are_refused() {
        let column = |name: &str, n| Column { name: name.into(), values: ColumnValues::Reals(vec![0.0; n]) };
        assert!(parquet(&[column("a", 2), column("b", 2)]).is_ok_and(|file| file.ends_with(b"PAR1")));
        let error = parquet(&[column("a", 2), column("b", 3)]).expect_err("it is refused");
        assert!(matches!(error, OutputError::Parquet { .. }), "{error}");
    }

    /// Through the reader of tables: the columns are as the CSV has them.
    #[test]
    fn what_is_written_is_what_is_read() {
        let texts: Vec<String> = (0..40).map(|i| format!("class \"{}\", é", i % 3)).collect();
        let reals = |scale: f32| ColumnValues::Reals((0..40).map(|i| scale / (i as f32 - 17.5)).collect());
        let mut columns = vec![
            Column { name: "sample".into(), values: ColumnValues::Numbers((0..40).map(|i| i - 3).collect()) },
            Column { name: "class".into(), values: ColumnValues::Texts(texts) },
        ];
        columns.extend((0..20).map(|i| Column { name: format!("p_{i}, x"), values: reals(10f32.powi(3 * i - 30)) }));
        let options = ReadOptions { targets: Some("class".into()), inputs: Some("p_*".into()), ..Default::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let read = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("a file");
            dashnas_formats::readers::read(&path, &options, true).expect("it reads").parts.remove(0)
        };
        let table = read("p.parquet", &parquet(&columns).expect("it is written"));
        let csv = read("p.csv", crate::predict::columns::csv(&columns).as_bytes());
        assert_eq!((&table.x, &table.x.shape[..]), (&csv.x, &[40, 1, 20][..]));
        assert_eq!(table.x.row(39)[1], 1e-27 / 21.5);
        let names = |labels: Option<Labels>| match labels {
            Some(Labels::Names(names)) => names,
            other => panic!("{other:?}"),
        };
        assert_eq!(names(table.y), names(csv.y));
    }
}
