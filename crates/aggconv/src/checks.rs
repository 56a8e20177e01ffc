//! Checks of shapes that the functions and the modules share.

use crate::OperatorError;

/// Checks that there are channels and that the groups divide them.
pub(crate) fn check_channels(c_in: usize, c_out: usize, groups: usize) -> Result<(), OperatorError> {
    if c_in == 0 || c_out == 0 {
        return Err(OperatorError::NoChannels { c_in, c_out });
    }
    if groups == 0 || !c_in.is_multiple_of(groups) || !c_out.is_multiple_of(groups) {
        return Err(OperatorError::Groups { c_in, c_out, groups });
    }
    Ok(())
}

/// A value for each axis: `[1, v]` in one dimension and `[v, v]` in two.
pub(crate) fn axes(dims: usize, v: usize) -> [usize; 2] {
    if dims == 1 { [1, v] } else { [v, v] }
}

/// Checks that a shape is one of `dims`-dimensional data.
pub(crate) fn check_input(x: [usize; 4], dims: usize) -> Result<(), OperatorError> {
    match dims {
        1 if x[2] != 1 => Err(OperatorError::NotOneDimensional(x)),
        1 | 2 if x.contains(&0) => Err(OperatorError::EmptyInput(x)),
        1 | 2 => Ok(()),
        _ => Err(OperatorError::Dimensions(dims)),
    }
}

/// Checks that the input has elements and the number of channels that the weights require.
pub(crate) fn check_operands(x: [usize; 4], w: [usize; 3], groups: usize) -> Result<(), OperatorError> {
    let ([_, c_in, _, _], [c_out, c_in_per_group, _]) = (x, w);
    check_channels(c_in, c_out, groups)?;
    if x.contains(&0) {
        return Err(OperatorError::EmptyInput(x));
    }
    if c_in_per_group * groups != c_in {
        return Err(OperatorError::Channels { x, w, groups, expected: c_in_per_group * groups });
    }
    Ok(())
}
