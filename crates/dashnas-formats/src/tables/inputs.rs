//! Which columns of a table are inputs.

use crate::account::ColumnRole;
use crate::error::DataError;
use crate::tables::draft::{Content, Draft, LETTERS, listed};
use crate::tables::names;
use crate::tables::table::Column;
use crate::text::{excerpt, is_sequence};

/// Names of columns of sequences.
const SEQUENCES: [&str; 8] = ["sequence", "sequences", "seq", "dna", "rna", "protein", "peptide", "primary"];

/// Gives the columns without a role one: inputs, or left out.
///
/// # Errors
/// [`DataError::File`] if no column can be an input, or if a column of numbers has a cell that is none.
pub(crate) fn choose(draft: &mut Draft<'_>, labeled: bool) -> Result<Content, DataError> {
    let asked = draft.first(ColumnRole::Input).is_some();
    let candidates: Vec<usize> = if asked { draft.with(ColumnRole::Input) } else { draft.free() };
    let text: Vec<usize> = candidates.iter().copied().filter(|&c| draft.table.columns[c].is_text()).collect();
    draft.read(&text)?;
    let beside_numbers = !asked && candidates.iter().any(|&c| draft.table.columns[c].facts.is_numeric());
    let sequences = sequences(draft, &text, beside_numbers)?;
    let is_letter = |s: &String| s.len() == 1 && s.as_bytes()[0].is_ascii_alphabetic();
    let mut letters: Vec<usize> = text.iter().copied().filter(|&c| draft.of(c).iter().all(is_letter)).collect();
    if beside_numbers && letters.len() >= LETTERS {
        let names: Vec<String> = letters.iter().map(|&c| draft.name(c)).collect();
        draft.warn(format!(
            "columns of one letter each are left out beside numbers: {}; write them as numbers if they are inputs, or \
             name them in `data.inputs` if they are the letters of sequences",
            listed(&names)
        ));
        letters.clear();
    }
    let lists: Vec<usize> =
        candidates.iter().copied().filter(|&c| draft.table.columns[c].facts.lists.is_some()).collect();
    let (content, inputs) = match (&sequences[..], letters.len() >= LETTERS, lists.is_empty()) {
        (_, _, false) => (Content::Lists, lists),
        ([_], ..) => (Content::Sequences, sequences),
        (_, true, _) => (Content::Sequences, letters),
        _ => {
            let numeric = |&c: &usize| draft.table.columns[c].facts.is_numeric();
            (Content::Numbers, candidates.iter().copied().filter(numeric).collect())
        }
    };
    if content == Content::Numbers {
        check_texts(draft, &candidates, asked)?;
    } else if asked && inputs.len() < candidates.len() {
        let other = candidates.iter().find(|c| !inputs.contains(c)).map_or_else(String::new, |&c| draft.name(c));
        let reason = format!("column {other} cannot be an input beside {}", draft.name(inputs[0]));
        return Err(DataError::file(&draft.table.path, reason).with_hint("check `data.inputs`"));
    }
    for &c in &inputs {
        let facts = &draft.table.columns[c].facts;
        let reason = match content {
            Content::Sequences => "it holds letters of sequences",
            Content::Lists => "it holds lists of numbers, a channel",
            Content::Numbers if facts.is_truth() => "it holds truth values, which are read as 0 and 1",
            Content::Numbers => "it holds numbers",
        };
        draft.give(c, ColumnRole::Input, reason);
    }
    leave_out(draft, content);
    check_inputs(draft, &inputs, content, labeled)?;
    Ok(content)
}

/// The column of sequences, if there is one. Words of eight letters look like proteins, so that beside columns of numbers
/// only a column with the name of a sequence is taken for one.
///
/// # Errors
/// [`DataError::File`] if it is not clear whether the inputs are nucleotides or the numbers beside them.
fn sequences(draft: &Draft<'_>, text: &[usize], beside_numbers: bool) -> Result<Vec<usize>, DataError> {
    let mut found: Vec<usize> = text.iter().copied().filter(|&c| draft.of(c).iter().all(|s| is_sequence(s))).collect();
    let named = |c: &usize| SEQUENCES.contains(&draft.table.columns[*c].name.to_lowercase().as_str());
    if found.len() > 1 || beside_numbers {
        let nucleotides = |s: &String| s.bytes().all(|b| b"ACGTUNacgtun-".contains(&b));
        let unnamed = found.iter().find(|&&c| beside_numbers && draft.of(c).iter().all(nucleotides)).copied();
        found.retain(named);
        if let (Some(c), true) = (unnamed, found.is_empty()) {
            let reason = format!(
                "{} holds nucleotides, and other columns hold numbers: it is not clear which are the inputs",
                draft.name(c)
            );
            return Err(DataError::file(&draft.table.path, reason).with_hint("name the inputs in `data.inputs`"));
        }
    }
    Ok(found)
}

/// Refuses columns of numbers in which a cell is none.
fn check_texts(draft: &Draft<'_>, candidates: &[usize], asked: bool) -> Result<(), DataError> {
    for &c in candidates {
        let Column { facts, .. } = &draft.table.columns[c];
        if let Some(kind) = &facts.unreadable
            && asked
        {
            return Err(DataError::file(
                &draft.table.path,
                format!("column {} is of type {kind}, no number", draft.name(c)),
            ));
        }
        // If more than half are numbers, the rest are likely misspelled.
        if (facts.numbers * 2 > facts.known() || asked) && facts.texts > 0 {
            return Err(draft.table.not_a_number(c, draft.of(c)).with_hint(
                "leave the cell empty if the number is not known (`data.fill-missing`), or leave the column out with \
                 `data.ignore`",
            ));
        }
    }
    Ok(())
}

/// Leaves out the columns that are no inputs.
fn leave_out(draft: &mut Draft<'_>, content: Content) {
    let (mut numbers, mut measures, mut types, mut mixed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for c in draft.free() {
        let column = &draft.table.columns[c];
        let reason = if let Some(kind) = &column.facts.unreadable {
            types.push(draft.name(c));
            format!("it is of type {kind}, which is no input")
        } else if column.is_text() {
            let facts = &column.facts;
            let example = facts.first_text.and_then(|row| draft.of(c).get(row)).map_or("", String::as_str);
            let numbers = facts.numbers + facts.bools;
            if (facts.digits + numbers) * 10 >= facts.known() * 9 {
                measures.push(format!("{} (`{}`)", draft.name(c), excerpt(example)));
            } else if numbers * 10 >= facts.known() {
                mixed.push(format!("{} (`{}`)", draft.name(c), excerpt(example)));
            }
            "it holds text".to_owned()
        } else {
            numbers.push(draft.name(c));
            match content {
                Content::Lists => "the inputs are the columns of lists".to_owned(),
                _ => "the inputs are sequences".to_owned(),
            }
        };
        draft.give(c, ColumnRole::LeftOut, reason);
    }
    if !measures.is_empty() {
        draft.warn(format!(
            "left out as text, although the values look like numbers: {}; write plain numbers, or leave the columns out with \
             `data.ignore`",
            listed(&measures)
        ));
    }
    if !mixed.is_empty() {
        draft.warn(format!(
            "left out as text, although some of the values are numbers: {}; leave the cells empty where a number is not known \
             (`data.fill-missing`), or leave the columns out with `data.ignore`",
            listed(&mixed)
        ));
    }
    if !types.is_empty() {
        draft.warn(format!(
            "left out because of their type: {}; write one column for each value, or lists",
            listed(&types)
        ));
    }
    if !numbers.is_empty() {
        let others = if content == Content::Lists { "lists" } else { "sequences" };
        draft.warn(format!("columns of single numbers are left out beside {others}: {}", listed(&numbers)));
    }
}

/// Refuses a table without inputs, or with one number in each row.
fn check_inputs(draft: &Draft<'_>, inputs: &[usize], content: Content, labeled: bool) -> Result<(), DataError> {
    let (reason, hint) = match inputs {
        [] => {
            let times = draft.with(ColumnRole::Time);
            let why = match times.first() {
                Some(&c) => format!(" ({} is left out as a time; `data.inputs` makes it an input)", draft.name(c)),
                None => String::new(),
            };
            (
                format!("there is no column of numbers or sequences besides the label{why}"),
                "a table has one sample a row; if it has the labels of files beside it, give their folder instead",
            )
        }
        &[c] if content == Content::Numbers && labeled && draft.options.window.is_none() => (
            format!("the only column of inputs is {}: each row would be a series of one value", draft.name(c)),
            "a table has one sample a row; if its rows are the time steps of recordings, set `data.window` to the length of \
             windows that they are cut into, for example `data.window = 128`",
        ),
        _ => return Ok(()),
    };
    Err(DataError::file(&draft.table.path, reason).with_hint(hint))
}

/// The columns of inputs, in the order in which the options name them, otherwise in that of the table.
///
/// # Errors
/// Those of [`names::find`].
pub(crate) fn order(draft: &Draft<'_>) -> Result<Vec<usize>, DataError> {
    let mut inputs = draft.with(ColumnRole::Input);
    if let Some(wanted) = &draft.options.inputs {
        let asked = names::find(draft.table, wanted, "input")?;
        inputs.sort_by_key(|c| asked.iter().position(|a| a == c).unwrap_or(usize::MAX));
    }
    Ok(inputs)
}
