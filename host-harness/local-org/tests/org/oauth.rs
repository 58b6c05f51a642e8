//! OAuth: authorization, tokens, refresh, revocation.

use jiff::SignedDuration;
use salesforce_local_org::{AppAccess, Fault, OrgFile, RefreshPolicy, visitor};
use serde_json::Value;

use crate::support::{Client, Send, VERIFIER, authorize_url, enterprise, parameter, post_form, send, start};

async fn get_page(url: &str, language: &str) -> crate::support::Reply {
    let parsed = url::Url::parse(url).unwrap();
    let path = format!("{}?{}", parsed.path(), parsed.query().unwrap());
    let headers = vec![("accept-language", language.to_owned())];
    send(url, Send { method: "GET", path: &path, headers, body: String::new() }).await.unwrap()
}

#[tokio::test]
async fn an_unknown_client_or_callback_gets_a_page_and_never_a_redirect() {
    let running = enterprise().await;
    let good = authorize_url(&running, &[]);
    let client = running.app().client_id;
    for (url, error) in [
        (good.replace(&client, "unknown"), "error=invalid_client_id&amp;error_description=client identifier invalid"),
        (
            good.replace("callback", "callback%2F"),
            "error=redirect_uri_mismatch&amp;error_description=redirect_uri must match",
        ),
        (good.replace("redirect_uri", "redirect"), "error=redirect_uri_missing"),
    ] {
        let page = get_page(&url, "en").await;
        assert_eq!(page.status, 400, "{url}");
        assert!(page.text.contains(error), "{}", page.text);
        assert_eq!(page.header("location"), None);
    }
}

#[tokio::test]
async fn the_pages_are_in_the_browsers_language() {
    let running = enterprise().await;
    let url = authorize_url(&running, &[]);
    assert!(get_page(&url, "en").await.text.contains("<html lang=\"en\">"));
    let page = get_page(&url, "ja,en;q=0.5").await.text;
    assert!(page.contains("<html lang=\"ja\">") && page.contains("パスワード"));
}

#[tokio::test]
async fn a_wrong_password_shows_the_login_page_again() {
    let running = enterprise().await;
    let error = visitor::allow(&authorize_url(&running, &[]), "hanako.suzuki@example.com", "wrong").await.unwrap_err();
    assert!(error.to_string().contains("check your username and password"), "{error}");
    assert_eq!(error.code(), "visit-stuck");
}

#[tokio::test]
async fn prompt_login_ignores_the_browsers_session() {
    let running = enterprise().await;
    let url = authorize_url(&running, &[]);
    let parsed = url::Url::parse(&url).unwrap();
    let request = format!("{}?{}", parsed.path(), parsed.query().unwrap());
    let form = [("username", "hanako.suzuki@example.com"), ("pw", "local-org"), ("startURL", request.as_str())];
    let logged_in = post_form(&url, "/login", &form).await;
    let cookie = logged_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    for (prompt, asks_for_password) in
        [("", false), ("&prompt=consent", false), ("&prompt=login", true), ("&prompt=login%20consent", true)]
    {
        let path = format!("{request}{prompt}");
        let headers = vec![("cookie", cookie.clone())];
        let page = send(&url, Send { method: "GET", path: &path, headers, body: String::new() }).await.unwrap();
        assert_eq!(page.text.contains("type=\"password\""), asks_for_password, "{prompt}: {}", page.text);
    }
}

#[tokio::test]
async fn an_address_outside_of_the_apps_list_gets_no_tokens_and_ends_nothing() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let refused = (400, "invalid_grant", "ip restricted or invalid login hours");
    running.org().change(|file| file.app.ip_allowlisted = false).unwrap();
    let code = Client::code(&running).await;
    assert_eq!(Client::exchange(&running, &code, VERIFIER).await.oauth(), refused);
    assert_eq!(client.try_refresh(&client.refresh_token).await.oauth(), refused);
    running.org().change(|file| file.app.ip_allowlisted = true).unwrap();
    assert_eq!(client.try_refresh(&client.refresh_token).await.status, 200, "the grant is still there");
}

#[tokio::test]
async fn errors_of_an_authorization_request_reach_the_callback() {
    let mut file = OrgFile::enterprise().unwrap();
    file.app.pkce_required = true;
    let running = start(file).await;
    let url = authorize_url(&running, &[]);
    for (url, error, description) in [
        (url.replace("code_challenge", "ignored"), "invalid_request", "missing required code challenge"),
        (url.replace("S256", "plain"), "invalid_request", "invalid code challenge method"),
        (
            url.replace("response_type=code", "response_type=token"),
            "unsupported_response_type",
            "Response type not supported",
        ),
        (url.replace("scope=api", "scope=sap"), "invalid_scope", "Requested scope is invalid, unknown, or malformed"),
    ] {
        let reply = get_page(&url, "en").await;
        assert_eq!(reply.status, 302, "{url}");
        let location = reply.header("location").unwrap();
        assert_eq!(parameter(location, "error").as_deref(), Some(error));
        assert_eq!(parameter(location, "error_description").as_deref(), Some(description));
        assert_eq!(parameter(location, "state").as_deref(), Some("st/ate=="));
    }
}

#[tokio::test]
async fn a_refusal_by_user_or_admin_reaches_the_callback() {
    let running = enterprise().await;
    let denied = visitor::deny(&authorize_url(&running, &[]), "hanako.suzuki@example.com", "local-org").await.unwrap();
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    for (access, error, description) in [
        (AppAccess::Blocked, "OAUTH_APP_BLOCKED", "this app is blocked by admin"),
        (AppAccess::AdminApproved, "OAUTH_APP_ACCESS_DENIED", "user is not admin approved to access this app"),
        (AppAccess::Uninstalled, "invalid_client", "app must be installed into org"),
        (
            AppAccess::ExternalClientAppMissing,
            "OAUTH_EC_APP_NOT_FOUND",
            "External client app is not installed in this org",
        ),
    ] {
        running
            .org()
            .change(|file| {
                file.app.access = access;
                file.users[0].approved = false;
            })
            .unwrap();
        let callback = Client::callback(&running, &[]).await;
        assert_eq!(parameter(&callback, "error").as_deref(), Some(error));
        assert_eq!(parameter(&callback, "error_description").as_deref(), Some(description));
    }
    // A scope that the app lacks causes the generic error, after login.
    running
        .org()
        .change(|file| {
            file.app.access = AppAccess::AllUsers;
            file.app.scopes = vec!["api".into()];
        })
        .unwrap();
    let callback = Client::callback(&running, &[]).await;
    assert_eq!(parameter(&callback, "error").as_deref(), Some("OAUTH_APPROVAL_ERROR_GENERIC"));
}

#[tokio::test]
async fn the_token_response_matches_salesforces_and_is_not_cacheable() {
    let running = enterprise().await;
    let code = Client::code(&running).await;
    assert!(code.ends_with("=="));
    let reply = Client::exchange(&running, &code, VERIFIER).await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
    let members: Vec<_> = reply.json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["access_token", "id", "instance_url", "issued_at", "refresh_token", "scope", "signature", "token_type"];
    assert_eq!(members, expected, "no expires_in");
    let text = |name: &str| reply.json[name].as_str().unwrap().to_owned();
    assert!(text("issued_at").parse::<i64>().unwrap() > 1_600_000_000_000, "milliseconds, as a string");
    assert_eq!(text("token_type"), "Bearer");
    assert_eq!(text("scope"), "api refresh_token");
    assert_eq!(text("instance_url"), running.base_url());
    let id = text("id");
    let (user, rest) = (id.rsplit('/').next().unwrap(), id.rsplit('/').nth(1).unwrap());
    assert!(user.starts_with("005") && user.len() == 18 && rest.starts_with("00D") && rest.len() == 18, "{id}");
    let (org, opaque) = text("access_token").split_once('!').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(org.len() == 15 && opaque.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'));
}

#[tokio::test]
async fn a_code_works_once_before_it_expires_with_its_callback_and_verifier() {
    let running = enterprise().await;
    let expired = (400, "invalid_grant", "expired authorization code");

    let code = Client::code(&running).await;
    assert_eq!(Client::exchange(&running, &code, VERIFIER).await.status, 200);
    assert_eq!(Client::exchange(&running, &code, VERIFIER).await.oauth(), expired, "a second time");

    let code = Client::code(&running).await;
    running.org().advance_clock(SignedDuration::from_mins(16));
    assert_eq!(Client::exchange(&running, &code, VERIFIER).await.oauth(), expired, "too late");

    let code = Client::code(&running).await;
    let wrong = Client::exchange(&running, &code, "another-verifier-that-is-long-enough-to-be-one").await;
    assert_eq!(wrong.oauth(), (400, "invalid_grant", "invalid code verifier"));
    let code = Client::code(&running).await;
    assert_eq!(Client::exchange(&running, &code, "").await.oauth(), (400, "invalid_grant", "missing code verifier"));

    let unknown = Client::exchange(&running, "aPrxNobody==", VERIFIER).await;
    assert_eq!(unknown.oauth(), (400, "invalid_grant", "invalid authorization code"));

    let code = Client::code(&running).await;
    running.org().register_callback("http://127.0.0.1:9/other");
    let app = running.app();
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://127.0.0.1:9/other"),
        ("code_verifier", VERIFIER),
        ("client_id", &app.client_id),
        ("client_secret", &app.client_secret),
    ];
    let other = post_form(running.base_url(), "/services/oauth2/token", &fields).await;
    assert_eq!(other.oauth(), (400, "redirect_uri_mismatch", "redirect_uri must match configuration"));
}

#[tokio::test]
async fn the_client_and_the_grant_type_are_checked() {
    let running = enterprise().await;
    let app = running.app();
    let token = "/services/oauth2/token";
    let id = app.client_id.as_str();
    let refresh = ("grant_type", "refresh_token");
    for (fields, error, description) in [
        (vec![refresh, ("client_id", "unknown")], "invalid_client_id", "client identifier invalid"),
        (vec![refresh, ("client_id", id), ("client_secret", "wrong")], "invalid_client", "invalid client credentials"),
        (vec![refresh, ("client_id", id)], "invalid_client", "invalid client credentials"),
        (vec![("grant_type", "magic"), ("client_id", id)], "unsupported_grant_type", "grant type not supported"),
        (vec![("grant_type", "password"), ("client_id", id)], "invalid_grant", "authentication failure"),
    ] {
        assert_eq!(post_form(running.base_url(), token, &fields).await.oauth(), (400, error, description));
    }
    let headers = vec![("content-type", "application/json".to_owned())];
    let body = "{\"grant_type\":\"refresh_token\"}".to_owned();
    let json = send(running.base_url(), Send { method: "POST", path: token, headers, body }).await.unwrap();
    assert_eq!(json.oauth(), (400, "unsupported_grant_type", "grant type not supported"), "JSON is not a form");
}

#[tokio::test]
async fn client_credentials_work_with_basic_auth_and_only_on_my_domain() {
    let running = enterprise().await;
    let app = running.app();
    let basic = {
        use base64::Engine;
        base64::prelude::BASE64_STANDARD.encode(format!("{}:{}", app.client_id, app.client_secret))
    };
    let ask = || async {
        let headers = vec![
            ("authorization", format!("Basic {basic}")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let body = "grant_type=client_credentials".to_owned();
        send(running.base_url(), Send { method: "POST", path: "/services/oauth2/token", headers, body }).await.unwrap()
    };
    let reply = ask().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json["scope"], "api id", "refresh_token is dropped");
    assert_eq!(reply.json["refresh_token"], Value::Null);
    running.org().change(|file| file.app.generic_login_host = true).unwrap();
    assert_eq!(ask().await.oauth(), (400, "invalid_grant", "request not supported on this domain"));
    running.org().change(|file| file.app.client_credentials = false).unwrap();
    assert_eq!(ask().await.oauth(), (400, "invalid_grant", "no client credentials user enabled"));
}

#[tokio::test]
async fn without_rotation_a_refresh_keeps_the_token_and_does_not_resend_it() {
    let running = enterprise().await;
    let mut client = Client::connect(&running).await;
    let (first, refresh) = (client.access_token.clone(), client.refresh_token.clone());
    let reply = client.refresh().await;
    assert_eq!(reply.json["refresh_token"], Value::Null);
    assert_ne!(client.access_token, first);
    assert_eq!(client.refresh_token, refresh);
    assert_eq!(client.refresh().await.status, 200);
}

#[tokio::test]
async fn with_rotation_a_retired_token_ends_the_whole_grant() {
    let running = start(OrgFile::named("rotation-30-days").unwrap().unwrap()).await;
    let mut client = Client::connect(&running).await;
    let first = client.refresh_token.clone();
    client.refresh().await;
    assert_ne!(client.refresh_token, first);
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 200);
    let expired = (400, "invalid_grant", "expired access/refresh token");
    assert_eq!(client.try_refresh(&first).await.oauth(), expired);
    assert_eq!(client.get("/services/data/v67.0/limits").await.error(), (401, "INVALID_SESSION_ID"));
    assert_eq!(client.try_refresh(&client.refresh_token).await.oauth(), expired);
}

#[tokio::test]
async fn one_of_two_concurrent_refreshes_is_rejected_as_in_progress() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    // Every spelling of the path is the same endpoint.
    for path in ["/services/oauth2/token", "/services/oauth2/token/", "/services/oauth2/%74oken"] {
        let delay = Fault::delay(std::time::Duration::from_millis(200));
        running.org().add_fault(delay.on("POST", "/services/oauth2/*").times(2));
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &client.refresh_token),
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
        ];
        let refresh = || post_form(&client.base, path, &fields);
        let (one, two) = tokio::join!(refresh(), refresh());
        let mut outcomes = [one.oauth(), two.oauth()];
        outcomes.sort_unstable();
        let busy = (400, "invalid_grant", "token request is already being processed");
        assert_eq!(outcomes, [(200, "", ""), busy], "{path}");
        assert_eq!(refresh().await.status, 200, "later it works again");
    }
}

#[tokio::test]
async fn every_way_a_grant_can_end_has_its_own_error() {
    let expired = ("invalid_grant", "expired access/refresh token");
    for (policy, days, survives) in [
        (RefreshPolicy::Infinite, 4000, true),
        (RefreshPolicy::Zero, 0, false),
        (RefreshPolicy::LifetimeDays(10), 9, true),
        (RefreshPolicy::LifetimeDays(10), 11, false),
        (RefreshPolicy::IdleDays(30), 29, true),
        (RefreshPolicy::IdleDays(30), 31, false),
    ] {
        let mut file = OrgFile::enterprise().unwrap();
        file.app.refresh_policy = policy;
        let running = start(file).await;
        let client = Client::connect(&running).await;
        running.org().advance_clock(SignedDuration::from_hours(24 * days));
        let reply = client.try_refresh(&client.refresh_token).await;
        match survives {
            true => assert_eq!(reply.status, 200, "{policy:?} after {days} days"),
            false => assert_eq!(reply.oauth(), (400, expired.0, expired.1), "{policy:?} after {days} days"),
        }
    }
    type Change = fn(&mut OrgFile);
    let cases: [(Change, &str, &str); 5] = [
        (|file| file.users[0].active = false, "inactive_user", "User is inactive"),
        (|file| file.locked = true, "inactive_org", "Org is locked, closed, or suspended"),
        (|file| file.users[0].ip_restricted = true, "invalid_grant", "ip restricted or invalid login hours"),
        (|file| file.app.access = AppAccess::Blocked, "app_blocked", "this app is blocked by admin"),
        (
            |file| {
                file.app.access = AppAccess::AdminApproved;
                file.users[0].approved = false;
            },
            "invalid_app_access",
            "user is not admin approved to access this app",
        ),
    ];
    for (change, error, description) in cases {
        let running = enterprise().await;
        let client = Client::connect(&running).await;
        running.org().change(change).unwrap();
        assert_eq!(client.try_refresh(&client.refresh_token).await.oauth(), (400, error, description));
    }
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    running.org().add_fault(Fault::oauth_error("rate_limit_exceeded", "Number of logins exceeded"));
    let reply = client.try_refresh(&client.refresh_token).await;
    assert_eq!(reply.oauth(), (400, "rate_limit_exceeded", "Number of logins exceeded"));
}

#[tokio::test]
async fn earlier_approvals_survive_the_rule_that_apps_must_be_installed() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    running
        .org()
        .change(|file| {
            file.app.access = AppAccess::Uninstalled;
            file.users[0].approved = false;
        })
        .unwrap();
    assert_eq!(client.try_refresh(&client.refresh_token).await.status, 200);
}

#[tokio::test]
async fn the_sixth_approval_ends_the_first() {
    let running = enterprise().await;
    let first = Client::connect(&running).await;
    for _ in 0..4 {
        Client::connect(&running).await;
    }
    assert_eq!(first.try_refresh(&first.refresh_token).await.status, 200);
    Client::connect(&running).await;
    assert_eq!(first.try_refresh(&first.refresh_token).await.oauth().2, "expired access/refresh token");
}

#[tokio::test]
async fn revoking_ends_one_access_token_or_with_a_refresh_token_the_whole_grant() {
    let running = enterprise().await;
    let mut client = Client::connect(&running).await;
    let first = client.access_token.clone();
    client.refresh().await;
    let base = running.base_url();
    assert_eq!(post_form(base, "/services/oauth2/revoke", &[("token", &first)]).await.status, 200);
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 200, "the second session continues");
    assert_eq!(client.revoke().await.status, 200);
    assert_eq!(client.get("/services/data/v67.0/limits").await.status, 401);
    for token in [client.refresh_token.as_str(), "unknown", ""] {
        let reply = post_form(base, "/services/oauth2/revoke", &[("token", token)]).await;
        assert_eq!((reply.status, reply.json["error"].as_str()), (400, Some("invalid_token")), "{token}");
    }
}

#[tokio::test]
async fn a_token_can_be_introspected_and_identifies_its_user() {
    let running = enterprise().await;
    let client = Client::connect(&running).await;
    let fields = [
        ("token", client.access_token.as_str()),
        ("client_id", &client.client_id),
        ("client_secret", &client.client_secret),
    ];
    let reply = post_form(&client.base, "/services/oauth2/introspect", &fields).await;
    assert_eq!((reply.json["active"].as_bool(), reply.json["scope"].as_str()), (Some(true), Some("api refresh_token")));
    assert!(reply.json["exp"].as_i64() > reply.json["iat"].as_i64());
    let userinfo = client.get("/services/oauth2/userinfo").await;
    assert_eq!(userinfo.json["preferred_username"], "hanako.suzuki@example.com");
    let identity = userinfo.json["sub"].as_str().unwrap().strip_prefix(&client.base).unwrap().to_owned();
    let latest = client.get(&format!("{identity}?version=latest")).await;
    assert_eq!(latest.json["urls"]["sobjects"], format!("{}/services/data/v67.0/sobjects/", client.base));
    assert!(client.get(&identity).await.json["urls"]["rest"].as_str().unwrap().contains("v{version}"));
    assert_eq!(latest.json["display_name"], "鈴木 花子");
    client.revoke().await;
    assert_eq!(client.get("/services/oauth2/userinfo").await.status, 403);
}
