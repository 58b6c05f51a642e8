//! Moments and calendar dates as text, read, checked and compared without a clock or a time-zone table. A library takes
//! 151 kB for this (see "Hand-made pieces" in `plugin/README.md`).

/// A date of the Gregorian calendar that exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

impl Date {
    /// The date, if it exists.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (year <= 9999 && (1..=days).contains(&day)).then_some(Self { year, month, day })
    }

    /// Days since 1970-01-01.
    fn days(self) -> i64 {
        // Years begin in March, so that the leap day is their last (H. Hinnant, "chrono-Compatible Low-Level Date
        // Algorithms").
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// `YYYY-MM-DD`.
    pub fn push_to(self, out: &mut String) {
        push_two(out, u32::from(self.year / 100));
        push_two(out, u32::from(self.year % 100));
        out.push('-');
        push_two(out, u32::from(self.month));
        out.push('-');
        push_two(out, u32::from(self.day));
    }
}

/// A moment as written: date and time of day of the booked zone, and that zone's offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    pub date: Date,
    pub hour: u8,
    pub minute: u8,
    /// Without a fraction: Salesforce keeps whole seconds.
    pub second: u8,
    /// Minutes east of Greenwich.
    pub offset: i16,
}

impl Moment {
    /// Reads RFC 3339 text, and Salesforce's own form (`2026-12-01T23:30:00.000+0000`).
    pub fn parse(text: &str) -> Option<Self> {
        let mut scan = Scan(text.as_bytes());
        let date = scan.date(b'-')?;
        scan.one_of(b"Tt ")?;
        let (hour, minute) = (scan.digits(2)?, scan.colon_digits()?);
        let second = scan.colon_digits()?;
        if scan.one_of(b".").is_some() {
            scan.digits(1)?;
            while scan.digits(1).is_some() {}
        }
        let offset = match scan.one_of(b"Zz+-")? {
            b'Z' | b'z' => 0,
            sign => {
                let hours = scan.digits(2)?;
                let _ = scan.one_of(b":");
                let minutes = scan.digits(2)?;
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let east = i16::try_from(hours * 60 + minutes).ok()?;
                if sign == b'-' { -east } else { east }
            }
        };
        // A leap second becomes the last second that every clock knows.
        (scan.is_done() && hour < 24 && minute < 60 && second <= 60).then_some(Self {
            date,
            hour: u8::try_from(hour).ok()?,
            minute: u8::try_from(minute).ok()?,
            second: u8::try_from(second.min(59)).ok()?,
            offset,
        })
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.date.days() * 86_400 + i64::from(self.hour) * 3_600 + i64::from(self.minute) * 60 + i64::from(self.second)
            - i64::from(self.offset) * 60
    }

    /// RFC 3339 text with the offset as written.
    pub fn push_to(self, out: &mut String) {
        self.date.push_to(out);
        out.push('T');
        self.push_time_to(out);
        if self.offset == 0 {
            out.push('Z');
        } else {
            out.push(if self.offset < 0 { '-' } else { '+' });
            let minutes = u32::from(self.offset.unsigned_abs());
            push_two(out, minutes / 60);
            out.push(':');
            push_two(out, minutes % 60);
        }
    }

    /// `hh:mm:ss` as written.
    pub fn push_time_to(self, out: &mut String) {
        push_two(out, u32::from(self.hour));
        out.push(':');
        push_two(out, u32::from(self.minute));
        out.push(':');
        push_two(out, u32::from(self.second));
    }

    /// Reads the date of an HTTP header, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). Servers write
    /// no other form.
    pub fn parse_http(text: &str) -> Option<Self> {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (_, text) = text.trim().split_once(", ")?;
        let mut parts = text.split(' ');
        let (day, month, year) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?.parse().ok()?);
        let (time, zone) = (parts.next()?, parts.next()?);
        let month = MONTHS.iter().position(|known| *known == month)?;
        let date = Date::new(year, u8::try_from(month + 1).ok()?, day)?;
        let mut text = String::with_capacity(20);
        date.push_to(&mut text);
        text.push('T');
        text.push_str(time);
        text.push('Z');
        Self::parse(&text).filter(|_| zone == "GMT" && parts.next().is_none())
    }

    /// The moment this many seconds after 1970-01-01T00:00:00Z, in UTC.
    pub fn at(unix: i64) -> Self {
        let (days, of_day) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
        // The inverse of `Date::days`.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |value: i64| u8::try_from(value).unwrap_or_default();
        Self {
            date: Date {
                year: u16::try_from(year).unwrap_or_default(),
                month: small(month),
                day: small(day_of_year - (153 * from_march + 2) / 5 + 1),
            },
            hour: small(of_day / 3_600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
            offset: 0,
        }
    }
}

/// Reads ASCII text from the left.
pub struct Scan<'a>(pub &'a [u8]);

impl Scan<'_> {
    /// Exactly this many digits.
    pub fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut value = 0;
        for digit in digits {
            value = value * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        }
        self.0 = rest;
        Some(value)
    }

    /// One or two digits.
    pub fn up_to_two_digits(&mut self) -> Option<u32> {
        self.digits(2).or_else(|| self.digits(1))
    }

    /// A colon and two digits.
    pub fn colon_digits(&mut self) -> Option<u32> {
        self.one_of(b":")?;
        self.digits(2)
    }

    /// One of these bytes.
    pub fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// `YYYY`, `MM` and `DD` with this byte between them.
    fn date(&mut self, between: u8) -> Option<Date> {
        let year = self.digits(4)?;
        self.one_of(&[between])?;
        let month = self.digits(2)?;
        self.one_of(&[between])?;
        let day = self.digits(2)?;
        Date::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// Whether everything was read.
    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends a number below 100 as two digits.
fn push_two(out: &mut String, value: u32) {
    for digit in [value / 10, value % 10] {
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(moment: Moment) -> String {
        let mut out = String::new();
        moment.push_to(&mut out);
        out
    }

    #[test]
    fn a_moment_keeps_its_date_and_offset_as_written() {
        for (text, expected) in [
            ("2026-12-02T08:30:00+09:00", "2026-12-02T08:30:00+09:00"),
            ("2026-12-01T23:30:00.000+0000", "2026-12-01T23:30:00Z"),
            ("2026-12-01t23:30:00.123456z", "2026-12-01T23:30:00Z"),
            ("2026-07-01 00:00:59-03:30", "2026-07-01T00:00:59-03:30"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ] {
            assert_eq!(Moment::parse(text).map(written).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_moment_is_refused() {
        for text in [
            "",
            "2026-12-02",
            "2026-12-02T08:30:00",
            "2026-02-30T08:30:00Z",
            "2026-13-01T08:30:00Z",
            "2026-12-02T24:00:00Z",
            "2026-12-02T08:30:00+0900x",
            "２０２６-12-02T08:30:00Z",
            "2024-07-30 20:54:16 UTC",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_of_http_is_read_in_the_form_that_servers_write() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("1994-11-06T08:49:37Z")),
            (" Thu, 29 Feb 2024 23:59:60 GMT ", Some("2024-02-29T23:59:59Z")),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Sun, 06 Nov 1994 08:49:37 JST", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT x", None),
            ("Sun, 31 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 25:49:37 GMT", None),
            ("", None),
        ] {
            assert_eq!(Moment::parse_http(text).map(written).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn moments_are_counted_and_turned_back() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-12-02T08:30:00+09:00", 1_796_167_800),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.unix(), unix, "{text}");
            assert_eq!(Moment::at(unix).unix(), unix, "{text}");
        }
        let moment = Moment::parse("2026-03-01T00:00:30+09:00").unwrap();
        assert_eq!(written(Moment::at(moment.unix() - 60)), "2026-02-28T14:59:30Z");
    }
}
