//! Every code leads to help that a person can act on, in both languages.

mod page;

use super::{advice, causes::CAUSES, codes};
use crate::{
    bindings::{
        guidance::{Actor, AdviceText},
        types::Parameter,
    },
    salesforce::{errors, oauth_error},
};
use std::collections::BTreeSet;

/// Everything that may be the code of a problem, of a further error or of a finding.
fn all_codes() -> BTreeSet<&'static str> {
    errors::salesforce_codes().chain(oauth_error::server_codes()).chain(crate::codes::ALL.iter().copied()).collect()
}

#[test]
fn every_code_leads_to_advice_in_both_languages() {
    for code in all_codes() {
        for locale in ["en", "ja"] {
            let advice = advice(code, &[], locale).unwrap_or_else(|| panic!("no advice for {code}"));
            assert_eq!(advice.locale, locale, "{code}");
        }
    }
}

#[test]
fn all_that_is_explained_can_happen_and_is_explained_once() {
    let listed = codes();
    let distinct: BTreeSet<_> = listed.iter().map(String::as_str).collect();
    assert_eq!(distinct.len(), listed.len(), "a code has two causes");
    let never_given: Vec<_> = distinct.difference(&all_codes()).copied().collect();
    assert!(never_given.is_empty(), "explained, but never given: {never_given:?}");
}

#[test]
fn an_unknown_code_has_no_advice() {
    for code in ["", "NEVER_SEEN_BEFORE", "connection-ENDED"] {
        assert_eq!(advice(code, &[], "ja"), None);
    }
}

#[test]
fn particulars_are_in_the_text_if_all_that_it_needs_are_given() {
    let particulars =
        [Parameter::new("limit", "80"), Parameter::new("length", "143"), Parameter::new("field", "Title")];
    for (locale, expected) in [
        ("en", "The value has 143 characters, but the field “Title” can have only 80."),
        ("ja", "値は 143 文字ですが、項目「Title」の最大文字数は 80 文字です。"),
    ] {
        assert_eq!(advice("value-shortened", &particulars, locale).unwrap().what, expected);
        let general = advice("value-shortened", &[], locale).unwrap();
        assert_eq!(advice("value-shortened", &particulars[..2], locale).unwrap(), general);
        assert_ne!(general.what, expected);
    }
    // A value is never read as a variable.
    let quoted = [Parameter::new("option", "{$value}"), Parameter::new("value", "{$option}")];
    let what = advice("option-invalid", &quoted, "en").unwrap().what;
    assert_eq!(what, "The option “{$value}” doesn't have the value “{$option}”.");
}

#[test]
fn both_languages_name_the_same_particulars() {
    let variables = |text: &'static str| {
        let names = text.split("{$").skip(1).map(|part| part.split_once('}').unwrap().0);
        names.collect::<BTreeSet<_>>()
    };
    let mut found = 0;
    for text in CAUSES.iter().filter_map(|cause| cause.exact) {
        assert_eq!(variables(text.en), variables(text.ja), "{}", text.en);
        assert!(!variables(text.en).is_empty(), "{}", text.en);
        found += 1;
    }
    assert!(found > 5);
    // Other texts have none.
    for code in codes() {
        for locale in ["en", "ja"] {
            assert!(texts(&advice(&code, &[], locale).unwrap()).iter().all(|(text, _)| !text.contains("{$")), "{code}");
        }
    }
}

#[test]
fn advice_is_in_the_closest_language() {
    for (locale, expected) in [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA_jp", "ja"),
        ("ja-Hrkt-JP", "ja"),
        ("en", "en"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("jam", "en"),
        ("", "en"),
    ] {
        assert_eq!(advice("connection-ended", &[], locale).unwrap().locale, expected, "{locale}");
    }
}

/// Every text of an advice, with the most characters it may have.
fn texts(advice: &AdviceText) -> Vec<(&str, usize)> {
    let steps = advice.steps.iter().flat_map(|step| {
        [Some((step.action.as_str(), 240)), step.place.as_deref().map(|place| (place, 120))].into_iter().flatten()
    });
    [(advice.what.as_str(), 120), (advice.why.as_str(), 330)].into_iter().chain(steps).collect()
}

#[test]
fn texts_are_short_whole_and_in_their_language() {
    let is_japanese = |text: &str| text.chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c));
    for cause in CAUSES {
        for (locale, full_stop) in [("en", '.'), ("ja", '。')] {
            let advice = advice(cause.codes[0], &[], locale).unwrap();
            assert!(!advice.steps.is_empty(), "{:?}", cause.codes);
            for (text, limit) in texts(&advice) {
                assert!(!text.trim().is_empty() && text == text.trim(), "{:?}", cause.codes);
                assert!(text.chars().count() <= limit, "{} characters: {text}", text.chars().count());
                assert!(!text.contains("  "), "{text}");
            }
            let sentences = [&advice.what, &advice.why].into_iter().chain(advice.steps.iter().map(|step| &step.action));
            for sentence in sentences {
                assert!(sentence.ends_with(full_stop), "{sentence}");
                assert!(locale == "en" || is_japanese(sentence), "{sentence}");
            }
        }
    }
}

#[test]
fn steps_of_a_crm_admin_always_name_a_place() {
    for code in codes() {
        for step in advice(&code, &[], "en").unwrap().steps {
            assert_eq!(step.who == Actor::CrmAdmin, step.place.is_some(), "{code}");
        }
    }
}

/// What admins must see to before such a connection works; each was a cause of support cases elsewhere.
#[test]
fn the_known_cautions_are_all_covered() {
    let says = |code: &str, parts: &[&str]| {
        for (locale, part) in ["en", "ja"].into_iter().zip(parts) {
            let advice = advice(code, &[], locale).unwrap();
            let all = texts(&advice).into_iter().map(|(text, _)| text).collect::<String>();
            assert!(all.contains(part), "{code} in {locale} does not say {part}");
        }
    };
    says("OAUTH_APP_BLOCKED", &["Unblock", "ブロック解除"]);
    says("app-not-installed", &["Approve Uninstalled Connected Apps", "Approve Uninstalled Connected Apps"]);
    says("OAUTH_APP_ACCESS_DENIED", &["Permitted Users", "許可されているユーザー"]);
    says("login-restricted", &["IP Relaxation", "IP 制限の緩和"]);
    says("login-restricted", &["Refresh Token IP Allowlist", "更新トークン IP 許可リスト"]);
    says("connection-ended", &["Refresh Token Policy", "更新トークンポリシー"]);
    says("required-field-blank", &["Both must be required", "両方を必須にする"]);
    says("field-not-writable", &["not offered", "選択肢に表示されません"]);
    for code in ["OAUTH_APP_BLOCKED", "OAUTH_EC_APP_NOT_FOUND", "app-not-installed", "OAUTH_APPROVAL_ERROR_GENERIC"] {
        says(code, &["External Client Apps OAuth Usage", "外部クライアントアプリケーション OAuth 利用状況"]);
    }
    for edition in ["Enterprise", "Unlimited", "Performance", "Developer", "Professional"] {
        says("API_DISABLED_FOR_ORG", &[edition, edition]);
    }
}

#[test]
fn the_texts_stay_within_their_share_of_the_component() {
    let bytes: usize = CAUSES
        .iter()
        .flat_map(|cause| ["en", "ja"].map(|locale| advice(cause.codes[0], &[], locale).unwrap()))
        .flat_map(|advice| texts(&advice).into_iter().map(|(text, _)| text.len()).collect::<Vec<_>>())
        .sum();
    assert!(bytes <= 80_000, "{bytes} bytes of advice");
}
