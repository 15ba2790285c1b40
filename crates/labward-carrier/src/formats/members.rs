//! Packed streams one behind the other, as gzip and bzip2 allow; what follows the last is no fault of theirs.

use std::io::{self, Read};

/// Reads one stream after the other, up to where no further one begins.
pub(crate) struct Members<'b, D> {
    current: D,
    begin: fn(&'b [u8]) -> D,
    rest: fn(&D) -> &'b [u8],
    mark: &'static [u8],
}

impl<'b, D: Read> Members<'b, D> {
    /// `begin` reads one stream, `rest` gives what it left, `mark` is what every stream begins with.
    pub(crate) fn new(
        bytes: &'b [u8],
        mark: &'static [u8],
        begin: fn(&'b [u8]) -> D,
        rest: fn(&D) -> &'b [u8],
    ) -> Self {
        Self {
            current: begin(bytes),
            begin,
            rest,
            mark,
        }
    }

    /// How many bytes stand behind the last stream that was read.
    pub(crate) fn left(&self) -> usize {
        (self.rest)(&self.current).len()
    }

    pub(crate) fn current(&self) -> &D {
        &self.current
    }
}

impl<D: Read> Read for Members<'_, D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(into)?;
            let rest = (self.rest)(&self.current);
            if read > 0 || !rest.starts_with(self.mark) {
                return Ok(read);
            }
            self.current = (self.begin)(rest);
        }
    }
}
