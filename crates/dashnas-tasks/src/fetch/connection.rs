//! A connection to a server, encrypted or not.

use std::io::{Read, Write};

/// A connection that bytes are written to and read from.
pub(super) trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}
