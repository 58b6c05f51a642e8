//! The pages that people see while connecting an app, in Japanese and English.

use askama::Template;
use http::{StatusCode, header::CACHE_CONTROL};

use super::{
    OAuthError,
    authorize::{DECISION_PATH, LOGIN_PATH, PAGE_STATUS},
};
use crate::{message::Answer, org::Org};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Japanese,
}

impl Language {
    /// The first language of an `Accept-Language` header, without regard to weights.
    pub fn of(header: Option<&str>) -> Self {
        let first = header.and_then(|value| value.split(',').next()).unwrap_or_default().trim().to_ascii_lowercase();
        if first.starts_with("ja") { Self::Japanese } else { Self::English }
    }

    fn pick(self, english: &'static str, japanese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Japanese => japanese,
        }
    }

    fn tag(self) -> &'static str {
        self.pick("en", "ja")
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    lang: &'static str,
    title: &'static str,
    org: &'a str,
    action: &'static str,
    start_url: &'a str,
    username: &'a str,
    problem: Option<&'static str>,
    username_label: &'static str,
    password_label: &'static str,
    submit: &'static str,
}

#[derive(Template)]
#[template(path = "allow.html")]
struct AllowPage<'a> {
    lang: &'static str,
    title: &'static str,
    question: String,
    scopes: Vec<&'static str>,
    user: &'a str,
    user_label: &'static str,
    action: &'static str,
    request: &'a str,
    csrf: &'a str,
    allow: &'static str,
    deny: &'static str,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    lang: &'static str,
    title: &'static str,
    error: &'static str,
    description: &'static str,
}

pub(super) fn login(language: Language, org: &Org, start_url: &str, username: &str, failed: bool) -> Answer {
    let name = org.settings().file.name.clone();
    let problem = language.pick(
        "Please check your username and password. If you still can't log in, contact your Salesforce administrator.",
        "ユーザー名とパスワードを確認してください。それでもログインできない場合は、Salesforce システム管理者にお問い合わせください。",
    );
    let page = LoginPage {
        lang: language.tag(),
        title: language.pick("Log In | Local org", "ログイン | テスト用組織"),
        org: &name,
        action: LOGIN_PATH,
        start_url,
        username,
        problem: failed.then_some(problem),
        username_label: language.pick("Username", "ユーザー名"),
        password_label: language.pick("Password", "パスワード"),
        submit: language.pick("Log In", "ログイン"),
    };
    show(StatusCode::OK, &page)
}

/// The page that asks to allow access.
pub(super) fn allow(language: Language, org: &Org, user: &str, scopes: &[String], request: &str, csrf: &str) -> Answer {
    let app = &org.settings().file.app.name.clone();
    let page = AllowPage {
        lang: language.tag(),
        title: language.pick("Allow Access?", "アクセスを許可しますか?"),
        question: match language {
            Language::English => format!("{app} is asking to:"),
            Language::Japanese => format!("{app} が次の権限を求めています:"),
        },
        scopes: scopes.iter().map(|scope| scope_text(language, scope)).collect(),
        user,
        user_label: language.pick("Logged in as", "ログイン中のユーザー"),
        action: DECISION_PATH,
        request,
        csrf,
        allow: language.pick("Allow", "許可"),
        deny: language.pick("Deny", "拒否"),
    };
    show(StatusCode::OK, &page)
}

/// The error page for an authorization request whose callback cannot be trusted.
pub(super) fn error(language: Language, error: &OAuthError) -> Answer {
    let page = ErrorPage {
        lang: language.tag(),
        title: language.pick("OAuth Error", "OAuth エラー"),
        error: error.error,
        description: error.description,
    };
    show(PAGE_STATUS, &page)
}

fn scope_text(language: Language, scope: &str) -> &'static str {
    match scope {
        "api" => language.pick("Manage user data via APIs", "API を使用してユーザーデータを管理"),
        "refresh_token" => language.pick("Perform requests at any time", "いつでも要求を実行"),
        "id" | "openid" | "profile" | "email" => {
            language.pick("Access the identity URL service", "ID URL サービスにアクセス")
        }
        "web" => language.pick("Manage user data via Web browsers", "Web ブラウザーを使用してユーザーデータを管理"),
        "full" => language.pick("Full access", "フルアクセス"),
        _ => language.pick("Use other features", "その他の機能を使用"),
    }
}

fn show(status: StatusCode, page: &impl Template) -> Answer {
    match page.render() {
        Ok(text) => Answer::html(status, text).with(CACHE_CONTROL, "no-store"),
        Err(error) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain;charset=UTF-8", error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_use_the_browsers_first_language() {
        assert_eq!(Language::of(Some("ja,en;q=0.8")), Language::Japanese);
        assert_eq!(Language::of(Some("ja-JP")), Language::Japanese);
        assert_eq!(Language::of(Some("en-GB,ja;q=0.5")), Language::English);
        assert_eq!(Language::of(None), Language::English);
    }
}
