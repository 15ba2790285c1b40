//! From tokens to alternatives: single bounds first, then what a list of them means.

use std::cmp::Ordering;

use super::operand::{self, Operand};
use super::token::{self, Operator, Token};
use super::{
    Bound, Condition, ConditionKind, Confidence, DateOf, Found, How, Interval, Source, Unit,
    WhyUnreadable,
};
use crate::version::Version;

/// One bound, range, version or name, and whether a `|` stands before it.
struct Atom {
    interval: Interval,
    after_bar: bool,
}

impl Atom {
    fn is_low(&self) -> bool {
        self.interval.low.is_some() && self.interval.high.is_none()
    }

    fn is_high(&self) -> bool {
        self.interval.low.is_none() && self.interval.high.is_some()
    }

    fn is_listed(&self) -> bool {
        self.interval.how == How::Listed
    }
}

struct Parser<'t> {
    source: Source<'t>,
    tokens: &'t [Token<'t>],
    at: usize,
    atoms: Vec<Atom>,
    conditions: Vec<Condition>,
    date_of: DateOf,
    bar: bool,
    /// Something was said that no rule takes into account.
    doubtful: bool,
}

/// Reads the tokens.
pub(super) fn combine<'t>(
    source: Source<'t>,
    tokens: &'t [Token<'t>],
) -> Result<Found, WhyUnreadable> {
    if let [Token::Paren(inner)] = tokens {
        let tokens = token::tokens(inner);
        // Brackets in brackets are a remark, so this ends.
        return match tokens.as_slice() {
            [] | [Token::Paren(_)] => Err(WhyUnreadable::Grammar),
            tokens => parse(source, tokens),
        };
    }
    parse(source, tokens)
}

fn parse(source: Source<'_>, tokens: &[Token<'_>]) -> Result<Found, WhyUnreadable> {
    let mut parser = Parser {
        source,
        tokens,
        at: 0,
        atoms: Vec::new(),
        conditions: Vec::new(),
        date_of: DateOf::Unsaid,
        bar: false,
        doubtful: false,
    };
    while parser.at < tokens.len() {
        parser.step()?;
    }
    parser.finish()
}

impl<'t> Parser<'t> {
    fn peek(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn step(&mut self) -> Result<(), WhyUnreadable> {
        let Some(token) = self.peek(0) else {
            return Ok(());
        };
        self.at += 1;
        match token {
            Token::Bar => self.bar = true,
            Token::Join => {}
            Token::All => self.all()?,
            Token::Between => self.between()?,
            Token::Cve(text) => self.condition(ConditionKind::Cve, text),
            Token::Date(of) => self.date_of = of,
            Token::Sign(operator) => self.operator(operator, How::Operator)?,
            Token::Word(operator) => self.operator(operator, How::Words)?,
            Token::Paren(inner) => {
                // `<= 7.20 (7.50 may also be affected)`: the range is not all that is said.
                self.doubtful |= !inner.starts_with("with")
                    && (has_dotted_number(inner) || says_of_other_versions(inner));
                self.condition(Condition::kind_of(inner), inner);
            }
            Token::Tail(text) => {
                if self.atoms.is_empty() {
                    self.push(Interval::all());
                }
                self.condition(Condition::kind_of(text), text);
            }
            Token::Text(text) => self.text(text)?,
            // A dash before brackets or at an end joins nothing.
            Token::Span
                if matches!(
                    self.peek(0),
                    None | Some(Token::Bar | Token::Paren(_) | Token::Tail(_))
                ) => {}
            Token::Except => return Err(WhyUnreadable::Exclusion),
            Token::Behind(_) | Token::Excluding | Token::Including | Token::Span => {
                return Err(WhyUnreadable::Grammar);
            }
        }
        Ok(())
    }

    fn condition(&mut self, kind: ConditionKind, text: &str) {
        self.doubtful |= kind != ConditionKind::Cve && text.contains("affected");
        self.conditions
            .push(Condition::new(kind, self.source.shown(text)));
    }

    fn push(&mut self, interval: Interval) {
        self.atoms.push(Atom {
            interval,
            after_bar: self.bar,
        });
        self.bar = false;
    }

    /// `All versions`, unless more follows that says which.
    fn all(&mut self) -> Result<(), WhyUnreadable> {
        while matches!(self.peek(0), Some(Token::Text(text)) if operand::is_lead(text)) {
            self.at += 1;
        }
        match self.peek(0) {
            Some(
                Token::Sign(_) | Token::Word(_) | Token::Between | Token::Date(_) | Token::Text(_),
            ) => Ok(()),
            Some(Token::Behind(_) | Token::Span | Token::Including | Token::Excluding) => {
                Err(WhyUnreadable::Grammar)
            }
            _ => {
                self.push(Interval::all());
                Ok(())
            }
        }
    }

    /// The text or the brackets that must follow.
    fn operand(&mut self, operator: bool) -> Result<Operand, WhyUnreadable> {
        if let Some(Token::Date(of)) = self.peek(0) {
            self.date_of = of;
            self.at += 1;
        }
        let Some(Token::Text(text) | Token::Paren(text)) = self.peek(0) else {
            return Err(WhyUnreadable::Grammar);
        };
        self.at += 1;
        operand::read(self.source, text, operator)
    }

    /// `(including)` or `(excluding)` behind a version.
    fn mark(&mut self) -> Option<bool> {
        let inclusive = match self.peek(0) {
            Some(Token::Including) => true,
            Some(Token::Excluding) => false,
            _ => return None,
        };
        self.at += 1;
        Some(inclusive)
    }

    fn operator(&mut self, operator: Operator, how: How) -> Result<(), WhyUnreadable> {
        if operator == Operator::Not {
            return Err(WhyUnreadable::Exclusion);
        }
        let operand = self.operand(true)?;
        let mark = self.mark();
        if operator == Operator::Equal {
            return self.listed(operand);
        }
        let (bound, unit) = one_bound(operand, operator)?;
        // `from 3.0 to 3.2`.
        if operator == Operator::AtLeast
            && how == How::Words
            && matches!(self.peek(0), Some(Token::Span))
        {
            self.at += 1;
            return self.range_from(bound, unit, true);
        }
        let bound = Bound {
            inclusive: mark.unwrap_or(bound.inclusive),
            ..bound
        };
        let interval = self.side(operator, bound, unit, how);
        self.push(interval);
        Ok(())
    }

    fn side(&self, operator: Operator, bound: Bound, unit: Unit, how: How) -> Interval {
        let unit = self.dated(unit);
        match operator {
            Operator::AtLeast | Operator::Above => Interval {
                low: Some(bound),
                high: None,
                unit,
                how,
            },
            _ => Interval {
                low: None,
                high: Some(bound),
                unit,
                how,
            },
        }
    }

    fn dated(&self, unit: Unit) -> Unit {
        if matches!(unit, Unit::Date(_)) {
            Unit::Date(self.date_of)
        } else {
            unit
        }
    }

    fn between(&mut self) -> Result<(), WhyUnreadable> {
        let (low, unit) = one_bound(self.operand(true)?, Operator::AtLeast)?;
        let mark = self.mark();
        if !matches!(self.peek(0), Some(Token::Join | Token::Span)) {
            return Err(WhyUnreadable::Grammar);
        }
        self.at += 1;
        let low = Bound {
            inclusive: mark.unwrap_or(true),
            ..low
        };
        self.range_from(low, unit, true)
    }

    /// The upper end of a range whose lower end is read.
    fn range_from(&mut self, low: Bound, unit: Unit, inclusive: bool) -> Result<(), WhyUnreadable> {
        let (high, other) = one_bound(self.operand(true)?, Operator::AtMost)?;
        let inclusive = self.mark().unwrap_or(inclusive);
        let high = Bound { inclusive, ..high };
        if !matches!(
            low.version.compare(&high.version),
            Ok(Ordering::Less | Ordering::Equal)
        ) {
            return Err(WhyUnreadable::Grammar);
        }
        let unit = self.dated(if unit == Unit::Mark { other } else { unit });
        self.push(Interval {
            low: Some(low),
            high: Some(high),
            unit,
            how: How::Range,
        });
        Ok(())
    }

    /// A text without an operator before it.
    fn text(&mut self, text: &'t str) -> Result<(), WhyUnreadable> {
        if operand::is_lead(text) && self.tokens.len() > 1 {
            return Ok(());
        }
        let next = self.peek(0);
        let operator = matches!(next, Some(Token::Behind(_) | Token::Sign(_) | Token::Span));
        match (next, operand::read(self.source, text, operator)) {
            (Some(Token::Behind(operator)), operand) => {
                self.at += 1;
                let (bound, unit) = one_bound(operand?, operator)?;
                let interval = self.side(operator, bound, unit, How::Words);
                self.push(interval);
            }
            (Some(Token::Sign(operator) | Token::Word(operator)), operand) => {
                self.at += 1;
                let (high, unit) = one_bound(self.operand(true)?, operator)?;
                let low = operand.and_then(|operand| one_bound(operand, Operator::AtLeast));
                let below = matches!(operator, Operator::AtMost | Operator::Below);
                match low {
                    Ok((low, _))
                        if below
                            && matches!(
                                low.version.compare(&high.version),
                                Ok(Ordering::Less | Ordering::Equal)
                            ) =>
                    {
                        let unit = self.dated(unit);
                        self.push(Interval {
                            low: Some(low),
                            high: Some(high),
                            unit,
                            how: How::Range,
                        });
                    }
                    // `NMC2 <= 6.9.6`: the versions of another thing that is named, of which the device's says nothing.
                    _ => {
                        self.doubtful = true;
                        self.condition(ConditionKind::OtherPart, text);
                        let interval = self.side(operator, high, unit, How::Operator);
                        self.push(interval);
                    }
                }
            }
            (Some(Token::Span), Ok(Operand::Bound(low, unit)))
                if matches!(self.peek(1), Some(Token::Text(_))) =>
            {
                self.at += 1;
                self.range_from(low, unit, true)?;
            }
            (Some(Token::Span), _) => {
                // A dash between two names: both are kept.
                self.at += 1;
                self.listed(operand::read(self.source, text, false)?)?;
            }
            (Some(Token::Including | Token::Excluding), Ok(Operand::Bound(low, unit)))
                if matches!(self.peek(1), Some(Token::Join | Token::Span)) =>
            {
                let inclusive = self.mark().unwrap_or(true);
                self.at += 1;
                self.range_from(Bound { inclusive, ..low }, unit, true)?;
            }
            (_, operand) => self.listed(operand?)?,
        }
        Ok(())
    }

    fn listed(&mut self, operand: Operand) -> Result<(), WhyUnreadable> {
        match operand {
            Operand::Bound(bound, unit) => {
                let unit = self.dated(unit);
                let how = How::Listed;
                self.push(Interval {
                    low: Some(bound.clone()),
                    high: Some(bound),
                    unit,
                    how,
                });
            }
            Operand::Span(low, high) => {
                if low.version.compare(&high.version) == Ok(Ordering::Greater) {
                    return Err(WhyUnreadable::Grammar);
                }
                self.push(Interval {
                    low: Some(low),
                    high: Some(high),
                    unit: Unit::Version,
                    how: How::Range,
                });
            }
            Operand::Several(bounds) => {
                for bound in bounds {
                    self.push(Interval {
                        low: Some(bound.clone()),
                        high: Some(bound),
                        unit: Unit::Version,
                        how: How::Listed,
                    });
                }
            }
            Operand::Name(version) => {
                let bound = Bound {
                    version,
                    inclusive: true,
                    whole: false,
                };
                self.push(Interval {
                    low: Some(bound.clone()),
                    high: Some(bound),
                    unit: Unit::Model,
                    how: How::Listed,
                });
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Found, WhyUnreadable> {
        if self.atoms.is_empty() {
            if self.conditions.is_empty() {
                return Err(WhyUnreadable::Grammar);
            }
            self.push(Interval::all());
        }
        let mut confidence = self.pair();
        let mut branches = false;
        let count =
            |wanted: fn(&Atom) -> bool| self.atoms.iter().filter(|atom| wanted(atom)).count();
        let (lows, highs, listed) = (
            count(Atom::is_low),
            count(Atom::is_high),
            count(Atom::is_listed),
        );
        let all = count(|atom| atom.interval.how == How::All);
        let total = self.atoms.len();
        let conditioned = self.conditions.iter().any(Condition::must_hold);
        if self.doubtful || (highs >= 2 && conditioned) {
            confidence = Confidence::Doubtful;
        } else if highs >= 2 && highs == total {
            match self.branch() {
                Some(found) => {
                    branches = found;
                    confidence = confidence.min(Confidence::ByRule);
                }
                None => confidence = Confidence::Doubtful,
            }
        } else if highs > 1
            || lows > 1
            || (listed > 0 && lows + highs > 0)
            || (all > 0 && total > all)
        {
            // An operator may be meant for what follows it in the list, too.
            confidence = Confidence::Doubtful;
        } else if total > 1 || conditioned {
            confidence = confidence.min(Confidence::ByRule);
        }
        let names = self
            .atoms
            .iter()
            .any(|atom| atom.interval.unit == Unit::Model);
        let alternatives = self
            .atoms
            .into_iter()
            .map(|atom| {
                let mut interval = atom.interval;
                // Beside names, numbers are names.
                if names && interval.unit == Unit::Mark {
                    interval.unit = Unit::Model;
                }
                interval
            })
            .collect();
        Ok(Found {
            alternatives,
            conditions: self.conditions,
            confidence,
            branches,
        })
    }

    /// Joins opposite bounds that stand side by side: `>= 1.0 | <= 1.3` is one range.
    fn pair(&mut self) -> Confidence {
        let mut confidence = Confidence::Plain;
        let mut paired: Vec<Atom> = Vec::with_capacity(self.atoms.len());
        for atom in self.atoms.drain(..) {
            let opposite = paired.last().is_some_and(|last| {
                let ends = (
                    &last.interval.low,
                    &last.interval.high,
                    &atom.interval.low,
                    &atom.interval.high,
                );
                match ends {
                    (Some(low), None, None, Some(high)) => in_order(&low.version, &high.version),
                    // `<= 9.4 | >= 10.2` is two things; without a bar it is a range written backwards.
                    (None, Some(high), Some(low), None) => {
                        !atom.after_bar && in_order(&low.version, &high.version)
                    }
                    _ => false,
                }
            });
            if !opposite {
                paired.push(atom);
                continue;
            }
            if let Some(last) = paired.last_mut() {
                confidence = Confidence::ByRule;
                last.interval.how = if atom.after_bar {
                    How::Paired
                } else {
                    How::Range
                };
                last.interval.low = last.interval.low.take().or(atom.interval.low);
                last.interval.high = last.interval.high.take().or(atom.interval.high);
            }
        }
        self.atoms = paired;
        confidence
    }

    /// Reads a list of upper bounds: one for each series (false), or one for each branch (true).
    fn branch(&mut self) -> Option<bool> {
        let highs: Vec<Version> = self
            .atoms
            .iter()
            .filter_map(|atom| {
                atom.interval
                    .high
                    .as_ref()
                    .map(|bound| bound.version.clone())
            })
            .collect();
        let pairs = || {
            highs
                .iter()
                .enumerate()
                .flat_map(|(at, a)| highs.iter().skip(at + 1).map(move |b| (a, b)))
        };
        if highs.iter().all(Version::has_series) && pairs().all(|(a, b)| a.compare(b).is_err()) {
            return Some(false);
        }
        if pairs().any(|(a, b)| a.compare(b).is_err() || a.same_branch(b) || b.same_branch(a)) {
            return None;
        }
        let lowest = highs.iter().reduce(|a, b| {
            if a.compare(b) == Ok(Ordering::Less) {
                a
            } else {
                b
            }
        })?;
        for atom in &mut self.atoms {
            let Some(high) = &atom.interval.high else {
                continue;
            };
            atom.interval.how = How::Branch;
            if high.version != *lowest {
                let (_, branch) = high.version.items().split_last()?;
                if branch.is_empty() {
                    return None;
                }
                let text = high.version.text();
                let text = text.rsplit_once('.').map_or(text, |(before, _)| before);
                atom.interval.low = Some(Bound {
                    version: Version::from_items(text, high.version.scheme(), branch.to_vec()),
                    inclusive: true,
                    whole: false,
                });
            }
        }
        Some(true)
    }
}

fn in_order(low: &Version, high: &Version) -> bool {
    matches!(low.compare(high), Ok(Ordering::Less | Ordering::Equal))
}

/// The bound that an operator makes of what follows it.
fn one_bound(operand: Operand, operator: Operator) -> Result<(Bound, Unit), WhyUnreadable> {
    let inclusive = matches!(
        operator,
        Operator::AtLeast | Operator::AtMost | Operator::Equal
    );
    match operand {
        Operand::Bound(bound, unit) => {
            let unit = if unit == Unit::Mark {
                Unit::Version
            } else {
                unit
            };
            // Before a month means before its first day, before 3.x before 3.
            Ok((Bound { inclusive, ..bound }, unit))
        }
        Operand::Span(low, high) => {
            let bound = if matches!(operator, Operator::AtMost | Operator::Above) {
                high
            } else {
                low
            };
            Ok((Bound { inclusive, ..bound }, Unit::Version))
        }
        Operand::Several(_) | Operand::Name(_) => Err(WhyUnreadable::Operand),
    }
}

fn has_dotted_number(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|three| matches!(three, [b'0'..=b'9', b'.', b'0'..=b'9']))
}

/// Whether a text in brackets says something of versions besides those before it.
fn says_of_other_versions(text: &str) -> bool {
    text.starts_with("or ")
        || text.split_whitespace().any(|word| {
            matches!(
                word,
                "also"
                    | "earlier"
                    | "later"
                    | "may"
                    | "newer"
                    | "older"
                    | "other"
                    | "possibly"
                    | "prior"
            )
        })
}
