//! The pages of the database as they are at one moment, for a backup that writes only what changed.
//!
//! It must never hand out a byte of a table that is left out: that table's pages are replaced here,
//! before anybody sees them, in the file format's own terms (<https://www.sqlite.org/fileformat2.html>).

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::StoreError;
use crate::error::{Misuse, from_engine};

/// A page that holds rows of a table, and one that holds keys of an index.
const TABLE_LEAF: u8 = 0x0d;
const INDEX_LEAF: u8 = 0x0a;
/// Where page 1 says how many bytes at each page's end are reserved, and where the free list begins.
const RESERVED_AT: usize = 20;
const FREE_LIST_AT: usize = 32;
/// Older engines do not use the last entries of a free-list page, and neither is done here.
const UNUSED_ENTRIES: usize = 8;

/// The pages of one snapshot.
pub struct Pages<'a> {
    connection: &'a Connection,
    page_bytes: usize,
    count: u32,
    replaced: BTreeMap<u32, Vec<u8>>,
}

impl<'a> Pages<'a> {
    /// The pages that `connection`, in a transaction, sees, with the tables `emptied` without rows.
    pub(crate) fn open(connection: &'a Connection, emptied: &[&str]) -> Result<Self, StoreError> {
        let number = |name: &str| -> Result<u32, StoreError> {
            let asked = connection.pragma_query_value(None, name, |row| row.get(0));
            asked.map_err(from_engine)
        };
        // The first question to the file fixes the snapshot.
        let mut pages = Self {
            connection,
            page_bytes: usize::try_from(number("page_size")?).unwrap_or(0),
            count: number("page_count")?,
            replaced: BTreeMap::new(),
        };
        pages.empty(emptied)?;
        Ok(pages)
    }

    /// Bytes of a page.
    pub const fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    /// How many pages there are.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Hands every page to `each`, in order; written one behind the other they are the database.
    pub fn each<E: From<StoreError>>(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT data FROM sqlite_dbpage ORDER BY pgno";
        let mut statement = self.connection.prepare_cached(sql).map_err(from_engine)?;
        let mut rows = statement.query([]).map_err(from_engine)?;
        let mut number = 0u32;
        while let Some(row) = rows.next().map_err(from_engine)? {
            number += 1;
            if let Some(page) = self.replaced.get(&number) {
                each(page)?;
                continue;
            }
            match row.get_ref(0).map_err(from_engine)? {
                ValueRef::Blob(page) if page.len() == self.page_bytes => each(page)?,
                _ => return Err(StoreError::from(Misuse::Column(0)).into()),
            }
        }
        match number == self.count {
            true => Ok(()),
            false => Err(damaged(number).into()),
        }
    }

    /// Replaces the pages of these tables and of their indexes: the first page of each becomes an
    /// empty one, the others join the free list.
    fn empty(&mut self, tables: &[&str]) -> Result<(), StoreError> {
        let mut freed = Vec::new();
        let first = self.page(1)?;
        let reserved = first.get(RESERVED_AT).copied().map_or(0, usize::from);
        let usable = self.page_bytes.saturating_sub(reserved);
        for table in tables {
            for (name, root) in self.trees(table)? {
                let kind = match self.page(root)?.first() {
                    Some(0x05 | 0x0d) => TABLE_LEAF,
                    Some(0x02 | 0x0a) => INDEX_LEAF,
                    _ => return Err(damaged(root)),
                };
                self.replaced.insert(root, self.empty_leaf(kind, usable));
                freed.extend(
                    self.pages_of(&name)?
                        .into_iter()
                        .filter(|page| *page != root),
                );
            }
        }
        self.free(first, &freed, usable)
    }

    /// The table itself and its indexes: name and first page.
    fn trees(&self, table: &str) -> Result<Vec<(String, u32)>, StoreError> {
        let sql = "SELECT name, rootpage FROM sqlite_schema WHERE tbl_name = ?1 AND rootpage > 1 \
                   ORDER BY rootpage";
        let mut statement = self.connection.prepare_cached(sql).map_err(from_engine)?;
        let trees = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)));
        let trees: Result<Vec<_>, _> = trees.map_err(from_engine)?.collect();
        match trees.map_err(from_engine)? {
            // A table that is not there would be handed out under another name.
            none if none.is_empty() => Err(Misuse::NoRow.into()),
            trees => Ok(trees),
        }
    }

    /// The numbers of all pages of one tree.
    fn pages_of(&self, tree: &str) -> Result<Vec<u32>, StoreError> {
        let sql = "SELECT pageno FROM dbstat WHERE name = ?1 AND aggregate = FALSE";
        let mut statement = self.connection.prepare_cached(sql).map_err(from_engine)?;
        let pages = statement.query_map([tree], |row| row.get(0));
        let mut pages: Vec<u32> = pages.and_then(Iterator::collect).map_err(from_engine)?;
        pages.sort_unstable();
        Ok(pages)
    }

    fn page(&self, number: u32) -> Result<Vec<u8>, StoreError> {
        let sql = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
        let mut statement = self.connection.prepare_cached(sql).map_err(from_engine)?;
        let page: Vec<u8> = statement
            .query_row([number], |row| row.get(0))
            .map_err(from_engine)?;
        match page.len() == self.page_bytes {
            true => Ok(page),
            false => Err(damaged(number)),
        }
    }

    /// A page without a cell, whose content would begin at its end.
    fn empty_leaf(&self, kind: u8, usable: usize) -> Vec<u8> {
        let mut page = vec![0; self.page_bytes];
        // 65,536 does not fit and is written as 0.
        let [.., high, low] = usable.to_be_bytes();
        if let Some(head) = page.first_chunk_mut::<8>() {
            *head = [kind, 0, 0, 0, 0, high, low, 0];
        }
        page
    }

    /// Puts the pages `freed` in front of the free list, of which `first` (page 1) knows the head.
    fn free(&mut self, mut first: Vec<u8>, freed: &[u32], usable: usize) -> Result<(), StoreError> {
        let (mut head, mut count) = (word(&first, FREE_LIST_AT), word(&first, FREE_LIST_AT + 4));
        let entries = (usable / 4).saturating_sub(UNUSED_ENTRIES).max(2);
        for group in freed.chunks(entries) {
            let Some((trunk, leaves)) = group.split_first() else {
                continue;
            };
            let mut page = vec![0; self.page_bytes];
            let listed = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
            for (place, number) in [head, listed].iter().chain(leaves).enumerate() {
                put_word(&mut page, place * 4, *number);
            }
            self.replaced.insert(*trunk, page);
            for leaf in leaves {
                self.replaced.insert(*leaf, vec![0; self.page_bytes]);
            }
            head = *trunk;
            count = count.saturating_add(listed).saturating_add(1);
        }
        put_word(&mut first, FREE_LIST_AT, head);
        put_word(&mut first, FREE_LIST_AT + 4, count);
        self.replaced.insert(1, first);
        Ok(())
    }
}

fn word(page: &[u8], at: usize) -> u32 {
    let bytes = page.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn put_word(page: &mut [u8], at: usize, number: u32) {
    if let Some(place) = page.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = number.to_be_bytes();
    }
}

fn damaged(page: u32) -> StoreError {
    StoreError::Damaged {
        place: format!("page {page}"),
    }
}
