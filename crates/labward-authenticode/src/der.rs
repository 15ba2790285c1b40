//! DER taken apart step by step: no more than what the caller asks for, so that depth and work are bounded by it.

use x509_parser::asn1_rs::{Any, Class, FromDer as _};

/// The tags that are asked for.
pub(crate) const INTEGER: u32 = 2;
pub(crate) const OCTETS: u32 = 4;
pub(crate) const OID: u32 = 6;
pub(crate) const SEQUENCE: u32 = 16;
pub(crate) const SET: u32 = 17;

/// One element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    class: Class,
    tag: u32,
    /// With its tag and length.
    pub(crate) whole: &'a [u8],
    /// Without them.
    pub(crate) content: &'a [u8],
}

/// What is left of the content of an element.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(crate) const fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// What was not taken yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The next one, if it has this tag of ASN.1's own.
    pub(crate) fn take(&mut self, tag: u32) -> Option<Element<'a>> {
        self.take_if(Class::Universal, tag)
    }

    /// The next one, if it has this tag of what it stands in.
    pub(crate) fn take_tagged(&mut self, tag: u32) -> Option<Element<'a>> {
        self.take_if(Class::ContextSpecific, tag)
    }

    /// Each of them, up to the first that cannot be read.
    pub(crate) fn each(mut self) -> impl Iterator<Item = Element<'a>> {
        std::iter::from_fn(move || self.next())
    }

    fn take_if(&mut self, class: Class, tag: u32) -> Option<Element<'a>> {
        let mut rest = *self;
        let element = rest.next()?;
        if (element.class, element.tag) != (class, tag) {
            return None;
        }
        *self = rest;
        Some(element)
    }

    /// The next one, whatever it is.
    fn next(&mut self) -> Option<Element<'a>> {
        let (rest, any) = Any::from_der(self.0).ok()?;
        let whole = self.0.get(..self.0.len().checked_sub(rest.len())?)?;
        self.0 = rest;
        Some(Element {
            class: any.class(),
            tag: any.tag().0,
            whole,
            content: any.data,
        })
    }
}

impl<'a> Element<'a> {
    /// What stands in it.
    pub(crate) const fn inside(&self) -> Elements<'a> {
        Elements(self.content)
    }
}
