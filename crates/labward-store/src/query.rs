//! Values, rows and queries without a type of the engine below.
//!
//! It must never copy a value that the caller only wants to look at.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};

use crate::StoreError;
use crate::error::{Misuse, from_engine};

/// A parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// SQL `NULL`.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Opaque bytes.
    Bytes(&'a [u8]),
}

/// One row of a query's answer; columns count from 0.
pub struct Row<'a>(&'a rusqlite::Row<'a>);

/// What can be asked questions: a unit's transaction or a reader's snapshot.
pub trait Query {
    /// Runs `sql` and hands every row to `each`; an error of `each` ends the query.
    fn query(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// The one row of the answer; no row and a second row are both errors.
    fn query_one<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError>
    where
        Self: Sized,
    {
        let found = self.query_opt(sql, params, map)?;
        found.ok_or_else(|| Misuse::NoRow.into())
    }

    /// The one row of the answer, or `None`; a second row is an error.
    fn query_opt<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        map: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError>
    where
        Self: Sized,
    {
        let mut map = Some(map);
        let mut found = None;
        self.query(sql, params, &mut |row| {
            let map = map.take().ok_or(Misuse::ManyRows)?;
            found = Some(map(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// All rows of the answer; the caller bounds their number with `LIMIT`.
    fn query_all<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError>
    where
        Self: Sized,
    {
        let mut all = Vec::new();
        self.query(sql, params, &mut |row| {
            all.push(map(row)?);
            Ok(())
        })?;
        Ok(all)
    }
}

impl<Q: Query + ?Sized> Query for &mut Q {
    fn query(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        (**self).query(sql, params, each)
    }
}

impl Row<'_> {
    /// The whole number in column `i`.
    pub fn int(&self, i: usize) -> Result<i64, StoreError> {
        self.opt_int(i)?.ok_or_else(|| Misuse::Column(i).into())
    }

    /// The text in column `i`.
    pub fn text(&self, i: usize) -> Result<&str, StoreError> {
        self.opt_text(i)?.ok_or_else(|| Misuse::Column(i).into())
    }

    /// The bytes in column `i`.
    pub fn bytes(&self, i: usize) -> Result<&[u8], StoreError> {
        self.opt_bytes(i)?.ok_or_else(|| Misuse::Column(i).into())
    }

    /// The whole number in column `i`, or `None` for `NULL`.
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>, StoreError> {
        match self.value(i)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            _ => Err(Misuse::Column(i).into()),
        }
    }

    /// The text in column `i`, or `None` for `NULL`; text that is not UTF-8 is an error.
    pub fn opt_text(&self, i: usize) -> Result<Option<&str>, StoreError> {
        match self.value(i)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(Misuse::Column(i).into()),
            },
            _ => Err(Misuse::Column(i).into()),
        }
    }

    /// The bytes in column `i`, or `None` for `NULL`.
    pub fn opt_bytes(&self, i: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.value(i)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(Misuse::Column(i).into()),
        }
    }

    fn value(&self, i: usize) -> Result<ValueRef<'_>, StoreError> {
        self.0.get_ref(i).map_err(|_| Misuse::Column(i).into())
    }
}

impl Value<'_> {
    /// How many bytes of content the value brings, for bounding a batch.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Int(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u16> for Value<'_> {
    fn from(number: u16) -> Self {
        Self::Int(number.into())
    }
}

impl From<u8> for Value<'_> {
    fn from(number: u8) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(yes: bool) -> Self {
        Self::Int(yes.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, V: Into<Value<'a>>> From<Option<V>> for Value<'a> {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

struct Parameter<'a>(&'a Value<'a>);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Runs a query on `connection`, its statement cached.
pub(crate) fn run_query(
    connection: &Connection,
    sql: &str,
    params: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = bind(connection, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(from_engine)? {
        each(&Row(row))?;
    }
    Ok(())
}

/// Runs a statement without an answer on `connection`, cached; the number of rows it changed.
pub(crate) fn run_execute(
    connection: &Connection,
    sql: &str,
    params: &[Value<'_>],
) -> Result<usize, StoreError> {
    bind(connection, sql, params)?
        .raw_execute()
        .map_err(from_engine)
}

fn bind<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Value<'_>],
) -> Result<CachedStatement<'c>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(from_engine)?;
    let takes = statement.parameter_count();
    // Statements are fixed texts: that each is well numbered shows where debug builds run it.
    if takes != params.len() || (cfg!(debug_assertions) && !named_in_order(&statement)) {
        let given = params.len();
        return Err(Misuse::Parameters { takes, given }.into());
    }
    for (i, value) in params.iter().enumerate() {
        statement
            .raw_bind_parameter(i + 1, Parameter(value))
            .map_err(from_engine)?;
    }
    Ok(statement)
}

/// Here the engine numbers `$2` by where it first appears, elsewhere by its digit: both must agree.
fn named_in_order(statement: &CachedStatement<'_>) -> bool {
    (1..=statement.parameter_count()).all(|i| {
        let digits = statement
            .parameter_name(i)
            .and_then(|name| name.strip_prefix('$'));
        digits.and_then(|digits| digits.parse().ok()) == Some(i)
    })
}
