//! Bookings and mappings that no well-behaved host sends, determined by a seed.

use acceptance::samples;
use anyhow::Result;
use crm_host::types::{
    Answer, AnswerValue, Booking, BookingKind, ChosenOption, FieldType, History, LeadField, Mapping, MappingRow,
    OauthError, OauthStage, Parameter, Payment, Person, PicklistValue, Place, PlaceKind, Question, QuestionKind,
    Source, UnknownTries,
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

    fn id(&mut self) -> String {
        let name = self.one(&["q0", "q1", "q2", "q3"]);
        if self.below(4) > 0 { name.into() } else { self.text() }
    }

    fn person(&mut self) -> Person {
        Person { id: self.perhaps(Self::text), name: self.perhaps(Self::text), email: self.perhaps(Self::text) }
    }

    fn parameter(&mut self) -> Parameter {
        let name = if self.below(2) == 0 { "utm_source".into() } else { self.text() };
        Parameter { name, value: self.text() }
    }

    fn kind(&mut self) -> QuestionKind {
        use QuestionKind as Q;
        self.one(&[
            Q::Text,
            Q::Paragraph,
            Q::Radio,
            Q::Dropdown,
            Q::Checkboxes,
            Q::Consent,
            Q::Number,
            Q::Date,
            Q::Name,
            Q::Company,
            Q::Email,
            Q::Phone,
            Q::Url,
            Q::Comment,
            Q::Other,
        ])
    }

    fn answer(&mut self) -> Answer {
        let value = self.perhaps(|odd| match odd.below(4) {
            0 => AnswerValue::Text(odd.text()),
            1 => AnswerValue::Choices(odd.several(6, Self::text)),
            2 => AnswerValue::Number(odd.text()),
            _ => AnswerValue::Boolean(odd.below(2) == 0),
        });
        Answer { question_id: self.id(), label: self.text(), kind: self.kind(), required: self.below(2) == 0, value }
    }

    pub fn questions(&mut self) -> Vec<Question> {
        self.several(6, |odd| Question {
            id: odd.id(),
            label: odd.text(),
            kind: odd.kind(),
            required: odd.below(2) == 0,
            choices: odd.several(5, Self::text),
        })
    }

    fn time(&mut self) -> String {
        let time = self.one(&[
            "2026-12-02T08:30:00+09:00",
            "2026-12-31T23:59:59-12:00",
            "1900-01-01T00:00:00Z",
            "0000-00-00",
            "",
        ]);
        if self.below(4) > 0 { time.into() } else { self.text() }
    }

    pub fn booking(&mut self) -> Result<Booking> {
        let mut booking = samples::japanese_booking()?;
        booking.kind = if self.below(3) == 0 { BookingKind::Rescheduled(self.text()) } else { BookingKind::New };
        booking.id = self.text();
        booking.team.id = self.text();
        booking.title = self.text();
        (booking.start, booking.end, booking.confirmed_at) = (self.time(), self.time(), self.time());
        booking.time_zone = self.one(&["Asia/Tokyo", "UTC", "", "No/Where", "'"]).into();
        let guest = &mut booking.guest;
        guest.name = self.text();
        for part in [
            &mut guest.family_name,
            &mut guest.given_name,
            &mut guest.family_name_kana,
            &mut guest.given_name_kana,
            &mut guest.email,
            &mut guest.phone,
            &mut guest.company,
            &mut guest.locale,
        ] {
            *part = self.perhaps(Self::text);
        }
        booking.companions = self.several(3, Self::person);
        booking.hosts = self.several(3, Self::person);
        booking.place = self.perhaps(|odd| Place {
            kind: odd.one(&[PlaceKind::Online, PlaceKind::Phone, PlaceKind::InPerson, PlaceKind::Other]),
            provider: odd.perhaps(Self::text),
            join_url: odd.perhaps(Self::text),
            address: odd.perhaps(Self::text),
        });
        booking.answers = self.several(6, Self::answer);
        booking.tracking = self.several(4, Self::parameter);
        booking.extra = self.several(4, Self::parameter);
        booking.comment = self.perhaps(Self::text);
        booking.payment =
            self.perhaps(|odd| Payment { provider: odd.text(), amount: odd.text(), currency: odd.text() });
        Ok(booking)
    }

    fn number(&mut self) -> u32 {
        self.one(&[0, 1, 2, 18, 40, 255, 32_768, u32::MAX])
    }

    fn field_type(&mut self) -> FieldType {
        use FieldType as F;
        let other = F::Other(self.text());
        self.one(&[
            F::Text,
            F::TextArea,
            F::Email,
            F::Phone,
            F::Url,
            F::Integer,
            F::Number,
            F::Currency,
            F::Percent,
            F::Checkbox,
            F::Date,
            F::DateTime,
            F::Time,
            F::Picklist,
            F::MultiSelectPicklist,
            F::Combobox,
            F::Reference,
            other,
        ])
    }

    /// One of the org's fields, as a possibly outdated snapshot.
    fn field(&mut self, fields: &[LeadField]) -> LeadField {
        let mut field = self.one(fields);
        if self.below(2) == 0 {
            field.field_type = self.field_type();
            field.length = self.perhaps(Self::number);
            (field.precision, field.scale) = (self.number(), self.number());
            field.required = self.below(2) == 0;
            field.restricted = self.below(2) == 0;
            field.values = self.several(6, |odd| PicklistValue {
                value: odd.text(),
                label: odd.text(),
                active: odd.below(3) > 0,
                is_default: odd.below(2) == 0,
                valid_for: odd.perhaps(|odd| odd.several(3, Self::text)),
            });
            field.controlling_field = self.perhaps(Self::text);
            field.reference_to = self.several(2, Self::text);
        }
        if self.below(12) == 0 {
            field.name = self.text();
        }
        field
    }

    fn source(&mut self) -> Source {
        match self.below(5) {
            0 => Source::Answer(self.id()),
            1 => Source::Booking(
                self.one(&["guest.email", "guest.family-name", "guest.name", "start-date", "place.address", "no.such"])
                    .into(),
            ),
            2 => Source::Tracking(self.parameter().name),
            3 => Source::Fixed(self.text()),
            _ => Source::Template(self.text()),
        }
    }

    pub fn mapping(&mut self, fields: &[LeadField]) -> Mapping {
        let rows = self.several(24, |odd| MappingRow {
            field: odd.field(fields),
            source: odd.source(),
            fallback: odd.perhaps(Self::text),
        });
        let choices = [
            ("existing", &["create-another", "keep", "fill-empty", "overwrite"][..]),
            ("duplicates", &["refuse", "save-anyway", "use-match"]),
            ("booking-id-field", &["none", "BookingId__c", "LastName"]),
            ("assignment-rules", &["run", "skip", "01Q5i000000AbCdEAV"]),
            ("record-type", &["default", "0125i000000AbCdAAK"]),
            ("owner", &["default", "0055i000000AbCdAAK"]),
        ];
        let options = self.several(5, |odd| {
            let (id, values) = odd.one(&choices);
            let value = if odd.below(6) == 0 { odd.text() } else { odd.one(values).into() };
            ChosenOption { id: id.into(), value }
        });
        Mapping { rows, options }
    }

    pub fn history(&mut self) -> History {
        let unknown_tries = self.perhaps(|odd| UnknownTries { oldest: odd.time(), newest: odd.time() });
        let lead_id = self.perhaps(|odd| odd.one(&["00Q5i000001AbCdEAV", "x", ""]).to_owned());
        History { now: self.time(), lead_id, first_try: self.perhaps(Self::time), unknown_tries }
    }

    pub fn oauth_error(&mut self) -> OauthError {
        use OauthStage as S;
        OauthError {
            stage: self.one(&[S::Authorize, S::Exchange, S::Refresh, S::Revoke]),
            error: self.text(),
            description: self.perhaps(Self::text),
            http_status: self.perhaps(|odd| odd.one(&[0, 200, 400, 429, 500, 65_535])),
        }
    }
}
