//! Bookings and mappings that no well-behaved host sends, determined by a seed.

use crm_host::types::{
    Booking, BookingKind, Expectation, Field, History, Mapping, OauthError, OauthStage, Parameter, RecordRef, Row,
    SourceKind, UnknownTries, Value,
};

/// Strings that break careless code.
pub const NASTY: [&str; 24] = [
    "O'Neil \\' OR Name != '",
    "back\\slash \\\\ \\u0027",
    "100% a+b %27 %2B &amp; #?/",
    "\"quoted\", 'single', `tick`",
    "👩‍👩‍👧‍👦🏳️‍🌈😀𠮷",
    "e\u{301}\u{302}\u{303}\u{304}z\u{200d}\u{200d}",
    "\u{202e}abc\u{202c}\u{feff}\u{200b}x",
    "ｶﾞｷﾞｸﾞ１２３，４５６．７",
    "山田　太郎",
    "\u{0}\u{1}\u{7f}\u{85}a\tb\r\nc",
    "{guest.name} {answers.q} {{tracking.utm_source}} {",
    "}{ {answers.} {} {{",
    "は、い；x;y,z\nｘ",
    "2026-02-30",
    "9999-12-31T23:59:60+99:99",
    "-0000000000000000000000000000001e999999",
    "99999999999999999999999999999999999999.99999999999999999999",
    "NaN Infinity 0x10 ١٢٣ 一二三",
    "a@b",
    "very.long.local.part@sub.domain.example.co.jp",
    "https://例え.jp/\u{0}?q=<>\\",
    "00Q5i000001AbCdEAV",
    "true はい いいえ yes NO 1 0",
    "ǅ ß ﬁ İ ŉ ﷺ",
];

/// Random numbers determined by a seed (SplitMix64).
pub struct Odd(pub u64);

impl Odd {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap_or(1)).unwrap_or_default()
    }

    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of.get(self.below(of.len())).expect("something to choose from").clone()
    }

    /// Makes a value, or none.
    pub fn perhaps<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| make(self))
    }

    fn several<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    pub fn text(&mut self) -> String {
        let pieces = match self.below(8) {
            0 => 0,
            1..=5 => 1,
            6 => 2 + self.below(4),
            _ => 50 + self.below(400),
        };
        let glue = self.one(&["", " ", ";", "\u{3000}"]);
        let pieces = (0..pieces).map(|_| self.one(&NASTY)).collect::<Vec<_>>();
        pieces.join(glue)
    }

    fn parameter(&mut self) -> Parameter {
        Parameter { name: self.text(), value: self.text() }
    }

    fn moment(&mut self) -> String {
        let time = self.one(&[
            "2026-12-02T08:30:00+09:00",
            "2026-12-31T23:59:59-12:00",
            "1900-01-01T00:00:00Z",
            "0000-00-00",
            "08:30",
            "",
        ]);
        if self.below(4) > 0 { time.into() } else { self.text() }
    }

    fn value(&mut self) -> Value {
        match self.below(12) {
            0 => Value::Number(self.text()),
            1 => Value::Boolean(self.below(2) == 0),
            2 => Value::Date(self.moment()),
            3 => Value::Time(self.moment()),
            4 => Value::Moment(self.moment()),
            5 => Value::Choices(self.several(6, Self::text)),
            6 => Value::Agreed(self.several(2, Self::text)),
            7 => Value::Other(self.parameter()),
            _ => Value::Text(self.text()),
        }
    }

    fn kind(&mut self) -> BookingKind {
        match self.below(8) {
            0 => BookingKind::Rescheduled,
            1 => BookingKind::Cancelled,
            2 => BookingKind::Other(self.text()),
            _ => BookingKind::Confirmed,
        }
    }

    pub fn booking(&mut self) -> Booking {
        Booking {
            kind: self.kind(),
            id: self.text(),
            previous_id: self.perhaps(Self::text),
            team_id: self.text(),
            locale: self
                .perhaps(|odd| if odd.below(2) == 0 { odd.text() } else { odd.one(&["ja", "de-AT", "hu"]).into() }),
            more: self.several(3, Self::parameter),
        }
    }

    /// A field's memo, perhaps damaged, of another field, or from another version of the plugin.
    fn memo(&mut self, fields: &[Field]) -> String {
        let mut memo = self.one(fields).memo;
        match self.below(8) {
            0 => String::new(),
            1 => self.text(),
            2 => {
                let cut = self.below(memo.len() + 1);
                memo.truncate((0..=cut).rev().find(|cut| memo.is_char_boundary(*cut)).unwrap_or_default());
                memo
            }
            3 => {
                let digits = |c: char| if c.is_ascii_digit() { '9' } else { c };
                memo.chars().map(digits).collect()
            }
            4 => memo + &self.text(),
            _ => memo,
        }
    }

    fn field(&mut self, fields: &[Field]) -> (String, String) {
        let field = self.one(fields);
        let memo = if self.below(3) == 0 { self.memo(fields) } else { field.memo };
        (if self.below(12) == 0 { self.text() } else { field.name }, memo)
    }

    pub fn mapping(&mut self, fields: &[Field]) -> Mapping {
        let rows = self.several(24, |odd| {
            let (field, memo) = odd.field(fields);
            let other = SourceKind::Other(odd.text());
            Row {
                field,
                memo,
                value: odd.perhaps(Self::value),
                fallback: odd.perhaps(Self::value),
                source: odd.one(&[SourceKind::Guest, SourceKind::Meeting, SourceKind::Mapping, other]),
                on_change: odd.below(2) == 0,
            }
        });
        let target = if self.below(8) == 0 { Some(self.text()) } else { self.one(&[None, Some("Lead".to_owned())]) };
        Mapping { target, rows, options: self.options(), more: self.several(2, Self::parameter) }
    }

    pub fn options(&mut self) -> Vec<Parameter> {
        let choices = [
            ("existing", &["create-another", "keep", "fill-empty", "overwrite"][..]),
            ("duplicates", &["refuse", "save-anyway", "use-match"]),
            ("booking-id-field", &["none", "BookingId__c", "LastName"]),
            ("assignment-rules", &["run", "skip", "01Q5i000000AbCdEAV"]),
            ("record-type", &["default", "0125i000000AbCdAAK"]),
            ("owner", &["default", "0055i000000AbCdAAK"]),
        ];
        self.several(5, |odd| {
            let (id, values) = odd.one(&choices);
            let value = if odd.below(6) == 0 { odd.text() } else { odd.one(values).into() };
            Parameter { name: id.into(), value }
        })
    }

    pub fn expectations(&mut self, fields: &[Field]) -> Vec<Expectation> {
        let cases =
            ["text", "number", "boolean", "date", "time", "moment", "choices", "agreed", "other", "no such case"];
        let contents = ["name", "company", "email", "phone", "url", "id", "label", "no such content"];
        self.several(24, |odd| {
            let (field, memo) = odd.field(fields);
            Expectation {
                field,
                memo,
                gives: odd.several(4, |odd| odd.one(&cases).to_owned()),
                content: odd.perhaps(|odd| odd.one(&contents).to_owned()),
                several: odd.below(2) == 0,
                may_be_blank: odd.below(2) == 0,
                texts: odd.several(5, Self::text),
                fallback: odd.perhaps(Self::value),
                locale: odd.perhaps(Self::text),
                more: odd.several(2, Self::parameter),
            }
        })
    }

    pub fn kind_and_expectations(&mut self, fields: &[Field]) -> (BookingKind, Vec<Expectation>) {
        (self.kind(), self.expectations(fields))
    }

    fn instant(&mut self) -> u64 {
        self.one(&[0, 1, 999, 1_795_511_110_000, 1_795_511_110_001, 253_402_300_800_000, u64::MAX])
    }

    pub fn records(&mut self) -> Vec<RecordRef> {
        self.several(2, |odd| RecordRef {
            object: odd.one(&["Lead", "Contact", "", "lead"]).into(),
            id: odd.one(&["00Q5i000001AbCdEAV", "x", "", "../../limits"]).into(),
            url: odd.perhaps(Self::text),
        })
    }

    pub fn history(&mut self) -> History {
        History {
            now: self.instant(),
            records: self.records(),
            related: self.records(),
            first_try: self.perhaps(Self::instant),
            unknown_tries: self.perhaps(|odd| UnknownTries { oldest: odd.instant(), newest: odd.instant() }),
            more: self.several(2, Self::parameter),
        }
    }

    pub fn parameters(&mut self) -> Vec<Parameter> {
        self.several(4, Self::parameter)
    }

    pub fn oauth_error(&mut self) -> OauthError {
        use OauthStage as S;
        let other = S::Other(self.text());
        OauthError {
            stage: self.one(&[S::Authorize, S::Exchange, S::Refresh, S::Revoke, other]),
            code: self.perhaps(Self::text),
            http_status: self.perhaps(|odd| odd.one(&[0, 200, 400, 429, 500, 65_535])),
            more: self.parameters(),
        }
    }
}
