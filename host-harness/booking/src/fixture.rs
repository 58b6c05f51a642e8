//! A booking that has everything, for tests here and, with feature `fixture`, of crates that depend on this one.

use crm_contract::Parameter;

use crate::{
    Answer, AnswerValue, Booking, Calendar, Guest, Kind, Payment, Person, Place, PlaceKind, QuestionKind, Team,
};

/// The guest of [`booking`].
pub fn guest() -> Guest {
    Guest {
        name: "山田　太郎".into(),
        family_name: None,
        given_name: None,
        family_name_kana: Some("ヤマダ".into()),
        given_name_kana: Some("タロウ".into()),
        email: Some("Taro.Yamada@example.com".into()),
        phone: Some("03-1234-5678".into()),
        company: Some("株式会社サンプル＆パートナーズ".into()),
        locale: Some("ja".into()),
    }
}

/// A confirmed booking with a value in every member, and an answer of every kind.
pub fn booking() -> Booking {
    let person = |id: Option<&str>, name: Option<&str>, email: Option<&str>| Person {
        id: id.map(Into::into),
        name: name.map(Into::into),
        email: email.map(Into::into),
    };
    let parameter = |name: &str, value: &str| Parameter { name: name.into(), value: value.into() };
    let answer = |id: &str, kind, value| Answer {
        question_id: id.into(),
        label: id.to_uppercase(),
        kind,
        required: false,
        value,
    };
    let text = |text: &str| Some(AnswerValue::Text(text.into()));
    let choices =
        |choices: &[&str]| Some(AnswerValue::Choices(choices.iter().map(|choice| (*choice).into()).collect()));
    Booking {
        kind: Kind::Confirmed,
        id: "b-1".into(),
        previous_id: None,
        change_id: Some("b-1:1".into()),
        changed_at: Some("2026-11-22T03:04:05.678Z".into()),
        team: Team { id: "team-1".into(), name: Some("営業".into()) },
        calendar: Calendar {
            id: "calendar-1".into(),
            name: "製品デモ（30分）".into(),
            url: Some("https://bookings.example/demo".into()),
            locale: Some("ja".into()),
        },
        title: "製品デモ".into(),
        start: "2026-12-02T08:30:00+09:00".into(),
        end: "2026-12-02T09:00:00+09:00".into(),
        confirmed_at: Some("2026-11-22T12:04:05+09:00".into()),
        time_zone: "Asia/Tokyo".into(),
        guest: guest(),
        companions: vec![
            person(None, Some("鈴木 一郎"), Some("ichiro@example.com")),
            person(None, None, Some("jiro@example.com")),
        ],
        hosts: vec![
            person(Some("u-1"), Some("佐藤 花子"), Some("hanako@example.co.jp")),
            person(Some("u-2"), Some("Ken Ito"), Some("ken@example.co.jp")),
        ],
        place: Some(Place {
            kind: PlaceKind::Online,
            provider: Some("zoom".into()),
            join_url: Some("https://zoom.example/j/1".into()),
            address: Some("オンライン".into()),
        }),
        answers: vec![
            answer("q-company", QuestionKind::Company, text("株式会社サンプル＆パートナーズ")),
            answer("q-employees", QuestionKind::Radio, choices(&["51-300"])),
            answer("q-interests", QuestionKind::Checkboxes, choices(&["予約", "請求"])),
            answer(
                "q-topic",
                QuestionKind::Paragraph,
                text("現在の手入力を減らしたい。\n「O'Brien & 田中」様の紹介です。👩‍💻"),
            ),
            answer("q-consent", QuestionKind::Consent, choices(&["同意します"])),
            answer("q-budget", QuestionKind::Number, Some(AnswerValue::Number("-12.50".into()))),
            answer("q-visited", QuestionKind::Radio, Some(AnswerValue::Boolean(false))),
            answer("q-empty", QuestionKind::Text, text("")),
            answer("q-not-shown", QuestionKind::Text, None),
            answer("q-none-taken", QuestionKind::Checkboxes, choices(&[])),
        ],
        tracking: vec![parameter("utm_source", "newsletter"), parameter("ref", "a"), parameter("ref", "b")],
        form: None,
        comment: Some("よろしくお願いします。".into()),
        payment: Some(Payment { provider: "stripe".into(), amount: "5500".into(), currency: "JPY".into() }),
        extra: vec![parameter("plan", "first"), parameter("plan", "second")],
    }
}
