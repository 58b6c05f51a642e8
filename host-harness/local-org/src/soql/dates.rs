//! Date literals: days relative to today, and whole weeks, months, quarters and years relative to the current one.

use jiff::{
    Span, ToSpan,
    civil::{Date, Weekday},
};

/// Maximum count in a literal. The limit is ours: the resulting date must exist.
const LARGEST: i64 = 9_999;

/// A range of units, relative to the current one (0), first and last inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Days {
    unit: Unit,
    first: i64,
    last: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Days {
    /// Parses an uppercase literal ("Date Formats and Date Literals" in the SOQL reference). Fiscal years are calendar
    /// years, which is the default until an admin changes it.
    pub fn of(literal: &str) -> Option<Self> {
        let days = |first, last| Some(Self { unit: Unit::Day, first, last });
        match literal {
            "TODAY" => return days(0, 0),
            "YESTERDAY" => return days(-1, -1),
            "TOMORROW" => return days(1, 1),
            "LAST_90_DAYS" => return days(-90, 0),
            "NEXT_90_DAYS" => return days(1, 90),
            _ => {}
        }
        let Some((name, count)) = literal.split_once(':') else {
            let (which, unit) = literal.split_once('_')?;
            let (at, unit) = (["LAST", "THIS", "NEXT"].iter().zip(-1..).find(|(name, _)| **name == which)?.1, unit);
            // There is no THIS_DAY; days use TODAY.
            let unit = Unit::of(unit).filter(|unit| *unit != Unit::Day)?;
            return Some(Self { unit, first: at, last: at });
        };
        let count = count.parse().ok().filter(|count| (0..=LARGEST).contains(count))?;
        let plural = |name: &str| name.strip_suffix('S').and_then(Unit::of);
        if let Some(unit) = name.strip_prefix("LAST_N_").and_then(plural) {
            // LAST_N_DAYS includes today; with longer units the current one is excluded.
            return Some(Self { unit, first: -count, last: if unit == Unit::Day { 0 } else { -1 } });
        }
        if let Some(unit) = name.strip_prefix("NEXT_N_").and_then(plural) {
            return Some(Self { unit, first: 1, last: count });
        }
        let unit = name.strip_prefix("N_").and_then(|name| name.strip_suffix("_AGO")).and_then(plural)?;
        Some(Self { unit, first: -count, last: -count })
    }

    /// First and last day, inclusive.
    pub fn bounds(self, today: Date, week_begins: Weekday) -> (Date, Date) {
        let current = self.unit.begin(today, week_begins);
        let begin = |count: i64| current.saturating_add(self.unit.times(count));
        (begin(self.first), begin(self.last + 1).saturating_sub(1.day()))
    }
}

impl Unit {
    fn of(name: &str) -> Option<Self> {
        match name.strip_prefix("FISCAL_") {
            Some("QUARTER") => Some(Self::Quarter),
            Some("YEAR") => Some(Self::Year),
            Some(_) => None,
            None => match name {
                "DAY" => Some(Self::Day),
                "WEEK" => Some(Self::Week),
                "MONTH" => Some(Self::Month),
                "QUARTER" => Some(Self::Quarter),
                "YEAR" => Some(Self::Year),
                _ => None,
            },
        }
    }

    /// First day of the unit that contains `day`.
    fn begin(self, day: Date, week_begins: Weekday) -> Date {
        match self {
            Self::Day => day,
            Self::Week => day.saturating_sub(i64::from(day.weekday().since(week_begins)).days()),
            Self::Month => day.first_of_month(),
            Self::Quarter => day.first_of_month().saturating_sub(i64::from((day.month() - 1) % 3).months()),
            Self::Year => day.first_of_year(),
        }
    }

    fn times(self, count: i64) -> Span {
        match self {
            Self::Day => count.days(),
            Self::Week => count.weeks(),
            Self::Month => count.months(),
            Self::Quarter => (count * 3).months(),
            Self::Year => count.years(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_never_overflow_the_calendar() {
        for unit in ["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"] {
            for literal in
                [format!("LAST_N_{unit}S:9999"), format!("NEXT_N_{unit}S:9999"), format!("N_{unit}S_AGO:9999")]
            {
                for today in [Date::MIN, Date::ZERO, Date::MAX] {
                    Days::of(&literal).unwrap().bounds(today, Weekday::Sunday);
                }
            }
        }
        assert_eq!(Days::of("LAST_N_YEARS:10000"), None);
    }
}
