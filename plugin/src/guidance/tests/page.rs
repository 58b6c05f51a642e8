//! `docs/errors.md`: the help of this crate as a page, so that people find it without a host.

use crate::{
    bindings::{
        connection::OauthStage,
        guidance::{Actor, AdviceText},
        http::{Failure, FailureKind, Response},
        secrets::SecretError,
        types::{Effect, Problem, Reaction},
    },
    codes,
    guidance::{
        advice,
        causes::{CAUSES, Cause},
    },
    salesforce::{
        errors::{self, Call, problem_from_failure, problem_from_response, problem_from_secret_error},
        oauth_error,
    },
    texts::{Language, Text},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

fn text(en: &'static str, ja: &'static str) -> Text {
    Text { en, ja }
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md");
const COMMAND: &str = "UPDATE_DOCS=1 cargo test -p salesforce-leads errors_page";

#[test]
fn the_errors_page_is_up_to_date() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).unwrap();
        fs::write(PAGE, page).unwrap();
        return;
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page, "docs/errors.md is out of date; regenerate it with: {COMMAND}");
}

/// Sections of the table of contents: the reactions, and what the plugin finds by itself, whose reaction depends on
/// whether a booking or a mapping is at hand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    FixBooking,
    FixMapping,
    AskAdmin,
    Reconnect,
    Retry,
    CheckFirst,
    Finding,
}

impl Section {
    const ALL: [Self; 7] = [
        Self::FixBooking,
        Self::FixMapping,
        Self::AskAdmin,
        Self::Reconnect,
        Self::Retry,
        Self::CheckFirst,
        Self::Finding,
    ];

    fn of(reaction: &Reaction) -> Self {
        match reaction {
            Reaction::FixBooking => Self::FixBooking,
            Reaction::FixMapping => Self::FixMapping,
            Reaction::AskAdmin => Self::AskAdmin,
            Reaction::Reconnect => Self::Reconnect,
            Reaction::Retry => Self::Retry,
            Reaction::CheckFirst | Reaction::Other(_) => Self::CheckFirst,
        }
    }

    fn name(self) -> Text {
        match self {
            Self::FixBooking => text("`fix-booking`", "`fix-booking`"),
            Self::FixMapping => text("`fix-mapping`", "`fix-mapping`"),
            Self::AskAdmin => text("`ask-admin`", "`ask-admin`"),
            Self::Reconnect => text("`reconnect`", "`reconnect`"),
            Self::Retry => text("`retry`", "`retry`"),
            Self::CheckFirst => text("`check-first`", "`check-first`"),
            Self::Finding => text("finding", "チェック結果"),
        }
    }

    fn meaning(self) -> Text {
        match self {
            Self::FixBooking => text(
                "This booking can't be saved as it is. Somebody corrects it, or gives up.",
                "この予約の内容では登録できません。内容を修正するか、登録を見送ります。",
            ),
            Self::FixMapping => text("The mapping must be changed first.", "先にマッピングを変更する必要があります。"),
            Self::AskAdmin => text(
                "An admin must change something first, mostly in Salesforce.",
                "先に管理者による変更 (多くは Salesforce 側の設定) が必要です。",
            ),
            Self::Reconnect => text(
                "Somebody must reconnect to Salesforce. Bookings are on hold.",
                "Salesforce との再連携が必要です。予約は保留中です。",
            ),
            Self::Retry => text(
                "It is retried automatically. Nothing was written.",
                "自動で再試行します。データは登録されていません。",
            ),
            Self::CheckFirst => text(
                "Nobody knows yet whether the Lead was written: the plugin looks before it writes again.",
                "登録されたかどうか未確定です。再度書き込む前に、登録済みかを確認します。",
            ),
            Self::Finding => text(
                "What the plugin finds by itself when a mapping is checked or a booking is delivered. A finding says whether the value is changed or left out, or the Lead refused; then it calls for `fix-booking` or `fix-mapping`.",
                "マッピングの検査時や予約の登録時に、プラグイン自体が検出する事項です。値の変更・除外、または登録の中止のいずれかが示され、登録が中止された場合の対応は `fix-booking` または `fix-mapping` です。",
            ),
        }
    }
}

/// The plugin's own codes that are problems, never findings.
const OWN_PROBLEMS: &[(&str, Section)] = &[
    (codes::BOOKING_ID_COLLISION, Section::AskAdmin),
    (codes::BOOKING_ID_TOO_LONG, Section::FixMapping),
    (codes::LEAD_CONVERTED, Section::FixBooking),
    (codes::LEAD_GONE, Section::FixBooking),
    (codes::TARGET_UNKNOWN, Section::FixMapping),
    (codes::MAPPING_TOO_LARGE, Section::FixMapping),
    (codes::NOTHING_TO_WRITE, Section::FixMapping),
    (codes::OUTCOME_PENDING, Section::CheckFirst),
    (codes::OUTCOME_UNCLEAR, Section::CheckFirst),
    (codes::LEAD_NOT_READABLE, Section::AskAdmin),
    (codes::LEAD_NOT_CREATABLE, Section::AskAdmin),
    (codes::REQUIRED_FIELD_NOT_WRITABLE, Section::AskAdmin),
];

/// The sections of every code, from what the code really does: each one is provoked in every way it can be.
fn sections() -> BTreeMap<String, BTreeSet<Section>> {
    let mut sections: BTreeMap<String, BTreeSet<Section>> = BTreeMap::new();
    let mut add = |problem: Problem| {
        sections.entry(problem.code).or_default().insert(Section::of(&problem.reaction));
    };
    let response = |status, body: &str| Response { status, headers: Vec::new(), body: body.into(), more: Vec::new() };
    for call in [Call::Read, Call::Write] {
        for code in errors::salesforce_codes() {
            let body = serde_json::json!([{ "errorCode": code, "message": "" }]).to_string();
            add(problem_from_response(&response(400, &body), call));
        }
        for status in 200..600 {
            add(problem_from_response(&response(status, ""), call));
            add(problem_from_response(&response(status, "{}"), call));
        }
        for kind in [
            FailureKind::Denied,
            FailureKind::InvalidRequest,
            FailureKind::GrantEnded,
            FailureKind::RefreshFailed,
            FailureKind::NeedsAPerson,
            FailureKind::Connect,
            FailureKind::Tls,
            FailureKind::Timeout,
            FailureKind::Closed,
            FailureKind::ResponseTooLarge,
            FailureKind::ResponseBlocked,
            FailureKind::Budget,
        ] {
            for effect in [Effect::None, Effect::Unknown] {
                let failure = Failure { kind: kind.clone(), effect, detail: None, more: Vec::new() };
                add(problem_from_failure(&failure, call));
            }
        }
    }
    let terminal =
        r#"[{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}]"#;
    add(problem_from_response(&response(401, terminal), Call::Read));
    for error in [SecretError::Unavailable, SecretError::GrantEnded(None), SecretError::Temporary(None)] {
        add(problem_from_secret_error(&error));
    }
    for code in oauth_error::server_codes().map(Some).chain([None]) {
        for (stage, status) in [(OauthStage::Refresh, 400), (OauthStage::Refresh, 503), (OauthStage::Exchange, 400)] {
            let problem = oauth_error::explain(oauth_error::tests::refused(stage, code, Some(status)));
            sections.entry(problem.code).or_default().insert(Section::of(&problem.reaction));
        }
    }
    for (code, section) in OWN_PROBLEMS {
        sections.entry((*code).to_owned()).or_default().insert(*section);
    }
    // Everything else is found by the plugin itself.
    for code in codes::ALL {
        sections.entry((*code).to_owned()).or_insert_with(|| [Section::Finding].into());
    }
    sections
}

fn page() -> String {
    let sections = sections();
    let mut page = format!("<!-- Written by `{COMMAND}`; changes by hand are lost. -->\n\n# Errors\n\n");
    page.push_str("[日本語](#エラー)\n\n");
    page.push_str(
        "Every code that a problem or a finding may have, what it means and what to do. The set is open: a code of \
         Salesforce's that is not listed here keeps its name and message, and is classed by parts of its name and its HTTP status.\n\n",
    );
    in_language(&mut page, Language::English, &sections);
    page.push_str("# エラー\n\n[English](#errors)\n\n");
    page.push_str(
        "問題 (problem) およびチェック結果 (finding) に付くコードと、その意味、対処方法の一覧です。ここにない Salesforce の\
         コードは、名称とメッセージをそのまま表示し、名称の一部と HTTP ステータスに応じて分類します。\n\n",
    );
    in_language(&mut page, Language::Japanese, &sections);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn in_language(page: &mut String, language: Language, sections: &BTreeMap<String, BTreeSet<Section>>) {
    let text = |en, ja| text(en, ja).to(language);
    let tag = language.tag();
    writeln!(page, "## {}\n", text("By what happens next", "対応の種類から探す")).unwrap();
    for section in Section::ALL {
        writeln!(page, "**{}**: {}\n", section.name().to(language), section.meaning().to(language)).unwrap();
        let mut links = Vec::new();
        for cause in CAUSES {
            for code in codes_of(cause).filter(|code| is_in(sections, code, section)) {
                links.push(format!("[`{code}`](#{tag}-{})", anchor(cause)));
            }
        }
        writeln!(page, "{}\n", links.join(", ")).unwrap();
    }
    writeln!(page, "## {}\n", text("What to do", "対処方法")).unwrap();
    for cause in CAUSES {
        let advice = advice(cause.codes[0], &[], tag).unwrap();
        writeln!(page, "<a id=\"{tag}-{}\"></a>\n", anchor(cause)).unwrap();
        write_advice(page, language, cause, &advice, sections);
    }
}

/// The codes that a cause explains: its own, then those that are explained like one of them.
fn codes_of(cause: &'static Cause) -> impl Iterator<Item = &'static str> {
    let alike = errors::explained_alike().filter(|(_, like)| cause.codes.contains(like)).map(|(code, _)| code);
    cause.codes.iter().copied().chain(alike)
}

fn is_in(sections: &BTreeMap<String, BTreeSet<Section>>, code: &str, section: Section) -> bool {
    sections.get(code).is_some_and(|sections| sections.contains(&section))
}

fn write_advice(
    page: &mut String,
    language: Language,
    cause: &'static Cause,
    advice: &AdviceText,
    sections: &BTreeMap<String, BTreeSet<Section>>,
) {
    writeln!(page, "### {}\n\n{}\n", advice.what, advice.why).unwrap();
    for (number, step) in advice.steps.iter().enumerate() {
        let who = match step.who {
            Actor::TeamAdmin => text("Team admin", "チームの管理者"),
            Actor::CalendarOwner => text("Calendar owner", "カレンダーのオーナー"),
            Actor::CrmAdmin => text("Salesforce admin", "Salesforce のシステム管理者"),
            Actor::Operator => text("Scheduling provider", "日程調整サービスの提供元"),
            Actor::Other(_) => continue,
        };
        let place = step.place.as_deref().map(|place| format!(" *{place}*")).unwrap_or_default();
        writeln!(page, "{}. **{}**: {}{place}", number + 1, who.to(language), step.action).unwrap();
    }
    writeln!(page).unwrap();
    for code in codes_of(cause) {
        let all = sections.get(code).unwrap_or_else(|| panic!("{code} is never given"));
        let names: Vec<_> = all.iter().map(|section| section.name().to(language)).collect();
        writeln!(page, "- `{code}`: {}", names.join(", ")).unwrap();
    }
    writeln!(page).unwrap();
}

fn anchor(cause: &Cause) -> String {
    cause.codes[0].to_ascii_lowercase().replace('_', "-")
}
