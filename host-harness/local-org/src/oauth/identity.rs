//! The identity URL and the userinfo endpoint: the user behind a token.

use http::StatusCode;
use serde_json::{Value, json};

use super::session;
use crate::{
    clock::rest_datetime,
    file::User,
    message::{Answer, Request},
    org::{Org, Settings},
};

/// `GET /id/{org}/{user}`.
pub(crate) fn identity(org: &Org, org_id: &str, user_id: &str, request: &Request) -> Answer {
    let Some((_, session)) = session(org, request) else {
        return Answer::text(StatusCode::FORBIDDEN, "text/html;charset=UTF-8", "Bad_OAuth_Token".to_owned());
    };
    let settings = org.settings();
    let found = settings.users().find(|(id, _)| id == user_id).filter(|_| settings.org_id() == org_id);
    let Some((_, user)) = found else {
        return Answer::text(StatusCode::NOT_FOUND, "text/html;charset=UTF-8", "Not Found".to_owned());
    };
    if user.username != session.username {
        return Answer::text(StatusCode::FORBIDDEN, "text/html;charset=UTF-8", "Wrong_User".to_owned());
    }
    let version = match request.query("version").as_deref() {
        Some("latest") => format!("{}.0", settings.file.api.newest),
        Some(version) => version.to_owned(),
        None => "{version}".to_owned(),
    };
    Answer::json(StatusCode::OK, &describe_user(org, &settings, user_id, user, &version))
}

fn describe_user(org: &Org, settings: &Settings, user_id: &str, user: &User, version: &str) -> Value {
    let instance = org.instance_url();
    let data = format!("{instance}/services/data/v{version}/");
    let org_id = settings.org_id();
    json!({
        "id": format!("{}/id/{org_id}/{user_id}", org.base_url()),
        "asserted_user": true,
        "user_id": user_id,
        "organization_id": org_id,
        "username": user.username,
        "nick_name": user.username.split('@').next(),
        "display_name": display_name(user),
        "email": user.email,
        "email_verified": true,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "timezone": settings.file.time_zone,
        "photos": {"picture": format!("{instance}/profilephoto/005/F"), "thumbnail": format!("{instance}/profilephoto/005/T")},
        "addr_street": null,
        "addr_city": null,
        "addr_state": null,
        "addr_country": null,
        "addr_zip": null,
        "mobile_phone": null,
        "mobile_phone_verified": false,
        "is_lightning_login_user": false,
        "status": {"created_date": null, "body": null},
        "urls": {
            "enterprise": format!("{instance}/services/Soap/c/{version}/{org_id}"),
            "metadata": format!("{instance}/services/Soap/m/{version}/{org_id}"),
            "partner": format!("{instance}/services/Soap/u/{version}/{org_id}"),
            "rest": data,
            "sobjects": format!("{data}sobjects/"),
            "search": format!("{data}search/"),
            "query": format!("{data}query/"),
            "recent": format!("{data}recent/"),
            "profile": format!("{instance}/{user_id}"),
        },
        "active": user.active,
        "user_type": "STANDARD",
        "language": settings.file.locale.split('_').next(),
        "locale": settings.file.locale,
        "utcOffset": utc_offset_ms(org, settings),
        "last_modified_date": rest_datetime(settings.described),
    })
}

fn utc_offset_ms(org: &Org, settings: &Settings) -> i64 {
    i64::from(settings.zone.to_offset(org.now()).seconds()) * 1000
}

/// Full name, family name first if it is not ASCII, as Salesforce shows Japanese names.
pub(crate) fn display_name(user: &User) -> String {
    let family_first = !user.last_name.is_ascii();
    let (first, second) =
        if family_first { (&user.last_name, &user.first_name) } else { (&user.first_name, &user.last_name) };
    format!("{first} {second}").trim().to_owned()
}

/// `GET /services/oauth2/userinfo` (OpenID Connect).
pub(crate) fn userinfo(org: &Org, request: &Request) -> Answer {
    let Some((_, session)) = session(org, request) else {
        return Answer::text(StatusCode::FORBIDDEN, "text/html;charset=UTF-8", "Bad_OAuth_Token".to_owned());
    };
    let settings = org.settings();
    let Some((user_id, user)) = settings.users().find(|(_, user)| user.username == session.username) else {
        return Answer::empty(StatusCode::FORBIDDEN);
    };
    let org_id = settings.org_id();
    let body = json!({
        "sub": format!("{}/id/{org_id}/{user_id}", org.base_url()),
        "user_id": user_id,
        "organization_id": org_id,
        "preferred_username": user.username,
        "nickname": user.username.split('@').next(),
        "name": display_name(user),
        "email": user.email,
        "email_verified": true,
        "given_name": user.first_name,
        "family_name": user.last_name,
        "zoneinfo": settings.file.time_zone,
        "photos": {"picture": null, "thumbnail": null},
        "profile": format!("{}/{user_id}", org.instance_url()),
        "active": user.active,
        "user_type": "STANDARD",
        "language": settings.file.locale,
        "locale": settings.file.locale,
        "utcOffset": utc_offset_ms(org, &settings),
        "updated_at": rest_datetime(settings.described),
    });
    Answer::json(StatusCode::OK, &body)
}
